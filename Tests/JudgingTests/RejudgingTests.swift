import Judging
import Problems
import Testing

@Suite struct RejudgingTests {
    private let clock = TestClock()

    private func judgement(_ verdict: Verdict) -> Judgement {
        Judgement(
            verdict: verdict, score: verdict == .accepted ? 1 : 0, tests: [], testsTotal: 4, compileOutput: ""
        )
    }

    private func store(_ rows: [(id: String, source: String, verdict: Verdict)]) async
        -> MemorySubmissionStore
    {
        let store = MemorySubmissionStore()
        for row in rows {
            _ = await store.insert(
                Submission(
                    id: row.id, userID: "u", problemID: "sums", language: "python", source: row.source,
                    sha256: "", origin: nil, createdAtMs: 1))
            _ = await store.finish(row.id, judgement(row.verdict), atMs: 2)
        }
        return store
    }

    private func rejudging(_ store: MemorySubmissionStore, _ executor: ScriptedExecutor) -> Rejudging {
        let clock = clock
        return Rejudging(
            executor: executor, store: store,
            catalogue: ProblemCatalogue(store: MemoryProblemStore([tree()])),
            now: { clock.now }, newID: { "set" })
    }

    @Test("a set shows what would change, and writes it only when it is applied")
    func showsAndApplies() async throws {
        let store = await store([
            ("a", "* ok", .wrongAnswer), ("b", "2 wa\n* ok", .wrongAnswer), ("c", "* rte", .accepted),
            ("d", "* je", .accepted),
        ])
        let rejudging = rejudging(store, ScriptedExecutor(clock: clock))
        let id = try await rejudging.begin(problemID: "sums").id
        await rejudging.wait(for: id)
        let set = try #require(await rejudging.set(id))
        #expect(set.status == .ready && set.total == 4 && set.done == 4 && set.failed == 1)
        #expect(Set(set.differences.map(\.submissionID)) == ["a", "c"])
        #expect(await store.rows["a"]?.judgement?.verdict == .wrongAnswer)
        // One changes in between: it is left alone.
        _ = await store.replaceJudgement(
            "c", old: judgement(.accepted), new: judgement(.timeLimitExceeded), atMs: 3)
        #expect(try await rejudging.apply(id) == 1)
        #expect(await store.rows["a"]?.judgement?.verdict == .accepted)
        #expect(await store.rows["c"]?.judgement?.verdict == .timeLimitExceeded)
        #expect(await store.rows["d"]?.judgement?.verdict == .accepted)
        #expect(try await rejudging.apply(id) == nil)
    }

    @Test("a set is chosen by verdict, ended on request, and one at a time")
    func choosing() async throws {
        let gate = Gate(holding: ["* ok"])
        let store = await store([("a", "* ok", .wrongAnswer), ("b", "* ok", .timeLimitExceeded)])
        let rejudging = rejudging(store, ScriptedExecutor(clock: clock, gate: gate))
        let first = try await rejudging.begin(problemID: "sums", verdict: .timeLimitExceeded)
        #expect(first.total == 1)
        await #expect(throws: JudgingError.self) { try await rejudging.begin(problemID: "sums") }
        await gate.arrived("* ok")
        await rejudging.cancel(first.id)
        await gate.open("* ok")
        #expect(await rejudging.set(first.id)?.status == .cancelled)
        #expect(try await rejudging.apply(first.id) == nil)
        await #expect(throws: JudgingError.self) { try await rejudging.begin(problemID: "none") }
    }
}

extension MemorySubmissionStore: JudgementStore {
    func finished(to problemID: String, limit: Int) -> [Submission] {
        Array(rows.values.filter { $0.status == .finished }.sorted { $0.id < $1.id }.prefix(limit))
    }

    func replaceJudgement(_ id: String, old: Judgement, new: Judgement, atMs: Int64) -> Bool {
        guard rows[id]?.judgement == old else { return false }
        set(id, new)
        return true
    }
}
