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

    private let judge: ProgramJudge

    public init(executor: any ProgramExecutor, now: @escaping @Sendable () -> Int64) {
        judge = ProgramJudge(executor: executor, now: now)
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

    /// The program of a submission, as far as it can be judged here.
    enum Program {
        case source(Language, [UInt8])
        case unusable(String)
    }

    static func program(
        of submission: ExampleSubmission, languages: LanguageTable, installed: Set<String>
    ) -> Program {
        guard submission.files.count == 1, let (name, source) = submission.files.first else {
            return .unusable("programs of several files are not supported yet")
        }
        guard let language = languages.ofFile(name) else { return .unusable("its language is not known") }
        if language.id == "python", isPython2(source) { return .unusable("it is written in Python 2") }
        guard installed.contains(language.id) else {
            return .unusable("\(language.id) is not installed here")
        }
        return .source(language, source)
    }

    /// Python 2 and 3 share a suffix; the first line tells them apart (`^#!.*python2`).
    private static func isPython2(_ source: [UInt8]) -> Bool {
        let line = String(decoding: source.prefix { $0 != 0x0a }.prefix(1_000), as: UTF8.self)
        return line.hasPrefix("#!") && line.contains("python2")
    }

    private func check(
        _ submission: ExampleSubmission, of problem: Problem, installed: Set<String>, onProgress: Progress
    ) async -> SubmissionCheck {
        let path = "\(submission.folder)/\(submission.name)"
        guard let expectation = Expectation.of(folder: submission.folder, isScoring: problem.isScoring) else {
            return SubmissionCheck(path: path, outcome: .skipped("the folder promises no verdict we know"))
        }
        let languages = judge.executor.languages
        switch Self.program(of: submission, languages: languages, installed: installed) {
        case .unusable(let why): return SubmissionCheck(path: path, outcome: .skipped(why))
        case .source(let language, let source):
            let (judgement, fault) = await judgeAll(
                problem, language: language.id, source: source, expectation: expectation,
                onDone: { await onProgress(path, $0, problem.tests.count) })
            let violation = expectation.violation(
                by: judgement, verdicts: Set(judgement.tests.map(\.verdict)), maxScore: problem.maxScore)
            let detail = fault.map { ": \($0)" } ?? ""
            return SubmissionCheck(
                path: path, language: language.id,
                outcome: violation.map { .mismatch($0 + detail) } ?? .asExpected, judgement: judgement)
        }
    }

    /// Judges as for a contestant, and then, while the expectation could still be met, the tests that were left.
    private func judgeAll(
        _ problem: Problem, language: String, source: [UInt8], expectation: Expectation,
        onDone: @Sendable (Int) async -> Void
    ) async -> (Judgement, fault: String?) {
        await onDone(0)
        let compiled = await judge.executor.compile(language: language, source: source)
        let compileOutput = ProgramJudge.compileOutput(compiled.execution)
        guard let program = compiled.program else {
            let isOurFault = compiled.execution.end == .sandboxError
            let judgement = Judgement(
                verdict: isOurFault ? .judgeError : .compileError, score: 0, tests: [],
                testsTotal: problem.tests.count, compileOutput: compileOutput)
            return (judgement, isOurFault ? compiled.execution.detail : nil)
        }
        let counter = TestCounter()
        let outcome = await judge.grade(
            program, on: problem, compileOutput: compileOutput,
            onTest: { _, _ in await onDone(await counter.next()) })
        var judgement = outcome.judgement
        var fault = outcome.fault
        let judged = Set(judgement.tests.map(\.name))
        for test in problem.tests where !judged.contains(test.name) {
            guard expectation.isOpen(Set(judgement.tests.map(\.verdict))) else { break }
            let (result, detail) = await judge.run(program, on: test, of: problem)
            judgement.tests.append(result)
            fault = fault ?? detail
            await onDone(judgement.tests.count)
        }
        return (judgement, fault)
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
