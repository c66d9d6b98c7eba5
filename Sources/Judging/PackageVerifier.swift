import Problems

/// What came of one submission of a package.
public struct SubmissionCheck: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        case asExpected
        case mismatch(String)
        /// Not judged, and no failure: why.
        case skipped(String)
    }

    /// `accepted/fast.py`.
    public var path: String
    public var language: String?
    public var outcome: Outcome
    /// Nil when skipped. Its tests are all that were run, also those after the verdict was clear.
    public var judgement: Judgement?
}

/// Judges a package's own submissions and compares the verdicts with the folders they lie in.
public struct PackageVerifier: Sendable {
    /// A submission is at work: how many of its tests are through.
    public typealias Progress = @Sendable (_ path: String, _ done: Int, _ total: Int) async -> Void

    let judge: ProgramJudge
    let now: @Sendable () -> Int64

    public init(executor: any ProgramExecutor, now: @escaping @Sendable () -> Int64) {
        judge = ProgramJudge(executor: executor, now: now)
        self.now = now
    }

    /// Checks all submissions, one after the other, so that they do not slow each other down.
    public func verify(
        _ problem: Problem, onProgress: Progress = { _, _, _ in },
        onCheck: @Sendable (SubmissionCheck) async -> Void = { _ in }
    ) async -> [SubmissionCheck] {
        let installed = Set(await judge.executor.installedLanguages())
        var checks: [SubmissionCheck] = []
        for submission in problem.submissions {
            let check = await check(submission, of: problem, installed: installed, onProgress: onProgress)
            checks.append(check)
            await onCheck(check)
        }
        return checks
    }

    /// A submission, as far as it can be judged here.
    enum Program {
        case program(ProgramSource)
        case answers(AnswerText)
        case unusable(String)

        var language: String? {
            switch self {
            case .program(let program): program.language
            case .answers: AnswerText.language
            case .unusable: nil
            }
        }
    }

    static func program(
        of submission: ExampleSubmission, problem: Problem, languages: LanguageTable, installed: Set<String>
    ) -> Program {
        if problem.kind.isSubmitAnswer, submission.files.keys.allSatisfy({ languages.ofFile($0) == nil }) {
            return .answers(AnswerText(files: submission.files))
        }
        do throws(UnusableProgram) {
            let program = try ProgramLayout(languages).submission(
                files: submission.files, includes: problem.includes)
            guard installed.contains(program.language) else {
                return .unusable("\(program.language) is not installed here")
            }
            guard languages.allows(program.language, in: problem) else {
                return .unusable("the problem does not allow \(program.language)")
            }
            return .program(program)
        } catch {
            return .unusable(error.reason)
        }
    }

    private func check(
        _ submission: ExampleSubmission, of problem: Problem, installed: Set<String>, onProgress: Progress
    ) async -> SubmissionCheck {
        let path = "\(submission.folder)/\(submission.name)"
        guard let expectation = Expectation.of(folder: submission.folder, isScoring: problem.isScoring) else {
            return SubmissionCheck(path: path, outcome: .skipped("the folder promises no verdict we know"))
        }
        let program = Self.program(
            of: submission, problem: problem, languages: judge.executor.languages, installed: installed)
        if case .unusable(let why) = program { return SubmissionCheck(path: path, outcome: .skipped(why)) }
        let (judgement, fault) = await judgeAll(
            problem, program, expectation: expectation,
            onDone: { await onProgress(path, $0, problem.tests.count) })
        let violation = expectation.violation(
            by: judgement, verdicts: Set(judgement.tests.map(\.verdict)), maxScore: problem.maxScore)
        let detail = fault.map { ": \($0)" } ?? ""
        return SubmissionCheck(
            path: path, language: program.language,
            outcome: violation.map { .mismatch($0 + detail) } ?? .asExpected, judgement: judgement)
    }

    /// Judges as for a contestant, and then, while the expectation could still be met, the tests that were left.
    private func judgeAll(
        _ problem: Problem, _ program: Program, expectation: Expectation,
        onDone: @Sendable (Int) async -> Void
    ) async -> (Judgement, fault: String?) {
        await onDone(0)
        let contestant: Contestant
        var compileOutput = ""
        switch await prepare(program, of: problem) {
        case .failed(let outcome): return (outcome.judgement, outcome.fault)
        case .ready(let ready, let output): (contestant, compileOutput) = (ready, output)
        }
        let counter = TestCounter()
        let outcome = await judge.grade(
            contestant, on: problem, compileOutput: compileOutput,
            onTest: { _, _ in await onDone(await counter.next()) })
        var judgement = outcome.judgement
        var fault = outcome.fault
        let judged = Set(judgement.tests.map(\.name))
        guard case .success(let tests) = await judge.testJudge(of: problem) else { return (judgement, fault) }
        for test in problem.tests where !judged.contains(test.name) {
            guard expectation.isOpen(Set(judgement.tests.map(\.verdict))) else { break }
            let outcome = await tests.judge(contestant, on: test, leftMs: nil)
            judgement.tests.append(outcome.result)
            fault = fault ?? outcome.fault
            await onDone(judgement.tests.count)
        }
        return (judgement, fault)
    }

    func prepare(_ program: Program, of problem: Problem) async -> ProgramJudge.Preparation {
        switch program {
        case .program(let source): return await judge.prepare(source, of: problem)
        case .answers(let answers): return .ready(.answers(answers), compileOutput: "")
        case .unusable(let why):
            let judgement = Judgement(
                verdict: .compileError, score: 0, tests: [], testsTotal: problem.tests.count,
                compileOutput: why)
            return .failed(ProgramJudge.Outcome(judgement: judgement, fault: nil))
        }
    }
}

/// Counts tests across the judge's callbacks.
private actor TestCounter {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}
