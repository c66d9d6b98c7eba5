import Judging
import Problems
import Testing

/// A service with everything around it in memory.
struct Judge {
    let clock: TestClock
    let executor: ScriptedExecutor
    let store: MemorySubmissionStore
    let reports = Reports()
    let service: JudgeService

    init(
        store: MemorySubmissionStore = MemorySubmissionStore(), problems: [PackageTree] = [tree()],
        workers: Int = 2, guestPlaces: GuestPlaces = .unlimited,
        judgeErrors: Int = 0, gate: Gate? = nil
    ) async {
        let clock = TestClock()
        self.clock = clock
        self.store = store
        executor = ScriptedExecutor(clock: clock, judgeErrors: judgeErrors, gate: gate)
        service = JudgeService(
            executor: executor, submissions: store,
            catalogue: ProblemCatalogue(store: MemoryProblemStore(problems)),
            workers: workers, guestPlaces: guestPlaces, now: { clock.now },
            newID: { "run-\(UInt64.random(in: 0...UInt64.max))" })
        let reports = reports
        await service.observe(
            onProgress: { submission, passed, total, status in
                await reports.add(progress: submission.id, passed, total, status, atMs: clock.now)
            },
            onFinished: { await reports.add($0) }, onFault: { await reports.add(fault: "\($0): \($1)") })
    }
}

@Suite(.timeLimit(.minutes(1))) struct JudgeServiceTests {
    @Test(arguments: [
        ("ok", Verdict.accepted, 4), ("2 wa", .wrongAnswer, 3), ("0 tle", .timeLimitExceeded, 1),
        ("3 mle", .memoryLimitExceeded, 4), ("1 ole", .outputLimitExceeded, 2), ("1 rte", .runTimeError, 2),
        ("broken", .compileError, 0),
    ])
    func judges(source: String, verdict: Verdict, tests: Int) async throws {
        let judge = await Judge()
        try await judge.service.submit(submission("s", source: source))
        await judge.reports.wait(for: 1)
        let stored = await judge.store.submission("s")
        #expect(stored?.status == .finished && stored?.attempts == 1)
        #expect(stored?.judgement?.verdict == verdict)
        #expect(stored?.judgement?.tests.count == tests)
        #expect(stored?.judgement?.testsTotal == 4)
        #expect(stored?.judgement?.score == (verdict == .accepted ? 1 : 0))
        #expect(await judge.reports.finished.first?.judgement == stored?.judgement)
        #expect(await judge.executor.compiled.count == 1)
        if verdict == .compileError { #expect(stored?.judgement?.compileOutput == "line 1: error") }
    }

    @Test func guestsDoNotTakeAllWorkers() async throws {
        let gate = Gate(holding: ["ok"])
        let places = GuestPlaces(count: 1) { $0.hasPrefix("guest") }
        let judge = await Judge(workers: 3, guestPlaces: places, gate: gate)
        for number in 0..<6 {
            try await judge.service.submit(submission("g\(number)", user: "guest\(number)"))
        }
        for number in 0..<2 {
            try await judge.service.submit(submission("u\(number)", user: "user\(number)"))
        }
        // Three workers: one for all guests, two for the others.
        while await judge.executor.running < 3 { await Task.yield() }
        #expect(await judge.service.load.running == 3)
        await gate.open("ok")
        await judge.reports.wait(for: 8)
        #expect(Set(await judge.reports.finished.prefix(3).map(\.id)).isSuperset(of: ["u0", "u1"]))
    }

    /// A job is counted at its end as it was at its beginning, also where its user is known as a guest only later.
    @Test func countsGuestsAlikeAtBothEnds() async throws {
        let gate = Gate(holding: ["first", "second", "other"])
        let known = TestClock()
        let begun = known.now
        let places = GuestPlaces(count: 1) { $0.hasPrefix("guest") && known.now > begun }
        let judge = await Judge(workers: 4, guestPlaces: places, gate: gate)
        try await judge.service.submit(submission("1", user: "guest1", source: "first"))
        await gate.arrived("first")
        known.advance(by: 1)
        try await judge.service.submit(submission("2", user: "guest1", source: "second"))
        await gate.arrived("second")
        try await judge.service.submit(submission("3", user: "guest2", source: "other"))
        await gate.open("first")
        await judge.reports.wait(for: 1)
        while await judge.service.load.running > 1 { await Task.yield() }
        // The one place for guests is still taken by the second.
        let load = await judge.service.load
        #expect(load.waiting == 1 && load.running == 1)
        await gate.open("second")
        await gate.arrived("other")
        await gate.open("other")
        await judge.reports.wait(for: 3)
    }

    @Test func givesTheProblemsLimits() async throws {
        let judge = await Judge(problems: [tree(yaml: "keywords: x")])
        try await judge.service.submit(submission("s"))
        await judge.reports.wait(for: 1)
        let limits = await judge.executor.runs.first?.limits
        #expect(limits?.cpuTimeMs == 1_050 && limits?.wallTimeMs == 3_000)
        #expect(limits?.memoryBytes == 1_024 << 20 && limits?.outputBytes == 8 << 20)
    }

    @Test func refusesWhatCannotBeJudged() async throws {
        let judge = await Judge(
            problems: [
                tree("sums", ["problem.yaml": "name: x\nlimits: {code: 1}\n"]),
                PackageTree(
                    shortName: "cpponly",
                    files: tree(
                        "cpponly",
                        [
                            "problem.yaml":
                                "problem_format_version: 2025-09\nuuid: x\nname: x\nlanguages: [cpp]\n",
                            "statement/problem.en.md": "x\n",
                        ]
                    ).files),
            ])
        func code(_ submission: Submission) async -> JudgingError.Code? {
            do throws(JudgingError) {
                try await judge.service.submit(submission)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(await code(submission("a", language: "cobol")) == .unknownLanguage)
        #expect(await code(submission("b", language: "java")) == .languageUnavailable)
        #expect(await code(submission("c", problem: "none")) == .problemNotFound)
        #expect(await code(submission("d", problem: "cpponly")) == .languageNotAllowed)
        #expect(await code(submission("e", source: String(repeating: "x", count: 1_025))) == .sourceTooLarge)
        #expect(await judge.store.rows.isEmpty)
    }

    /// Two workers: the submission that came first takes longer and ends later, with its own verdict.
    @Test func laterSubmissionsMayFinishFirst() async throws {
        let gate = Gate(holding: ["* ok slow"])
        let judge = await Judge(gate: gate)
        try await judge.service.submit(submission("first", user: "a", source: "* ok slow"))
        await gate.arrived("* ok slow")
        try await judge.service.submit(submission("second", user: "b", source: "ok"))
        await judge.reports.wait(for: 1)
        #expect(await judge.reports.finished.map(\.id) == ["second"])
        await gate.open("* ok slow")
        await judge.reports.wait(for: 2)
        #expect(await judge.reports.verdicts == ["first": .accepted, "second": .accepted])
    }

    @Test func triesOnceMoreAfterAJudgeError() async throws {
        let judge = await Judge(judgeErrors: 1)
        try await judge.service.submit(submission("s"))
        await judge.reports.wait(for: 1)
        #expect(await judge.store.submission("s")?.judgement?.verdict == .accepted)
        #expect(await judge.store.submission("s")?.attempts == 2)
        #expect(await judge.reports.faults == ["s: the helper went away"])
    }

    @Test(arguments: ["* je", "lost"]) func givesUpAfterTwoJudgeErrors(source: String) async throws {
        let judge = await Judge()
        try await judge.service.submit(submission("s", source: source))
        await judge.reports.wait(for: 1)
        #expect(await judge.store.submission("s")?.judgement?.verdict == .judgeError)
        #expect(await judge.store.submission("s")?.attempts == 2)
        #expect(await judge.reports.faults.count == 2)
    }

    @Test func takesUpWhatARestartLeft() async throws {
        var half = submission("half", attempts: 1)
        half.status = .running
        var done = submission("done")
        done.status = .finished
        done.judgement = Judgement(
            verdict: .wrongAnswer, score: 0, tests: [], testsTotal: 4, compileOutput: "")
        let poison = submission("poison", attempts: 4)
        let judge = await Judge(store: MemorySubmissionStore([submission("waiting"), half, done, poison]))
        try await judge.service.start()
        await judge.reports.wait(for: 3)
        #expect(
            await judge.reports.verdicts == ["waiting": .accepted, "half": .accepted, "poison": .judgeError])
        #expect(await judge.store.submission("done")?.judgement?.verdict == .wrongAnswer)
        #expect(await judge.store.submission("half")?.attempts == 2)
        #expect(await judge.executor.compiled.count == 2)
    }

    /// The same submission on two judges that share a store: both may judge it, one verdict is written and told.
    @Test func writesOneVerdictOnDoubleDelivery() async throws {
        let store = MemorySubmissionStore([submission("s", source: "held")])
        let firstGate = Gate(holding: ["held"])
        let secondGate = Gate(holding: ["held"])
        let first = await Judge(store: store, gate: firstGate)
        let second = await Judge(store: store, gate: secondGate)
        try await first.service.start()
        try await second.service.start()
        try await second.service.start()
        await firstGate.arrived("held")
        await secondGate.arrived("held")
        await firstGate.open("held")
        await first.reports.wait(for: 1)
        await secondGate.open("held")
        await second.service.stop()
        #expect(await first.reports.finished.count == 1)
        #expect(await second.reports.finished.isEmpty)
        #expect(await store.submission("s")?.judgement?.verdict == .accepted)
        // Delivered once more, it is not judged again.
        let compiled = await first.executor.compiled.count
        try await first.service.submit(submission("s", source: "held"))
        await first.service.stop()
        #expect(await first.executor.compiled.count == compiled)
    }

    @Test func takesTurnsBetweenUsers() async throws {
        let gate = Gate(holding: ["held"])
        let judge = await Judge(workers: 1, gate: gate)
        try await judge.service.submit(submission("hold", user: "z", source: "held"))
        await gate.arrived("held")
        for index in 0..<10 { try await judge.service.submit(submission("a\(index)", user: "a")) }
        for index in 0..<2 { try await judge.service.submit(submission("b\(index)", user: "b")) }
        try await judge.service.submit(submission("c0", user: "c"))
        await gate.open("held")
        await judge.reports.wait(for: 14)
        let order = await judge.reports.finished.map(\.id)
        #expect(Array(order.prefix(7)) == ["hold", "a0", "b0", "c0", "a1", "b1", "a2"])
    }

    @Test func givesOneUserTwoWorkersAtMost() async throws {
        let gate = Gate(holding: ["held"])
        let judge = await Judge(workers: 4, gate: gate)
        for index in 0..<5 {
            try await judge.service.submit(submission("a\(index)", user: "a", source: "held"))
        }
        await gate.arrived("held", times: 2)
        try await judge.service.submit(submission("b", user: "b"))
        await judge.reports.wait(for: 1)
        #expect(await judge.reports.finished.map(\.id) == ["b"])
        #expect(await judge.service.load.running == 2)
        await gate.open("held")
        await judge.reports.wait(for: 6)
        #expect(await judge.executor.mostRunning <= 3)
    }

    @Test func boundsTheQueue() async throws {
        let gate = Gate(holding: ["held"])
        let judge = await Judge(workers: 1, gate: gate)
        try await judge.service.submit(submission("hold", user: "z", source: "held"))
        await gate.arrived("held")
        for index in 0..<20 { try await judge.service.submit(submission("a\(index)", user: "a")) }
        await #expect(throws: JudgingError(.queueFull, "too many of your submissions wait already")) {
            try await judge.service.submit(submission("a20", user: "a"))
        }
        for index in 0..<980 {
            try await judge.service.submit(submission("b\(index)", user: "b\(index / 10)"))
        }
        await #expect(throws: JudgingError(.queueFull, "the judge has too much to do")) {
            try await judge.service.submit(submission("c", user: "c"))
        }
        #expect(await judge.store.submission("c") == nil)
        await gate.open("held")
        await judge.reports.wait(for: 1_001)
        try await judge.service.submit(submission("c", user: "c"))
        await judge.reports.wait(for: 1_002)
    }

    @Test func throttlesProgress() async throws {
        let judge = await Judge(problems: [tree(secretTests: 50)])
        try await judge.service.submit(submission("s", source: "* ok 60"))
        await judge.reports.wait(for: 1)
        let progress = await judge.reports.progress
        #expect(progress.first?.status == .compiling && progress.first?.total == 51)
        #expect(progress.dropFirst().allSatisfy { $0.status == .running })
        #expect(progress.count >= 10 && progress.count <= 14)
        for (before, after) in zip(progress, progress.dropFirst()) {
            #expect(after.atMs - before.atMs >= 250 && after.passed >= before.passed)
        }
    }

    /// A room's submission is judged for a minute at most; practice takes what its tests take.
    @Test func boundsTheTimeOfBattleSubmissions() async throws {
        let long = tree(secretTests: 50, ["problem.yaml": "name: x\nlimits: {time_limit: 10}\n"])
        let judge = await Judge(problems: [long])
        try await judge.service.submit(submission("battle", source: "* ok 7000", inRoom: true))
        await judge.reports.wait(for: 1)
        let battle = await judge.store.submission("battle")?.judgement
        #expect(battle?.verdict == .timeLimitExceeded && battle?.tests.count == 9)
        #expect(await judge.executor.runs.last?.limits.wallTimeMs == 4_000)
        try await judge.service.submit(submission("practice", source: "* ok 7000"))
        await judge.reports.wait(for: 2)
        #expect(await judge.store.submission("practice")?.judgement?.verdict == .accepted)
    }

    @Test func survivesAFailingStore() async throws {
        let judge = await Judge(store: MemorySubmissionStore(failures: 1))
        try await judge.service.submit(submission("s"))
        await judge.reports.wait(for: 1)
        #expect(await judge.reports.verdicts == ["s": .accepted])
        let broken = await Judge(store: MemorySubmissionStore(failures: 2))
        try await broken.service.submit(submission("s"))
        try await broken.service.submit(submission("t", user: "other"))
        await broken.service.stop()
        // What could not be judged is still there for the next start.
        #expect(await broken.store.unfinished().allSatisfy { $0.judgement == nil })
    }

    /// The end of the process takes the sandbox along: that is no verdict.
    @Test func writesNoJudgeErrorWhileStopping() async throws {
        let gate = Gate(holding: ["* je"])
        let judge = await Judge(workers: 1, gate: gate)
        try await judge.service.submit(submission("s", source: "* je"))
        await gate.arrived("* je")
        await judge.service.beginStopping()
        await gate.open("* je")
        await judge.service.stop()
        #expect(await judge.store.submission("s")?.judgement == nil)
        #expect(await judge.store.unfinished().map(\.id) == ["s"])
    }

    @Test func stopsAfterTheJobsInHand() async throws {
        let gate = Gate(holding: ["held"])
        let judge = await Judge(workers: 1, gate: gate)
        try await judge.service.submit(submission("running", source: "held"))
        try await judge.service.submit(submission("waiting", user: "b"))
        await gate.arrived("held")
        async let stopped: Void = judge.service.stop()
        for attempt in 0... {
            guard await (try? judge.service.submit(submission("late\(attempt)", user: "c"))) != nil else {
                break
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        await gate.open("held")
        await stopped
        #expect(await judge.store.submission("running")?.status == .finished)
        #expect(await judge.store.submission("waiting")?.status == .queued)
        await #expect(throws: JudgingError.self) {
            try await judge.service.submit(submission("later", user: "d"))
        }
    }
}
