import Problems

/// Compiles a program once and runs it over a problem's tests.
public struct ProgramJudge: Sendable {
    /// A judgement, and why it is a judge error where it is one.
    public struct Outcome: Sendable, Equatable {
        public var judgement: Judgement
        public var fault: String?
    }

    /// A test was judged: its result, and how many were accepted so far.
    public typealias Progress = @Sendable (_ result: TestResult, _ passed: Int) async -> Void

    let executor: any ProgramExecutor
    private let tools: ToolCache
    private let now: @Sendable () -> Int64

    /// - Parameter tools: shared by all that judge the same problems.
    public init(
        executor: any ProgramExecutor, tools: ToolCache = ToolCache(), now: @escaping @Sendable () -> Int64
    ) {
        self.executor = executor
        self.tools = tools
        self.now = now
    }

    /// Judges one program: compiles it and, when that worked, grades it.
    ///
    /// - Parameters:
    ///   - budgetMs: wall-clock time for all of it; what is left bounds the next run, and a test for which none is left
    ///     is a time limit exceeded. Nil for no bound.
    ///   - onCompiled: called once when the program is ready to run.
    public func judge(
        _ problem: Problem, language: String, source: [UInt8], budgetMs: Int64? = nil,
        onCompiled: @Sendable () async -> Void = {}, onTest: Progress = { _, _ in }
    ) async -> Outcome {
        let endMs = budgetMs.map { now() + $0 }
        let preparation: Preparation
        if problem.kind.isSubmitAnswer, language == AnswerText.language {
            preparation = .ready(.answers(AnswerText(source)), compileOutput: "")
        } else {
            preparation = await prepare(
                ProgramLayout(executor.languages).submission(
                    language: language, source: source, includes: problem.includes),
                of: problem)
        }
        switch preparation {
        case .failed(let outcome): return outcome
        case .ready(let contestant, let compileOutput):
            await onCompiled()
            return await grade(
                contestant, on: problem, compileOutput: compileOutput, endMs: endMs, onTest: onTest)
        }
    }

    /// A submission that can be graded, or the outcome of one that cannot.
    enum Preparation {
        case ready(Contestant, compileOutput: String)
        case failed(Outcome)
    }

    func prepare(_ source: ProgramSource, of problem: Problem) async -> Preparation {
        let compiled = await executor.compile(
            language: source.language, source: source.source, files: source.files)
        let compileOutput = Self.compileOutput(compiled.execution)
        if let program = compiled.program {
            return .ready(
                .program(program, submitted: source.submitted), compileOutput: compileOutput)
        }
        let isOurFault = compiled.execution.end == .sandboxError
        let judgement = Judgement(
            verdict: isOurFault ? .judgeError : .compileError, score: 0, tests: [],
            testsTotal: problem.tests.count, compileOutput: compileOutput)
        return .failed(
            Outcome(judgement: judgement, fault: isOurFault ? compiled.execution.detail : nil))
    }

    /// Runs a submission over the tests that `Grader` asks for.
    func grade(
        _ contestant: Contestant, on problem: Problem, compileOutput: String, endMs: Int64? = nil,
        onTest: Progress = { _, _ in }
    ) async -> Outcome {
        var judgement = Judgement(
            verdict: .judgeError, score: 0, tests: [], testsTotal: problem.tests.count,
            compileOutput: compileOutput)
        let tests: TestJudge
        switch await testJudge(of: problem) {
        case .success(let ready): tests = ready
        case .failure(let fault): return Outcome(judgement: judgement, fault: fault.message)
        }
        var grader = Grader(problem)
        var passed = 0
        var fault: String?
        while true {
            switch grader.next() {
            case .done(let verdict, let score):
                judgement.verdict = verdict
                judgement.score = score
                return Outcome(judgement: judgement, fault: fault)
            case .grade(let results, let arguments):
                let graded = await askGrader(of: problem, results, arguments)
                fault = fault ?? graded.fault
                grader.recordGrade(graded.result)
            case .test(let index):
                guard problem.tests.indices.contains(index) else {
                    return Outcome(
                        judgement: judgement, fault: "the problem's groups name a test that it does not have")
                }
                let outcome = await tests.judge(
                    contestant, on: problem.tests[index], leftMs: endMs.map { $0 - now() })
                fault = fault ?? outcome.fault
                judgement.tests.append(outcome.result)
                if outcome.result.verdict == .accepted { passed += 1 }
                grader.record(outcome.result.verdict, score: outcome.result.score)
                await onTest(outcome.result, passed)
            }
        }
    }

    /// The judge of a problem's tests, its validators compiled.
    func testJudge(
        of problem: Problem, limits: ExecutionLimits? = nil
    ) async -> Result<TestJudge, ToolCache.Fault> {
        var validators: [CompiledProgram] = []
        for validator in problem.validators {
            switch await tools.compiled(validator, by: executor) {
            case .success(let program): validators.append(program)
            case .failure(let fault): return .failure(fault)
            }
        }
        var staticValidator: CompiledProgram?
        if let program = problem.staticValidator {
            switch await tools.compiled(program, by: executor) {
            case .success(let compiled): staticValidator = compiled
            case .failure(let fault): return .failure(fault)
            }
        }
        return .success(
            TestJudge(
                executor: executor, problem: problem, validators: validators,
                staticValidator: staticValidator,
                limits: limits ?? Self.limits(of: problem)))
    }

    /// Runs the package's grader: a line `AC 10` for each member, one such line back (legacy, "Graders").
    private func askGrader(
        of problem: Problem, _ results: [GroupResult], _ arguments: [String]
    ) async -> (result: GroupResult, fault: String?) {
        func failed(_ why: String) -> (GroupResult, String?) {
            (GroupResult(verdict: .judgeError, score: 0), "the grader \(why)")
        }
        guard let grader = problem.grader else { return failed("is missing") }
        var program: CompiledProgram
        switch await tools.compiled(grader, by: executor) {
        case .success(let compiled): program = compiled
        case .failure(let fault): return failed("cannot be used: \(fault.message)")
        }
        program.arguments = arguments
        let lines = results.map { "\(Self.graderCode($0.verdict)) \($0.score)\n" }.joined()
        let limits = ExecutionLimits(
            cpuTimeMs: Limits.graderCPUMs, wallTimeMs: 2 * Limits.graderCPUMs,
            memoryBytes: problem.validationLimits.memoryBytes, outputBytes: Limits.graderOutputBytes)
        let execution = await executor.run(program, standardInput: Array(lines.utf8), limits: limits)
        guard execution.verdict == .accepted else {
            return failed("ended with \(execution.verdict.rawValue) \(execution.detail)")
        }
        let words = String(decoding: execution.standardOutput, as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 2, let score = DecimalFloat.parse(words[1].utf8), score.isFinite,
            let verdict = Verdict(rawValue: words[0]), verdict != .judgeError
        else { return failed("said something that is no result") }
        return (GroupResult(verdict: verdict, score: score), nil)
    }

    /// Graders know four codes.
    private static func graderCode(_ verdict: Verdict) -> String {
        switch verdict {
        case .accepted: "AC"
        case .wrongAnswer, .outputLimitExceeded: "WA"
        case .timeLimitExceeded: "TLE"
        default: "RTE"
        }
    }

    /// Limits of each of a problem's runs.
    static func limits(of problem: Problem) -> ExecutionLimits {
        ExecutionLimits(
            cpuTimeMs: problem.timeLimitMs, wallTimeMs: 2 * problem.timeLimitMs + 1_000,
            memoryBytes: problem.memoryLimitBytes, outputBytes: problem.outputLimitBytes)
    }

    /// What the compiler said, errors first, cut to `Limits.compileOutputBytes`.
    static func compileOutput(_ execution: ExecutionResult) -> String {
        let bytes = execution.standardError + execution.standardOutput
        return String(decoding: bytes.prefix(Limits.compileOutputBytes), as: UTF8.self)
    }
}
