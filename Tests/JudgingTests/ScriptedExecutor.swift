import Judging

/// An executor whose programs do what their source says, one line a rule: `INPUT ACTION [MS]`; `*` is any input.
/// Actions: `ok` (echoes the input), `say=A_B` (prints `A B`), `wa`, `tle`, `wall`, `mle`, `ole`, `rte`, `pipe`
/// (SIGPIPE), `je`, `once=MS` (takes that long the first time, and 1 ms then). The first rule that fits counts; without
/// one the program echoes. A source that begins with `broken` does not compile, one with `lost` fails the sandbox.
/// A validator's source has lines `OUTPUT CODE [FILE=TEXT …]`, the first that fits the output it judges counts; without
/// one it exits with 1; with `wall` for CODE it takes for ever. In an interaction that output is what the program makes of the input.
/// Each run takes its MS of the test's clock, or of real time with `sleeps`.
actor ScriptedExecutor: ProgramExecutor {
    private(set) var compiled: [String] = []
    private(set) var runs: [(source: String, input: String, limits: ExecutionLimits)] = []
    private(set) var validations: [ValidatorCall] = []
    private(set) var validationLimits: [ExecutionLimits] = []
    private(set) var running = 0
    private(set) var mostRunning = 0
    /// Judge errors to give before runs work.
    private var judgeErrors: Int
    private let installed: [String]
    nonisolated let languages = LanguageTable.test
    private let clock: TestClock
    private var gate: Gate?
    /// What every validator says to everybody.
    private let message: [UInt8]?

    init(
        clock: TestClock, installed: [String] = ["python", "cpp"], judgeErrors: Int = 0, gate: Gate? = nil,
        message: [UInt8]? = nil
    ) {
        self.message = message
        self.clock = clock
        self.installed = installed
        self.judgeErrors = judgeErrors
        self.gate = gate
    }

    func installedLanguages() -> [String] { installed }

    func compile(language: String, source: [UInt8], files: [String: [UInt8]]) async -> CompileResult {
        let text = String(decoding: source, as: UTF8.self)
        compiled.append(text)
        if text.hasPrefix("broken") {
            let execution = ExecutionResult(
                end: .exited, exitCode: 1, standardError: Array("line 1: error".utf8))
            return CompileResult(program: nil, execution: execution)
        }
        if text.hasPrefix("lost") {
            return CompileResult(
                program: nil, execution: ExecutionResult(end: .sandboxError, detail: "no sandbox"))
        }
        return CompileResult(
            program: CompiledProgram(language: language, artefact: source, files: files),
            execution: ExecutionResult(end: .exited, exitCode: 0))
    }

    func run(_ program: CompiledProgram, standardInput: [UInt8], limits: ExecutionLimits) async
        -> ExecutionResult
    {
        let source = String(decoding: program.artefact, as: UTF8.self)
        let input = String(decoding: standardInput, as: UTF8.self).filter { !$0.isWhitespace }
        runs.append((source, input, limits))
        running += 1
        mostRunning = max(mostRunning, running)
        defer { running -= 1 }
        await gate?.pass(source)
        if judgeErrors > 0 {
            judgeErrors -= 1
            return ExecutionResult(end: .sandboxError, detail: "the helper went away")
        }
        var action = "ok"
        var milliseconds = 1
        for line in source.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, words[0] == "*" || words[0] == input else { continue }
            action = String(words[1])
            if words.count > 2, let time = Int(words[2]) { milliseconds = time }
            break
        }
        if action.hasPrefix("once="), let time = Int(action.dropFirst(5)) {
            milliseconds = runs.count == 1 ? time : 1
        }
        clock.advance(by: Int64(min(milliseconds, limits.wallTimeMs)))
        return result(action, milliseconds, input: standardInput, limits: limits)
    }

    func validate(
        _ call: ValidatorCall, output: [UInt8], limits: ExecutionLimits
    ) async -> ValidatorResult {
        validations.append(call)
        validationLimits.append(limits)
        let judged = String(decoding: output, as: UTF8.self).filter { !$0.isWhitespace }
        let exited = ExecutionResult(end: .exited, exitCode: 0)
        for line in String(decoding: call.program.artefact, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, words[0] == "*" || words[0] == judged else { continue }
            if words[1] == "wall" {
                return ValidatorResult(execution: ExecutionResult(end: .wallTimeLimit), exitCode: nil)
            }
            var result = ValidatorResult(
                execution: exited, exitCode: Int32(words[1]), feedback: call.feedback)
            if let message {
                result.feedback["teammessage.txt"] = message
                result.feedback["judgemessage.txt"] = message
            }
            for file in words.dropFirst(2) {
                let parts = file.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                result.feedback[String(parts[0]), default: []] += Array(parts[1].utf8)
            }
            return result
        }
        return ValidatorResult(execution: exited, exitCode: 1)
    }

    func interact(
        _ program: CompiledProgram, limits: ExecutionLimits, with call: ValidatorCall,
        validatorLimits: ExecutionLimits
    ) async -> Interaction {
        var input: [UInt8] = []
        if case .output(let ofTest, _) = call.subject { input = ofTest }
        let execution = await run(program, standardInput: input, limits: limits)
        let source = String(decoding: program.artefact, as: UTF8.self)
        return Interaction(
            submission: execution,
            validator: await validate(call, output: execution.standardOutput, limits: validatorLimits),
            validatorEndedFirst: source.contains("late"))
    }

    private func result(_ action: String, _ ms: Int, input: [UInt8], limits: ExecutionLimits)
        -> ExecutionResult
    {
        if ms > limits.wallTimeMs {
            return ExecutionResult(end: .wallTimeLimit, wallTimeMs: limits.wallTimeMs)
        }
        if action.hasPrefix("say=") {
            let text = action.dropFirst(4).map { $0 == "_" ? " " : $0 }
            return ExecutionResult(
                end: .exited, exitCode: 0, cpuTimeMs: ms, standardOutput: Array(String(text).utf8))
        }
        if ms > limits.cpuTimeMs { return ExecutionResult(end: .cpuTimeLimit, cpuTimeMs: limits.cpuTimeMs) }
        switch action {
        case "wa":
            return ExecutionResult(
                end: .exited, exitCode: 0, cpuTimeMs: ms, standardOutput: Array("wrong".utf8))
        case "tle": return ExecutionResult(end: .cpuTimeLimit, cpuTimeMs: limits.cpuTimeMs)
        case "wall": return ExecutionResult(end: .wallTimeLimit, wallTimeMs: limits.wallTimeMs)
        case "pipe": return ExecutionResult(end: .signalled, signal: 13)
        case "mle": return ExecutionResult(end: .memoryLimit)
        case "ole": return ExecutionResult(end: .outputLimit, outputTruncated: true)
        case "rte": return ExecutionResult(end: .exited, exitCode: 1)
        case "je": return ExecutionResult(end: .sandboxError, detail: "scripted")
        default: return ExecutionResult(end: .exited, exitCode: 0, cpuTimeMs: ms, standardOutput: input)
        }
    }
}

extension LanguageTable {
    /// A few of those that the server brings.
    static let test = LanguageTable([
        Language(
            id: "cpp", name: "C++", fileName: "main.cpp", suffixes: ["cpp", "cc"], aliases: ["cpp"]),
        Language(
            id: "python", name: "Python 3", fileName: "main.py", suffixes: ["py", "py3"],
            aliases: ["python3"]),
        Language(
            id: "javascript", name: "JavaScript", fileName: "main.js", suffixes: ["js"],
            aliases: ["javascript"]),
        Language(
            id: "java", name: "Java", fileName: "main.java", suffixes: ["java"], aliases: ["java"],
            timeFactor: 2, memoryFactor: 1.5),
        Language(id: "rust", name: "Rust", fileName: "main.rs", suffixes: ["rs"], aliases: ["rust"]),
    ])
}
