import Foundation
import Testing

/// The helper's collector against everything a compiler could leave under the artefact's name.
@Suite struct CollectorTests {
    @Test("only a plain file of the folder itself is collected")
    func collects() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("collector-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let helper = Machine.packageFolder.appendingPathComponent("Sources/sandbox-helper")
        let check = folder.appendingPathComponent("check").path
        let build = try Self.run(
            "/usr/bin/gcc",
            [
                "-std=gnu17", "-I", helper.path, "-o", check,
                Machine.hostileFolder.appendingPathComponent("collector/check.c").path,
                helper.appendingPathComponent("files.c").path,
                helper.appendingPathComponent("descriptors.c").path,
            ], in: folder)
        try #require(build.status == 0, "\(build.output)")
        let result = try Self.run(check, [], in: folder)
        #expect(result.status == 0, "\(result.output)")
    }

    private static func run(
        _ path: String, _ arguments: [String], in folder: URL
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
