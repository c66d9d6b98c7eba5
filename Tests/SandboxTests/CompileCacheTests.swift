import Foundation
import Judging
import Sandbox
import Testing

extension GuestTests {
    @Suite(.serialized) struct CompileCaches {
        private let sum = Array(
            "#include <stdio.h>\nint main(void) { int a, b; scanf(\"%d %d\", &a, &b); printf(\"%d\\n\", a + b); }"
                .utf8)

        private func time(_ body: () async -> CompileResult) async -> (result: CompileResult, ms: Double) {
            let begin = DispatchTime.now().uptimeNanoseconds
            let result = await body()
            return (result, Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e6)
        }

        @Test("the same source is compiled once, a changed one again")
        func compiledOnce() async throws {
            let sandbox = try Machine.startSandbox(slots: 1)
            defer { sandbox.stop() }
            let (first, firstMs) = await time {
                await sandbox.compile(language: "c", source: sum, files: [:])
            }
            let (again, againMs) = await time {
                await sandbox.compile(language: "c", source: sum, files: [:])
            }
            #expect(first == again && first.program != nil)
            #expect(againMs < firstMs / 4, "\(firstMs) ms, then \(againMs) ms")
            let changed = sum + Array("\n".utf8)
            let (other, otherMs) = await time {
                await sandbox.compile(language: "c", source: changed, files: [:])
            }
            #expect(other.program != nil && otherMs > againMs * 4, "\(otherMs) ms")
        }

        @Test("the language and the files beside a source tell it apart")
        func toldApart() async throws {
            let sandbox = try Machine.sandbox()
            let source = Array("#include \"value.h\"\nint main() { return VALUE; }".utf8)
            let limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 5_000, memoryBytes: 64 << 20)
            for value in [3, 4, 3] {
                for language in ["c", "cpp"] {
                    let files = ["value.h": Array("#define VALUE \(value)\n".utf8)]
                    let compiled = await sandbox.compile(language: language, source: source, files: files)
                    let program = try #require(compiled.program)
                    #expect(program.language == language)
                    let result = await sandbox.run(program, standardInput: [], limits: limits)
                    #expect(result.exitCode == Int32(value))
                }
            }
        }

        @Test("a refusal of the compiler is kept, a failure of the sandbox is not")
        func refusals() async throws {
            let sandbox = try Machine.startSandbox(slots: 1)
            let broken = Array("int main(void) { return }".utf8)
            let first = await sandbox.compile(language: "c", source: broken, files: [:])
            let again = await sandbox.compile(language: "c", source: broken, files: [:])
            #expect(first == again && first.program == nil && first.execution.end == .exited)
            sandbox.stop()
            #expect(
                await sandbox.compile(language: "c", source: sum, files: [:]).execution.end == .sandboxError)
            // What was compiled before is still known.
            #expect(await sandbox.compile(language: "c", source: broken, files: [:]) == first)
        }

        @Test("a program that was changed in memory is not taken for the one before")
        func changedInMemory() async throws {
            let sandbox = try Machine.sandbox()
            let limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 5_000, memoryBytes: 256 << 20)
            var program = CompiledProgram(language: "python", artefact: Array("print(1)".utf8))
            for digit in ["1", "2", "3"] {
                program.artefact[6] = try #require(digit.utf8.first)
                let result = await sandbox.run(program, standardInput: [], limits: limits)
                #expect(String(decoding: result.standardOutput, as: UTF8.self) == digit + "\n")
            }
        }
    }
}
