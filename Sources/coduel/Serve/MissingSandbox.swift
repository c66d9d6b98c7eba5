import Judging

/// Stands where the sandbox could not be started: nothing is installed, nothing runs.
struct MissingSandbox: ProgramExecutor {
    let reason: String

    func installedLanguages() async -> [String] { [] }

    func compile(language: String, source: [UInt8]) async -> CompileResult {
        CompileResult(program: nil, execution: ExecutionResult(end: .sandboxError, detail: reason))
    }

    func run(
        _ program: CompiledProgram, standardInput: [UInt8], limits: ExecutionLimits
    ) async -> ExecutionResult {
        ExecutionResult(end: .sandboxError, detail: reason)
    }
}
