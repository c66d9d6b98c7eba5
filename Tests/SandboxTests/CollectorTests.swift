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
        let build = try Tool.run(
            "/usr/bin/gcc",
            [
                "-std=gnu17", "-I", helper.path, "-o", check,
                Machine.attackFolder.appendingPathComponent("collector/check.c").path,
                helper.appendingPathComponent("scratch.c").path,
                helper.appendingPathComponent("descriptors.c").path,
            ], in: folder)
        try #require(build.status == 0, "\(build.output)")
        let result = try Tool.run(check, [], in: folder)
        #expect(result.status == 0, "\(result.output)")
    }
}
