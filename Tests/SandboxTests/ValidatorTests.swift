import Judging
import Sandbox
import Testing

extension GuestTests {
    @Suite(.serialized) struct Validators {
        private let limits = ExecutionLimits(cpuTimeMs: 2_000, wallTimeMs: 4_000, memoryBytes: 256 << 20)

        private func program(
            _ language: String, _ source: String, files: [String: String] = [:], in sandbox: Sandbox
        ) async throws -> CompiledProgram {
            let compiled = await sandbox.compile(
                language: language, source: Array(source.utf8),
                files: files.mapValues { Array($0.utf8) })
            return try #require(
                compiled.program, "\(String(decoding: compiled.execution.standardError, as: UTF8.self))")
        }

        private func call(
            _ program: CompiledProgram, arguments: [String] = [], feedback: [String: [UInt8]] = [:]
        ) -> ValidatorCall {
            ValidatorCall(
                program: program,
                subject: .output(input: Array("the input\n".utf8), answer: Array("the answer\n".utf8)),
                arguments: arguments, feedback: feedback, feedbackBytes: 1 << 20)
        }

        @Test("a program finds its files, also those it is compiled with, and its arguments")
        func filesAndArguments() async throws {
            let sandbox = try Machine.sandbox()
            var python = try await program(
                "python", "import sys, pack.part\nprint(pack.part.value, sys.argv[1:], open('a.txt').read())",
                files: ["pack/part.py": "value = 7", "a.txt": "text"], in: sandbox)
            python.arguments = ["one", "two words", ""]
            let result = await sandbox.run(python, standardInput: [], limits: limits)
            #expect(
                String(decoding: result.standardOutput, as: UTF8.self) == "7 ['one', 'two words', ''] text\n",
                "\(result)")
            let native = try await program(
                "cpp", "#include \"value.h\"\n#include <cstdio>\nint main() { printf(\"%d\\n\", value); }",
                files: ["value.h": "const int value = 9;"], in: sandbox)
            let other = await sandbox.run(native, standardInput: [], limits: limits)
            #expect(String(decoding: other.standardOutput, as: UTF8.self) == "9\n", "\(other)")
        }

        @Test(
            "a validator reads the test, and its exit code and feedback come back", arguments: [42, 43, 0, 7])
        func validates(code: Int32) async throws {
            let sandbox = try Machine.sandbox()
            let source = """
                #include <cstdio>
                #include <cstdlib>
                #include <cstring>
                #include <string>
                int main(int count, char **arguments) {
                    char text[100] = "";
                    for (int i = 1; i <= 2; i++) {
                        FILE *file = fopen(arguments[i], "r");
                        if (!file || !fgets(text + strlen(text), 50, file)) return 1;
                    }
                    std::string folder = arguments[3];
                    FILE *message = fopen((folder + "judgemessage.txt").c_str(), "a");
                    fprintf(message, "%s%s %d", text, arguments[4], getchar());
                    fclose(message);
                    return atoi(arguments[4]);
                }
                """
            let validator = try await program("cpp", source, in: sandbox)
            let result = await sandbox.validate(
                call(
                    validator, arguments: ["\(code)"], feedback: ["judgemessage.txt": Array("before ".utf8)]),
                output: Array("A".utf8), limits: limits)
            #expect(result.exitCode == code, "\(result)")
            let message = result.feedback["judgemessage.txt"].map { String(decoding: $0, as: UTF8.self) }
            #expect(message == "before the input\nthe answer\n\(code) 65", "\(result)")
        }

        @Test(
            "a static validator stands among the submission's files, its own lie elsewhere",
            arguments: ["python", "cpp"])
        func readsSubmission(language: String) async throws {
            let sandbox = try Machine.sandbox()
            let sources = [
                "python": """
                import os, sys, rules
                found = sorted(os.listdir('.')) + [open('main.py').read(), os.getcwd()] + sys.argv[1:]
                open(sys.argv[3] + 'judgemessage.txt', 'w').write('|'.join(found))
                sys.exit(rules.verdict)
                """,
                "cpp": """
                #include "rules.h"
                #include <filesystem>
                #include <fstream>
                #include <set>
                #include <string>
                int main(int count, char **arguments) {
                    std::set<std::string> names;
                    for (auto &entry : std::filesystem::directory_iterator("."))
                        names.insert(entry.path().filename());
                    std::ofstream message(std::string(arguments[3]) + "judgemessage.txt");
                    for (auto &name : names) message << name << '|';
                    std::ifstream source("main.py");
                    std::string line;
                    std::getline(source, line);
                    message << line << '|' << std::filesystem::current_path().string();
                    for (int i = 1; i < count; i++) message << '|' << arguments[i];
                    message.close();
                    return verdict;
                }
                """,
            ]
            let validator = try await program(
                language, try #require(sources[language]),
                files: ["rules.py": "verdict = 43", "rules.h": "const int verdict = 43;"], in: sandbox)
            let submitted = SubmittedFiles(
                languageCode: "python3", entryPoint: "main.py",
                files: ["main.py": Array("print(1)".utf8), "lib/a.txt": Array("a".utf8)])
            let result = await sandbox.validate(
                ValidatorCall(
                    program: validator, subject: .submission(submitted), arguments: ["x y"],
                    feedbackBytes: 1 << 20),
                output: [], limits: limits)
            #expect(result.exitCode == 43, "\(result)")
            #expect(
                result.feedback["judgemessage.txt"].map { String(decoding: $0, as: UTF8.self) }
                    == "lib|main.py|print(1)|/box/tmp/submission|python3|main.py|/box/tmp/feedback/|x y")
        }

        @Test(
            "a validator that crashes, writes too much or never ends has no exit code",
            arguments: [
                "import os; os.kill(os.getpid(), 11)",
                "import sys; open(sys.argv[3] + 'big', 'w').write('x' * (2 << 20)); sys.exit(42)",
                "while True: pass",
                "import os; os.kill(os.getppid(), 9); os._exit(42)",
                "import os, sys; os.mkdir('report'); sys.exit(42)",
            ])
        func failing(source: String) async throws {
            let sandbox = try Machine.sandbox()
            let validator = try await program("python", source, in: sandbox)
            let result = await sandbox.validate(call(validator), output: [], limits: limits)
            #expect(result.exitCode == nil, "\(result)")
            #expect(result.execution.end != .sandboxError, "\(result)")
        }

        @Test("feedback that is no plain file is left out")
        func links() async throws {
            let sandbox = try Machine.sandbox()
            let source = """
                import os, sys
                folder = sys.argv[3]
                os.symlink('/usr/bin/python3', folder + 'teammessage.txt')
                os.mkfifo(folder + 'score.txt')
                os.mkdir(folder + 'nextpass.in')
                open(folder + 'judgemessage.txt', 'w').write('kept')
                sys.exit(43)
                """
            let validator = try await program("python", source, in: sandbox)
            let result = await sandbox.validate(call(validator), output: [], limits: limits)
            #expect(result.exitCode == 43)
            #expect(result.feedback == ["judgemessage.txt": Array("kept".utf8)], "\(result)")
        }

        private static let adder = """
            import sys
            for line in sys.stdin:
                print(int(line) + 1, flush=True)
            """
        private static let asker = """
            import os, sys
            number = 1
            for turn in range(100):
                try: print(number, flush=True)
                except BrokenPipeError: pass
                line = sys.stdin.readline()
                if line.strip() != str(number + 1):
                    open(sys.argv[3] + 'judgemessage.txt', 'w').write('got ' + repr(line))
                    os._exit(43)
                number += 1
            sys.exit(42)
            """

        @Test("a program and a validator talk, and each sees the other's end")
        func talk() async throws {
            let sandbox = try Machine.sandbox()
            let asker = try await program("python", Self.asker, in: sandbox)
            let adder = try await program("python", Self.adder, in: sandbox)
            let good = await sandbox.interact(
                adder, limits: limits, with: call(asker), validatorLimits: limits)
            #expect(good.validator.exitCode == 42, "\(good)")
            #expect(good.submission.end == .exited && good.submission.exitCode == 0, "\(good)")
            #expect(good.validatorEndedFirst)
            let quitter = try await program("python", "print(int(input()) + 1, flush=True)", in: sandbox)
            let early = await sandbox.interact(
                quitter, limits: limits, with: call(asker), validatorLimits: limits)
            #expect(early.validator.exitCode == 43, "\(early)")
            #expect(early.validator.feedback["judgemessage.txt"] == Array("got ''".utf8))
            #expect(!early.validatorEndedFirst)
            #expect(early.submission.wallTimeMs < 2_000)
        }

        @Test("two that wait for each other, or flood each other, are ended")
        func deadlock() async throws {
            let sandbox = try Machine.sandbox()
            var short = limits
            short.wallTimeMs = 700
            let waits = try await program("python", "input()", in: sandbox)
            let asker = try await program("python", "import sys; sys.stdin.read(); sys.exit(43)", in: sandbox)
            let waiting = await sandbox.interact(
                waits, limits: short, with: call(asker), validatorLimits: limits)
            #expect(waiting.submission.end == .wallTimeLimit, "\(waiting)")
            #expect(waiting.validator.exitCode == 43, "\(waiting)")
            let flood = try await program(
                "c", "#include <stdio.h>\nint main(void) { for (;;) puts(\"yes\"); }", in: sandbox)
            let flooded = await sandbox.interact(
                flood, limits: short, with: call(asker), validatorLimits: limits)
            #expect(flooded.submission.end == .outputLimit, "\(flooded)")
            let leaves = try await program("python", "import sys; sys.exit(43)", in: sandbox)
            let left = await sandbox.interact(
                flood, limits: limits, with: call(leaves), validatorLimits: limits)
            #expect(left.submission.end == .signalled && left.submission.signal == 13, "\(left)")
            #expect(left.validatorEndedFirst && left.validator.exitCode == 43)
        }

        @Test("a program that lets go of its output while it waits is noticed")
        func halfClosed() async throws {
            let sandbox = try Machine.sandbox()
            let closes = try await program(
                "python", "import os\nos.close(1)\nos.read(0, 10)", in: sandbox)
            let reads = try await program(
                "python", "import sys; sys.stdin.read(); sys.exit(43)", in: sandbox)
            let result = await sandbox.interact(
                closes, limits: limits, with: call(reads), validatorLimits: limits)
            #expect(result.validator.exitCode == 43, "\(result)")
            #expect(result.submission.end == .exited && result.submission.wallTimeMs < 2_000, "\(result)")
        }

        @Test("pairs and single runs share two slots without standing still")
        func sharing() async throws {
            let sandbox = try Machine.startSandbox(slots: 2)
            defer { sandbox.stop() }
            let asker = try await program("python", Self.asker, in: sandbox)
            let adder = try await program("python", Self.adder, in: sandbox)
            let limits = limits
            let validator = call(asker)
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        await sandbox.interact(
                            adder, limits: limits, with: validator, validatorLimits: limits
                        )
                        .validator.exitCode == 42
                    }
                    group.addTask {
                        await sandbox.run(adder, standardInput: Array("1\n".utf8), limits: limits)
                            .verdict == .accepted
                    }
                }
                for await isGood in group { #expect(isGood) }
            }
        }
    }
}
