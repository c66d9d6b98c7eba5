import Foundation
import PackageFiles
import Problems
import TestSupport
import Testing

/// Zip files are made by Python's `zipfile`, which writes whatever it is told to.
@Suite struct ArchiveTests {
    /// The bytes that `script` writes to the path `out`; `z` is a `ZipFile` on it.
    private func zip(_ script: String) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appending(path: "coduel-\(UUID().uuidString).zip")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/env")
        let head = """
            import sys, zipfile, stat, warnings, struct
            warnings.simplefilter('ignore')
            out = sys.argv[1]
            def entry(name, mode=0o100644):
                i = zipfile.ZipInfo(name)
                i.create_system = 3
                i.external_attr = mode << 16
                i.compress_type = zipfile.ZIP_DEFLATED
                return i
            z = zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED)
            def good(root='sums/'):
                z.writestr(root + 'problem.yaml', 'name: Sums\\n')
                z.writestr(root + 'problem_statement/problem.en.md', 'Add.\\n')
                for d in ('sample', 'secret'):
                    z.writestr(root + f'data/{d}/1.in', '1 2\\n')
                    z.writestr(root + f'data/{d}/1.ans', '3\\n')

            """
        python.arguments = ["python3", "-c", head + script + "\nz.close()\n", path]
        try python.run()
        python.waitUntilExit()
        try #require(python.terminationStatus == 0)
        return Array(try Data(contentsOf: URL(filePath: path)))
    }

    private func faults(_ bytes: [UInt8]) -> [String] {
        do throws(ProblemsError) {
            _ = try PackageArchive.read(bytes, name: "upload")
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test func readsAPackageInItsFolder() throws {
        let bytes = try zip(
            """
            z.writestr(entry('sums/', 0o040755), '')
            good()
            z.writestr('sums/.git/config', 'x')
            z.writestr('sums/.timelimit', '3\\n')
            z.writestr('sums/notes about it.txt', 'x')
            z.writestr('__MACOSX/sums/._problem.yaml', 'x')
            z.writestr('.DS_Store', 'x')
            """)
        let tree = try PackageArchive.read(bytes, name: "upload")
        #expect(tree.shortName == "sums")
        #expect(
            tree.files.keys.sorted() == [
                ".timelimit", "data/sample/1.ans", "data/sample/1.in", "data/secret/1.ans",
                "data/secret/1.in",
                "problem.yaml", "problem_statement/problem.en.md",
            ])
        #expect(try PackageParser.parse(tree).timeLimitMs == 3_000)
    }

    @Test func readsAPackageAtTheTop() throws {
        let tree = try PackageArchive.read(try zip("good('')"), name: "sums")
        #expect(tree.shortName == "sums")
        #expect(try PackageParser.parse(tree).title == "Sums")
    }

    @Test(arguments: [
        ("z.writestr('../evil', 'x')", ".. part"),
        ("z.writestr('sums/../../evil', 'x')", ".. part"),
        ("z.writestr('/etc/passwd', 'x')", "absolute"),
        ("z.writestr('sums//x', 'x')", "empty, . or .."),
        ("z.writestr('sums/./x', 'x')", "empty, . or .."),
        ("z.writestr('C:/x', 'x')", "drive letter"),
        ("z.writestr('sums/a\\\\b', 'x')", "backslash"),
        ("z.writestr('sums/a\\nb', 'x')", "control characters"),
        ("z.writestr(entry('sums/link', 0o120777), '/etc/passwd')", "symbolic link"),
        ("z.writestr(entry('sums/dev', 0o020666), '')", "device"),
        ("z.writestr(entry('sums/pipe', 0o010666), '')", "pipe"),
        ("z.writestr('sums/problem.yaml', 'name: x')", "twice"),
        ("z.writestr('sums/Problem.yaml', 'name: x')", "case only"),
        ("z.writestr('sums/DATA/secret/2.in', 'x')", "case only"),
        ("z.writestr('sums/data', 'x')", "a file and a folder"),
        ("z.writestr('sums/problem.yaml/x', 'x')", "a file and a folder"),
        ("z.writestr('sums/' + 'a/' * 40 + 'x', 'x')", "deeper than"),
        ("z.writestr('sums/' + 'a' * 300, 'x')", "name of more than"),
        ("z.writestr('sums/' + 'abcdefgh/' * 10 + 'a' * 1000, 'x')", "path of more than"),
        ("z.writestr('sums/zeros', bytes(60 << 20))", "times the zip file's size"),
        ("z.writestr('sums/zeros', bytes((100 << 20) + 1))", "times the zip file's size"),
        ("for i in range(12000): z.writestr(f'sums/f{i}', '')", "more than 10000"),
        ("for i in range(70000): z.writestr(f'sums/f{i}', '')", "more than 10000"),
    ])
    func refusesAttacks(script: String, part: String) throws {
        let found = faults(try zip("good()\n" + script))
        #expect(found.contains { $0.contains(part) }, "\(script): \(found)")
        #expect(!found.isEmpty)
    }

    @Test func listsEveryFault() throws {
        let found = faults(try zip("good()\nfor i in range(300): z.writestr(f'../{i}', '')"))
        #expect(found.count == 101)
    }

    @Test func refusesDamagedFiles() throws {
        var bytes = try zip("good()\nz.writestr('sums/big', bytes(range(256)) * 1000)")
        #expect(!faults([]).isEmpty)
        #expect(!faults(Array("no zip file at all".utf8)).isEmpty)
        #expect(!faults(Array(bytes.dropLast(30))).isEmpty)
        #expect(!faults([UInt8](repeating: 0, count: (64 << 20) + 1)).isEmpty)
        // A flipped bit in the content of the first file is seen by its checksum.
        bytes[50] ^= 0x10
        #expect(!faults(bytes).isEmpty)
    }

    /// Any damage gives a tree or a fault, never a crash.
    @Test func survivesRandomDamage() throws {
        let bytes = try zip("good()")
        var random = SeededGenerator()
        // A crash leaves no other trace of the seed.
        print("survivesRandomDamage: \(random)")
        for _ in 0..<2_000 * testScale {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
            }
            if let tree = try? PackageArchive.read(damaged, name: "upload") {
                _ = try? PackageParser.parse(tree)
            }
        }
    }

    @Test func refusesEncryptedEntries() throws {
        var bytes = try zip("good('')")
        // Sets the encryption bit in every local and central header.
        for index in 0..<bytes.count - 10 where bytes[index] == 0x50 && bytes[index + 1] == 0x4b {
            if bytes[index + 2] == 3 { bytes[index + 6] |= 1 }
            if bytes[index + 2] == 1 { bytes[index + 8] |= 1 }
        }
        #expect(faults(bytes).contains { $0.contains("encrypted") })
    }
}
