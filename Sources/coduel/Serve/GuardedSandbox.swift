import Judging
import Sandbox
import Traces

/// The sandbox as the server's judge uses it. Where there is none, or its helper died, nobody pays with a verdict for
/// our own fault: calls that ask for judging are refused (503), and what was taken before waits for the next start.
struct GuardedSandbox: ProgramExecutor {
    let sandbox: Sandbox?
    /// Why programs are not judged here; nil when they are.
    let refusal: String?

    var isUsable: Bool { refusal == nil && sandbox?.isAlive == true }

    /// - Throws: `JudgingError.unavailable` while nothing is judged here.
    func requireUsable() throws(JudgingError) {
        guard isUsable else {
            throw JudgingError(.unavailable, refusal ?? "the sandbox helper has ended; restart the server")
        }
    }

    let languages: LanguageTable
    var tracer = Tracer.off

    func languageReports() async -> [LanguageReport] {
        if let sandbox, isUsable { return await sandbox.languageReports() }
        return languages.all.map { LanguageReport(language: $0, version: nil, unavailable: reason) }
    }

    func installedLanguages() async -> [String] { sandbox?.installedLanguages() ?? [] }

    func compile(language: String, source: [UInt8], files: [String: [UInt8]]) async -> CompileResult {
        guard let sandbox else {
            return CompileResult(program: nil, execution: ExecutionResult(end: .sandboxError, detail: reason))
        }
        let result = await tracer.span(
            "compile \(language)", attributes: ["coduel.language": .text(language)]
        ) { span in
            let result = await sandbox.compile(language: language, source: source, files: files)
            span?.describe(result.execution)
            return result
        }
        await holdIfDead(result.execution)
        return result
    }

    func run(
        _ program: CompiledProgram, standardInput: [UInt8], limits: ExecutionLimits
    ) async -> ExecutionResult {
        guard let sandbox else { return ExecutionResult(end: .sandboxError, detail: reason) }
        let language = program.language
        let result = await tracer.span(
            "run \(language)", attributes: ["coduel.language": .text(language)]
        ) { span in
            let result = await sandbox.run(program, standardInput: standardInput, limits: limits)
            span?.describe(result)
            return result
        }
        await holdIfDead(result)
        return result
    }

    func validate(
        _ call: ValidatorCall, output: [UInt8], limits: ExecutionLimits
    ) async -> ValidatorResult {
        guard let sandbox else { return failedValidator }
        let result = await tracer.span("validate") { span in
            let result = await sandbox.validate(call, output: output, limits: limits)
            span?.describe(result.execution)
            return result
        }
        await holdIfDead(result.execution)
        return result
    }

    func interact(
        _ program: CompiledProgram, limits: ExecutionLimits, with call: ValidatorCall,
        validatorLimits: ExecutionLimits
    ) async -> Interaction {
        guard let sandbox else {
            return Interaction(
                submission: failedValidator.execution, validator: failedValidator, validatorEndedFirst: false)
        }
        let language = program.language
        let result = await tracer.span(
            "interact \(language)", attributes: ["coduel.language": .text(language)]
        ) { span in
            let result = await sandbox.interact(
                program, limits: limits, with: call, validatorLimits: validatorLimits)
            span?.describe(result.submission)
            return result
        }
        await holdIfDead(result.submission)
        await holdIfDead(result.validator.execution)
        return result
    }

    private var failedValidator: ValidatorResult {
        ValidatorResult(execution: ExecutionResult(end: .sandboxError, detail: reason))
    }

    private var reason: String { refusal ?? "there is no sandbox" }

    /// A job whose helper died under it keeps its place until the process ends, and is judged again by the next.
    private func holdIfDead(_ result: ExecutionResult) async {
        guard result.end == .sandboxError, sandbox?.isAlive == false else { return }
        while !Task.isCancelled { try? await Task.sleep(for: Self.holdInterval) }
    }

    private static let holdInterval = Duration.seconds(60)
}

extension OpenSpan {
    /// How a program ended, without a word of what it wrote.
    fileprivate mutating func describe(_ execution: ExecutionResult) {
        self["coduel.execution.verdict"] = .text(execution.verdict.rawValue)
        self["coduel.execution.cpu_time_ms"] = .integer(Int64(execution.cpuTimeMs))
        self["coduel.execution.wall_time_ms"] = .integer(Int64(execution.wallTimeMs))
        self["coduel.execution.memory_bytes"] = .integer(execution.memoryBytes)
        if execution.end == .sandboxError { fail("the sandbox failed") }
    }
}
