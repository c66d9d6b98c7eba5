import Problems

/// A time limit that the package does not state, measured with its own accepted submissions (2025-09, "Problem timing").
public struct TimeLimitMeasurement: Sendable, Equatable {
    public var limitMs: Int
    /// The slowest accepted run it comes from, divided by its language's factor.
    public var slowestMs: Int
    public var slowestSubmission: String
}

extension PackageVerifier {
    /// Measures the accepted submissions that can be judged here, one run after the other. Nil when the package states a
    /// limit, when none of them could be measured within `Limits.measuringBudgetMs`, or when they are too slow for any
    /// limit a package may have.
    public func measureTimeLimit(
        of problem: Problem, onProgress: Progress = { _, _, _ in }
    ) async -> TimeLimitMeasurement? {
        guard problem.timeLimitSource == .assumed else { return nil }
        var limits = ProgramJudge.limits(of: problem)
        limits.cpuTimeMs = Limits.measuringCPUMs
        limits.wallTimeMs = 2 * Limits.measuringCPUMs
        guard case .success(let tests) = await judge.testJudge(of: problem, limits: limits) else {
            return nil
        }
        let installed = Set(await judge.executor.installedLanguages())
        let endMs = now() + Limits.measuringBudgetMs
        var slowest: (ms: Int, path: String)?
        for submission in problem.submissions where submission.folder == "accepted" {
            let path = "\(submission.folder)/\(submission.name)"
            let program = Self.program(
                of: submission, problem: problem, languages: judge.executor.languages, installed: installed)
            guard case .ready(let contestant, _) = await prepare(program, of: problem),
                let ms = await slowestRun(
                    of: contestant, problem, tests, endMs: endMs,
                    onDone: { await onProgress(path, $0, problem.tests.count) })
            else { continue }
            let factor = program.language.flatMap { judge.executor.languages.named($0)?.timeFactor } ?? 1
            let own = Int((Double(ms) / factor).rounded(.up))
            if own > slowest?.ms ?? -1 { slowest = (own, path) }
        }
        guard let slowest, let limit = problem.timing.limitMs(slowestAcceptedMs: slowest.ms) else {
            return nil
        }
        return TimeLimitMeasurement(
            limitMs: limit, slowestMs: slowest.ms, slowestSubmission: slowest.path)
    }

    /// Nil when a test is not accepted, or there is no time left.
    private func slowestRun(
        of contestant: Contestant, _ problem: Problem, _ tests: TestJudge, endMs: Int64,
        onDone: @Sendable (Int) async -> Void
    ) async -> Int? {
        var slowest = 0
        for (index, test) in problem.tests.enumerated() {
            let outcome = await tests.judge(contestant, on: test, leftMs: endMs - now())
            guard outcome.result.verdict == .accepted else { return nil }
            slowest = max(slowest, outcome.result.cpuTimeMs)
            await onDone(index + 1)
        }
        return slowest
    }
}
