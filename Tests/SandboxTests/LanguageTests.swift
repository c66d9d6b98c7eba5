import Foundation
import Judging
import Sandbox
import Testing

extension GuestTests {
    /// The languages that come with the server, where their tools are installed. A machine that lacks one says so
    /// in the output of this suite; `script/bootstrap --test` installs all but Swift's.
    @Suite(.serialized) struct LanguageTools {
        private static let sums: [(language: String, source: String)] = [
            (
                "c",
                "#include <stdio.h>\nint main(void) { int a, b; scanf(\"%d %d\", &a, &b); printf(\"%d\\n\", a + b); }"
            ),
            (
                "cpp",
                "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << '\\n'; }"
            ),
            ("python", "print(sum(map(int, input().split())))"),
            (
                "javascript",
                "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number); console.log(a + b)"
            ),
            (
                "java",
                """
                import java.util.Scanner;
                public class Sum {
                    public static void main(String[] arguments) {
                        var input = new Scanner(System.in);
                        System.out.println(input.nextInt() + input.nextInt());
                    }
                }
                """
            ),
            (
                "java",
                """
                record Pair(int a, int b) { int sum() { return a + b; } }
                class Main {
                    public static void main(String[] arguments) throws Exception {
                        var words = new java.io.BufferedReader(new java.io.InputStreamReader(System.in)).readLine()
                            .split(" ");
                        System.out.println(new Pair(Integer.parseInt(words[0]), Integer.parseInt(words[1])).sum());
                    }
                }
                """
            ),
            (
                "java",
                """
                /* The name stands where a simple search does not find it. */
                @Deprecated public
                class Hidden { public static void main(String[] a) { System.out.println(42); } }
                """
            ),
            (
                "rust",
                """
                fn main() {
                    let mut line = String::new();
                    std::io::stdin().read_line(&mut line).unwrap();
                    println!("{}", line.split_whitespace().map(|word| word.parse::<i32>().unwrap()).sum::<i32>());
                }
                """
            ),
            (
                "go",
                "package main\nimport \"fmt\"\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a + b) }"
            ),
            (
                "swift",
                "print(readLine()!.split(separator: \" \").map { Int($0)! }.reduce(0, +))"
            ),
            (
                "swift",
                "import Foundation\nprint(String(format: \"%d\", readLine()!.split(separator: \" \").map { Int($0)! }.reduce(0, +)))"
            ),
        ]

        @Test("every language reads its input and writes its output", arguments: sums)
        func sum(language: String, source: String) async throws {
            let sandbox = try Machine.sandbox()
            guard sandbox.installedLanguages().contains(language) else {
                let report = await sandbox.languageReports().first { $0.language.id == language }
                return print("SKIPPED: \(language) is not tested here: \(report?.unavailable ?? "unknown")")
            }
            let compiled = await sandbox.compile(language: language, source: Array(source.utf8))
            let program = try #require(
                compiled.program,
                "\(compiled.execution.end) \(compiled.execution.detail) \(String(decoding: compiled.execution.standardError, as: UTF8.self))"
            )
            let limits = ExecutionLimits(cpuTimeMs: 3_000, wallTimeMs: 10_000, memoryBytes: 256 << 20)
            let result = await sandbox.run(program, standardInput: Array("20 22\n".utf8), limits: limits)
            #expect(
                result.verdict == .accepted,
                "\(result) \(String(decoding: result.standardError, as: UTF8.self))")
            #expect(String(decoding: result.standardOutput, as: UTF8.self) == "42\n")
            #expect(Set(["pid-namespace", "seccomp", "private-root"]).isSubset(of: result.layers))
        }
    }
}

@Suite struct LanguageFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "languages-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")

    /// What a folder with this one file makes of the languages.
    private func load(_ content: String) throws -> Languages {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(content.utf8).write(to: folder.appendingPathComponent("own.json"))
        chmod(folder.path, 0o755)
        chmod(folder.appendingPathComponent("own.json").path, 0o644)
        return try Languages(folders: [folder.path])
    }

    private let perl = """
        {"id": "perl", "name": "Perl", "file": "main.pl", "suffixes": ["pl"], "aliases": ["perl"],
         "tools": ["/usr/bin/perl"], "compile": ["{tool}", "-c", "main.pl"], "run": ["{tool}", "main.pl"],
         "version": ["{tool}", "--version"], "memory": "address-space", "processes": 32}
        """

    @Test("the eight languages of the contract come with the server, in its order")
    func bundled() throws {
        let table = try Languages().table
        #expect(
            table.all.map(\.id) == ["c", "cpp", "python", "javascript", "java", "rust", "go", "swift"])
        #expect(
            table.all.map(\.fileName) == [
                "main.c", "main.cpp", "main.py", "main.js", "main.java", "main.rs", "main.go", "main.swift",
            ])
        #expect(table.named("python3")?.id == "python" && table.named("cobol") == nil)
        #expect(table.ofFile("a/b.CC")?.id == "cpp" && table.ofFile("Makefile") == nil)
    }

    @Test("an operator adds a language with a file, and guests run it")
    func added() async throws {
        let languages = try load(perl)
        #expect(languages.table.all.last?.id == "perl" && languages.table.all.count == 9)
        guard Machine.canIsolate, access("/usr/bin/perl", X_OK) == 0 else { return }
        let sandbox = try Sandbox.start(
            helperPath: Machine.helperPath, slots: 1, languages: languages, allowWeakIsolation: true)
        defer { sandbox.stop() }
        let compiled = await sandbox.compile(
            language: "perl", source: Array("my ($a, $b) = split / /, <STDIN>; print $a + $b;".utf8))
        let program = try #require(compiled.program, "\(compiled.execution)")
        let limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 5_000, memoryBytes: 64 << 20)
        let result = await sandbox.run(program, standardInput: Array("40 2\n".utf8), limits: limits)
        #expect(result.standardOutput == Array("42".utf8), "\(result)")
    }

    @Test("an operator's file with a known id replaces it in its place")
    func replaced() throws {
        let languages = try load(perl.replacing("\"perl\", \"name\"", with: "\"c\", \"name\""))
        #expect(languages.table.all.count == 8 && languages.table.all[0].name == "Perl")
    }

    @Test("an operator gives a language more time and memory")
    func factors() throws {
        let text = perl.replacing(
            "\"processes\": 32", with: "\"processes\": 32, \"time_factor\": 2.5, \"memory_factor\": 2")
        let table = try load(text).table
        #expect(table.named("perl").map { [$0.timeFactor, $0.memoryFactor] } == [2.5, 2])
        // Those that come with the server change nothing of what a problem says.
        #expect(try Languages().table.all.allSatisfy { $0.timeFactor == 1 && $0.memoryFactor == 1 })
    }

    @Test("a tool that is missing is a reason, not an error")
    func missingTool() async throws {
        let languages = try load(perl.replacing("/usr/bin/perl", with: "/usr/bin/no-such-perl"))
        guard Machine.canIsolate else { return }
        let sandbox = try Sandbox.start(
            helperPath: Machine.helperPath, slots: 1, languages: languages, allowWeakIsolation: true)
        defer { sandbox.stop() }
        #expect(!sandbox.installedLanguages().contains("perl"))
        let report = try #require(await sandbox.languageReports().last)
        #expect(report.unavailable?.contains("/usr/bin/no-such-perl") == true && report.version == nil)
        let refused = await sandbox.compile(language: "perl", source: [])
        #expect(refused.execution.end == .sandboxError)
    }

    @Test(
        "what is wrong with a file is told by its key",
        arguments: [
            ("\"processes\": 32", "\"processes\": 32, \"colour\": 1", "\"colour\""),
            (", \"processes\": 32", "", "\"processes\""),
            ("\"perl\", \"name\"", "\"Perl 5\", \"name\"", "\"id\""),
            ("\"main.pl\", \"suffixes\"", "\"../main.pl\", \"suffixes\"", "\"file\""),
            ("[\"/usr/bin/perl\"]", "[\"perl\"]", "absolute path"),
            ("[\"/usr/bin/perl\"]", "[\"/usr/../root/perl\"]", "absolute path"),
            ("[\"{tool}\", \"main.pl\"]", "[\"sh\"]", "a command starts with"),
            ("\"address-space\"", "\"none\"", "\"memory\""),
            ("\"processes\": 32", "\"processes\": 100000", "\"processes\""),
            ("\"processes\": 32", "\"processes\": 32, \"time_factor\": 0.5", "\"time_factor\" is 1 to 10"),
            ("\"processes\": 32", "\"processes\": 32, \"memory_factor\": 11", "\"memory_factor\" is 1"),
            ("\"processes\": 32", "\"processes\": 32, \"time_factor\": \"2\"", "\"time_factor\""),
        ])
    func faults(old: String, new: String, told: String) throws {
        let error = #expect(throws: SandboxError.self) { try load(perl.replacing(old, with: new)) }
        #expect(error?.message.contains(told) == true, "\(String(describing: error))")
    }

    @Test("a file that others may write is refused")
    func writable() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("own.json")
        try Data(perl.utf8).write(to: file)
        chmod(folder.path, 0o755)
        chmod(file.path, 0o666)
        #expect(throws: SandboxError.self) { try Languages(folders: [folder.path]) }
        chmod(file.path, 0o644)
        chmod(folder.path, 0o777)
        #expect(throws: SandboxError.self) { try Languages(folders: [folder.path]) }
        #expect(throws: Never.self) { try Languages(folders: ["/nonexistent"]) }
    }
}
