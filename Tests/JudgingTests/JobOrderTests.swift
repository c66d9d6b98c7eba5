import Judging
import Problems
import Testing

/// Which jobs come first, what watchers hear, and what a suspicious time is worth.
@Suite struct JobOrderTests {
    private let clock = TestClock()

    private func submission(_ id: String, user: String, source: String, isBattle: Bool = false) -> Submission
    {
        Submission(
            id: id, userID: user, problemID: "sums", language: "python", source: source, sha256: "",
            origin: isBattle ? SubmissionOrigin(roomID: "r", document: "d", file: "f", sequence: 1) : nil,
            createdAtMs: clock.now)
    }

    private func service(
        _ executor: ScriptedExecutor, _ reports: Reports, workers: Int = 1
    ) async -> JudgeService {
        let clock = clock
        let service = JudgeService(
            executor: executor, submissions: MemorySubmissionStore(),
            catalogue: ProblemCatalogue(store: MemoryProblemStore([tree(secretTests: 1)])), workers: workers,
            now: { clock.now }, newID: { "run" })
        await service.observe(onFinished: { await reports.add($0) })
        return service
    }

    @Test("a battle's submission overtakes practice, but not for ever")
    func battlesFirst() async throws {
        let gate = Gate(holding: ["hold"])
        let executor = ScriptedExecutor(clock: clock, gate: gate)
        let reports = Reports()
        let service = await service(executor, reports)
        try await service.submit(submission("held", user: "h", source: "hold"))
        await gate.arrived("hold")
        try await service.submit(submission("practice", user: "p", source: "* ok"))
        for index in 0..<12 {
            try await service.submit(
                submission("battle\(index)", user: "b\(index)", source: "* ok", isBattle: true))
        }
        await gate.open("hold")
        await reports.wait(for: 14)
        let order = await reports.finished.map(\.id)
        #expect(order.first == "held")
        let place = try #require(order.firstIndex(of: "practice"))
        #expect(place == Limits.jobsBeforeLower + 1, "\(order)")
    }

    @Test("watchers hear of every test, and of the end")
    func watching() async throws {
        let gate = Gate(holding: ["1 wa\n* ok"])
        let executor = ScriptedExecutor(clock: clock, gate: gate)
        let reports = Reports()
        let service = await service(executor, reports)
        let news = try #require(service.watches.watch("s"))
        try await service.submit(submission("s", user: "u", source: "1 wa\n* ok"))
        await gate.open("1 wa\n* ok")
        var heard: [String] = []
        for await item in news {
            switch item {
            case .status(let status): heard.append(status.rawValue)
            case .test(let result, let passed, let total):
                heard.append("\(result.name) \(result.verdict.rawValue) \(passed)/\(total)")
            }
        }
        #expect(heard == ["compiling", "running", "sample/0 AC 1/2", "secret/1 WA 1/2"])
        #expect(service.watches.watch("s") != nil, "watching what is over is no error")
        await service.beginStopping()
        #expect(service.watches.watch("s") == nil)
    }

    @Test("streams are bounded for one submission, and their places come back")
    func watchBounds() async throws {
        let watches = SubmissionWatches()
        var streams = (0..<Limits.watchesPerSubmission).map { _ in watches.watch("a") }
        #expect(streams.allSatisfy { $0 != nil } && watches.watch("a") == nil)
        #expect(watches.watch("b") != nil)
        streams.removeAll()
        #expect(watches.watch("a") != nil)
    }

    /// Time limit 1,000 ms: a run goes on for 50 ms more.
    @Test(
        "a run that ends just beyond its limit is run once more",
        arguments: [
            ("* ok 1000", Verdict.accepted, 2), ("* ok 1030", .timeLimitExceeded, 2),
            ("* tle", .timeLimitExceeded, 1),
            ("* wall", .timeLimitExceeded, 1), ("* once=1030", .accepted, 3),
            ("* once=2000", .timeLimitExceeded, 1),
        ])
    func suspicious(source: String, verdict: Verdict, runs: Int) async throws {
        let executor = ScriptedExecutor(clock: clock)
        let clock = clock
        let judge = ProgramJudge(executor: executor, now: { clock.now })
        let outcome = await judge.judge(
            try problem(tree(secretTests: 1)), language: "python", source: Array(source.utf8))
        #expect(outcome.judgement.verdict == verdict, "\(outcome)")
        #expect(await executor.runs.count == runs)
    }
}
