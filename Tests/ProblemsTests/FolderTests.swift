import Foundation
import PackageFiles
import Problems
import Testing

@Suite struct FolderTests {
    /// A temporary folder `sums` that holds a valid package.
    private func withPackage(_ body: (URL) throws -> Void) throws {
        let base = FileManager.default.temporaryDirectory.appending(path: "coduel-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: base) }
        let root = base.appending(path: "sums")
        for (path, bytes) in package().files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        try body(root)
    }

    private func faults(_ root: URL) -> [String] {
        do throws(ProblemsError) {
            _ = try PackageFiles.read(path: root.path)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test func readsAFolder() throws {
        try withPackage { root in
            try Data("x".utf8).write(to: root.appending(path: ".hidden"))
            try FileManager.default.createSymbolicLink(
                atPath: root.appending(path: "data/secret/2.in").path, withDestinationPath: "1.in")
            try FileManager.default.createSymbolicLink(
                atPath: root.appending(path: "data/secret/2.ans").path, withDestinationPath: "../secret/1.ans"
            )
            let tree = try PackageFiles.read(path: root.path + "/")
            #expect(tree.shortName == "sums")
            #expect(tree.files[".hidden"] == nil)
            #expect(tree.files["data/secret/2.in"] == Array("2 3\n".utf8))
            #expect(try PackageParser.parse(tree).tests.count == 3)
        }
    }

    @Test func refusesWhatIsNoFileOfThePackage() throws {
        try withPackage { root in
            let manager = FileManager.default
            try manager.createSymbolicLink(
                atPath: root.appending(path: "outside").path, withDestinationPath: "/etc/passwd")
            try manager.createSymbolicLink(
                atPath: root.appending(path: "up").path, withDestinationPath: "../..")
            try manager.createSymbolicLink(
                atPath: root.appending(path: "gone").path, withDestinationPath: "nowhere")
            try manager.createSymbolicLink(
                atPath: root.appending(path: "data/circle").path, withDestinationPath: "../data")
            #expect(mkfifo(root.appending(path: "pipe").path, 0o600) == 0)
            let found = faults(root)
            for part in [
                "outside: is a symbolic link out of the package", "up: is a symbolic link out of the package",
                "gone: is a symbolic link to nothing", "data/circle: is a symbolic link in a circle",
                "pipe: is a device, pipe or socket",
            ] {
                #expect(found.contains(part), "\(found)")
            }
        }
    }

    @Test func saysWhenThereIsNothing() {
        #expect(throws: ProblemsError.self) { try PackageFiles.read(path: "/nonexistent/sums") }
        #expect(throws: ProblemsError.self) { try PackageFiles.read(path: "/dev/null") }
    }
}
