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
    private let now: @Sendable () -> Int64

    public init(executor: any ProgramExecutor, now: @escaping @Sendable () -> Int64) {
        self.executor = executor
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
        let compiled = await executor.compile(language: language, source: source)
        guard let program = compiled.program else {
            let isOurFault = compiled.execution.end == .sandboxError
            let judgement = Judgement(
                verdict: isOurFault ? .judgeError : .compileError, score: 0, tests: [],
                testsTotal: problem.tests.count, compileOutput: Self.compileOutput(compiled.execution))
            return Outcome(judgement: judgement, fault: isOurFault ? compiled.execution.detail : nil)
        }
        await onCompiled()
        return await grade(
            program, on: problem, compileOutput: Self.compileOutput(compiled.execution), endMs: endMs,
            onTest: onTest)
    }

    /// Runs a compiled program over the tests that `Grader` asks for.
    ///
    /// Of a run the sandbox decides CPU time, wall time (twice the CPU limit and a second), memory, output and crash,
    /// in this order; a run that ended well is compared with the answer.
    func grade(
        _ program: CompiledProgram, on problem: Problem, compileOutput: String, endMs: Int64? = nil,
        onTest: Progress = { _, _ in }
    ) async -> Outcome {
        var judgement = Judgement(
            verdict: .judgeError, score: 0, tests: [], testsTotal: problem.tests.count,
            compileOutput: compileOutput)
        var grader = Grader(problem)
        var passed = 0
        var fault: String?
        while case .test(let index) = grader.next(), problem.tests.indices.contains(index) {
            let left = endMs.map { $0 - now() }
            let (result, detail) = await run(program, on: problem.tests[index], of: problem, leftMs: left)
            fault = fault ?? detail
            judgement.tests.append(result)
            if result.verdict == .accepted { passed += 1 }
            grader.record(result.verdict)
            await onTest(result, passed)
        }
        guard case .done(let verdict, let score) = grader.next() else {
            return Outcome(
                judgement: judgement, fault: "the problem's groups name a test that it does not have")
        }
        judgement.verdict = verdict
        judgement.score = score
        return Outcome(judgement: judgement, fault: fault)
    }

    /// Runs one test. The second value says why it is a judge error where it is one.
    func run(
        _ program: CompiledProgram, on test: TestCase, of problem: Problem, leftMs: Int64? = nil
    ) async -> (TestResult, String?) {
        var limits = Self.limits(of: problem)
        if let leftMs {
            guard leftMs > 0 else {
                let unrun = TestResult(
                    name: test.name, verdict: .timeLimitExceeded, cpuTimeMs: 0, wallTimeMs: 0, memoryBytes: 0)
                return (unrun, nil)
            }
            limits.wallTimeMs = Int(min(Int64(limits.wallTimeMs), leftMs))
        }
        let execution = await executor.run(program, standardInput: test.input, limits: limits)
        var verdict = execution.verdict
        if verdict == .accepted,
            OutputComparer.mismatch(
                output: execution.standardOutput, answer: test.answer, flags: test.validator) != nil
        {
            verdict = .wrongAnswer
        }
        let result = TestResult(
            name: test.name, verdict: verdict, cpuTimeMs: execution.cpuTimeMs,
            wallTimeMs: execution.wallTimeMs,
            memoryBytes: execution.memoryBytes)
        return (result, verdict == .judgeError ? execution.detail : nil)
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
