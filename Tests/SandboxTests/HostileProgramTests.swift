import Foundation
import Judging
import Sandbox
import Testing

/// Everything that runs guests is in this suite and runs one test after another: the host is examined in
/// between.
@Suite(.serialized, .whereProgramsCanBeIsolated) struct HostileTests {}

extension HostileTests {
    @Suite(.serialized) struct Programs {
        @Test(
            "each hostile program gets its verdict and leaves nothing",
            arguments: HostileProgram.all(in: "run"))
        func run(_ hostile: HostileProgram) async throws {
            let sandbox = try Machine.sandbox()
            let compiled = await sandbox.compile(
                language: hostile.language, source: try Machine.source(hostile.path))
            let program = try #require(
                compiled.program, "\(String(decoding: compiled.execution.standardError, as: UTF8.self))")
            let result = await sandbox.run(
                program, standardInput: Array("input\n".utf8), limits: hostile.limits)
            try expect(result, of: hostile)
            #expect(Host.traces(of: sandbox) == [])
        }

        private func expect(_ result: ExecutionResult, of hostile: HostileProgram) throws {
            let output = String(decoding: result.standardOutput, as: UTF8.self)
            let error = String(decoding: result.standardError, as: UTF8.self)
            let seen: Comment = "\(result.end) \(result.detail) \(output.prefix(400)) \(error.prefix(400))"
            let weak = Machine.isStrong ? [] : hostile.expectedWeak
            #expect(hostile.expected.union(weak).contains(result.verdict.rawValue), seen)
            for text in hostile.says { #expect(output.contains(text), seen) }
            for text in hostile.lacks { #expect(!output.contains(text), seen) }
            if let code = hostile.exitCode { #expect(result.exitCode == code, seen) }
            if let signal = hostile.signal { #expect(result.signal == signal, seen) }
            if hostile.truncatesError {
                #expect(result.errorTruncated && result.standardError.count == 64 << 10)
            }
            #expect(result.standardOutput.count <= hostile.limits.outputBytes)
            #expect(result.wallTimeMs <= hostile.limits.wallTimeMs + 1_000, seen)
            if Machine.isStrong { #expect(result.cpuTimeMs <= hostile.limits.cpuTimeMs + 250, seen) }
        }
    }

    @Suite(.serialized) struct Compilers {
        @Test(
            "each compile bomb is a compile error and leaves nothing",
            arguments: HostileProgram.all(in: "compile"))
        func compile(_ hostile: HostileProgram) async throws {
            let sandbox = try Machine.sandbox()
            let compiled = await sandbox.compile(
                language: hostile.language, source: try Machine.source(hostile.path))
            let execution = compiled.execution
            let message = String(decoding: execution.standardError + execution.standardOutput, as: UTF8.self)
            #expect(compiled.program == nil)
            #expect(execution.end != .sandboxError, "\(execution.detail)")
            #expect(execution.standardError.count <= 64 << 10 && execution.standardOutput.count <= 64 << 10)
            #expect(execution.wallTimeMs <= 16_000)
            for text in hostile.lacks { #expect(!message.contains(text), "\(message.prefix(400))") }
            #expect(Host.traces(of: sandbox) == [])
        }
    }
}
