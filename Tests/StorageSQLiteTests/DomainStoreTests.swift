import Judging
import Matchmaking
import Problems
import StorageSQLite
import Testing

@Suite struct ProblemStoreTests {
    private let scratch = Scratch()
    private let store: ProblemStoreSQLite

    init() throws {
        store = ProblemStoreSQLite(try scratch.open())
    }

    private func summary(
        _ id: String, title: String = "Title", difficulty: Int = 5, topics: [String] = [],
        published: Bool = true
    ) -> ProblemSummary {
        ProblemSummary(
            id: id, title: title, difficulty: difficulty, topics: topics, published: published, updatedAtMs: 7
        )
    }

    @Test func keepsAPackage() async throws {
        let tree = PackageTree(
            shortName: "hello",
            files: ["problem.yaml": Array("a".utf8), "data/secret/1.in": [0, 255, 10], "empty": []])
        try await store.save(summary("hello", topics: ["b", "a", "b"]), tree: tree)
        #expect(try await store.tree("hello") == tree)
        #expect(try await store.problem("hello") == summary("hello", topics: ["b", "a", "b"]))
        #expect(try await store.tree("other") == nil)
        #expect(try await store.problem("other") == nil)

        let smaller = PackageTree(shortName: "hello", files: ["problem.yaml": []])
        try await store.save(summary("hello", title: "New", topics: ["c"]), tree: smaller)
        #expect(try await store.tree("hello") == smaller)
        #expect(try await store.count() == 1)
        #expect(try await store.problems(matching: ProblemQuery(topic: "a")).isEmpty)
        #expect(try await store.problems(matching: ProblemQuery(topic: "c")).map(\.title) == ["New"])
    }

    @Test func selectsAndPages() async throws {
        for index in 0..<25 {
            let id = "p" + (index < 10 ? "0" : "") + String(index)
            try await store.save(
                summary(
                    id, title: index == 3 ? "Größe 100%_x" : "Plain \(index)", difficulty: index % 5,
                    topics: index.isMultiple(of: 2) ? ["even"] : ["odd"], published: index != 24),
                tree: PackageTree(shortName: id, files: [:]))
        }
        var seen: [String] = []
        var cursor: String?
        repeat {
            let page = try await store.problems(matching: ProblemQuery(cursor: cursor, limit: 7))
            seen += page.map(\.id)
            cursor = page.last?.id
        } while cursor != nil
        #expect(seen.count == 24 && seen == seen.sorted())
        #expect(try await store.problems(matching: ProblemQuery(publishedOnly: false)).count == 25)
        #expect(try await store.problems(matching: ProblemQuery(topic: "odd", difficulty: 1)).count == 3)
        for text in ["größe", "GRÖßE", "0%_", "P03"] {
            #expect(try await store.problems(matching: ProblemQuery(text: text)).map(\.id) == ["p03"])
        }
        #expect(try await store.problems(matching: ProblemQuery(text: "%")).map(\.id) == ["p03"])
        #expect(try await store.problems(matching: ProblemQuery(text: "' OR 1=1 --")).isEmpty)
        #expect(try await store.problems(matching: ProblemQuery(limit: -1)).isEmpty)
        #expect(try await store.problems(matching: ProblemQuery(limit: .max)).count == 24)
        #expect(try await store.count() == 25)
    }
}

@Suite struct SubmissionStoreTests {
    private let scratch = Scratch()
    private let store: SubmissionStoreSQLite

    init() throws {
        store = SubmissionStoreSQLite(try scratch.open())
    }

    private func submission(_ id: String, user: String = "u", problem: String = "p") -> Submission {
        Submission(
            id: id, userID: user, problemID: problem, language: "python", source: "print(1)\u{0}\né",
            sha256: "ab",
            origin: SubmissionOrigin(roomID: "r", document: "main", file: "main.py", sequence: 9),
            createdAtMs: 5)
    }

    private var judgement: Judgement {
        Judgement(
            verdict: .wrongAnswer, score: 0.5,
            tests: [
                TestResult(name: "sample/1", verdict: .accepted, cpuTimeMs: 1, wallTimeMs: 2, memoryBytes: 3)
            ],
            testsTotal: 2, compileOutput: "nul \u{0} and 'quotes'")
    }

    @Test func keepsASubmissionToItsEnd() async throws {
        let first = submission("1")
        #expect(try await store.insert(first))
        var changed = first
        changed.source = "other"
        #expect(try await !store.insert(changed))
        #expect(try await store.submission("1") == first)

        try await store.advance("1", to: .compiling, beginsAttempt: true)
        try await store.advance("1", to: .running, beginsAttempt: false)
        #expect(try await store.submission("1")?.status == .running)
        #expect(try await store.submission("1")?.attempts == 1)
        #expect(
            await code { try await store.advance("1", to: .finished, beginsAttempt: false) } == .invalidValue)

        #expect(try await store.finish("1", judgement, atMs: 99))
        let done = try #require(try await store.submission("1"))
        #expect(done.judgement == judgement && done.status == .finished && done.finishedAtMs == 99)
        // A second delivery changes nothing.
        try await store.advance("1", to: .running, beginsAttempt: true)
        #expect(try await store.submission("1") == done)
        #expect(try await !store.finish("none", judgement, atMs: 1))
    }

    @Test func isFinishedOnce() async throws {
        _ = try await store.insert(submission("1"))
        let store = store
        let judgement = judgement
        let won = try await successes(of: 30) { index in
            var own = judgement
            own.score = Double(index)
            return try await store.finish("1", own, atMs: Int64(index))
        }
        #expect(won == 1)
        let done = try #require(try await store.submission("1"))
        #expect(done.judgement.map { Int64($0.score) } == done.finishedAtMs)
    }

    @Test func isInsertedOnce() async throws {
        let store = store
        let one = submission("1")
        #expect(try await successes(of: 30) { _ in try await store.insert(one) } == 1)
    }

    @Test func listsTheUnfinishedOldestFirst() async throws {
        for index in [3, 1, 2] {
            var submission = submission("\(index)")
            submission.createdAtMs = Int64(index)
            _ = try await store.insert(submission)
        }
        _ = try await store.finish("2", judgement, atMs: 1)
        #expect(try await store.unfinished().map(\.id) == ["1", "3"])
    }

    @Test func listsNewestFirst() async throws {
        for index in 10..<30 {
            _ = try await store.insert(
                submission(
                    "\(index)", user: index.isMultiple(of: 2) ? "even" : "odd", problem: "p\(index % 3)"))
        }
        let first = try await store.submissions(of: "even", limit: 4)
        #expect(first.map(\.id) == ["28", "26", "24", "22"])
        #expect(try await store.submissions(of: "even", before: "22", limit: 2).map(\.id) == ["20", "18"])
        #expect(try await store.submissions(of: "odd", to: "p0", limit: 100).map(\.id) == ["27", "21", "15"])
        #expect(try await store.submissions(to: "p1", limit: 2).map(\.id) == ["28", "25"])
        #expect(try await store.submissions(limit: -3).isEmpty)
    }

    @Test func aScoreThatIsNoNumberIsRefused() async throws {
        _ = try await store.insert(submission("1"))
        var odd = judgement
        odd.score = .nan
        #expect(await code { try await store.finish("1", odd, atMs: 1) } == .invalidValue)
        #expect(try await store.submission("1")?.judgement == nil)
    }
}

@Suite struct MatchmakingStoreTests {
    private let scratch = Scratch()
    private let store: MatchmakingStoreSQLite

    init() throws {
        store = MatchmakingStoreSQLite(try scratch.open())
    }

    private func ticket(_ id: String, atMs: Int64 = 1) -> Ticket {
        Ticket(
            id: id, userID: "u\(id)", handle: "h", mode: .duel, languages: ["python", "c"], topics: [],
            rated: true,
            watch: .closed, rating: Rating(rating: 1500, deviation: 350, volatility: 0.06), createdAtMs: atMs)
    }

    @Test func keepsTickets() async throws {
        try await store.save(ticket("a", atMs: 2))
        try await store.save(ticket("b", atMs: 1))
        #expect(try await store.ticket("a") == ticket("a", atMs: 2))
        #expect(try await store.waitingTickets().map(\.id) == ["b", "a"])
        #expect(try await store.end("a", as: .cancelled))
        #expect(try await !store.end("a", as: .expired))
        #expect(try await !store.end("none", as: .expired))
        #expect(try await store.ticket("a")?.status == .cancelled)
        #expect(try await store.ticket("none") == nil)
    }

    @Test func matchesAllOrNone() async throws {
        for id in ["a", "b", "c"] { try await store.save(ticket(id)) }
        #expect(try await store.markMatched(["a", "b"], roomID: "r1"))
        #expect(try await store.ticket("a")?.roomID == "r1")
        #expect(try await !store.markMatched(["b", "c"], roomID: "r2"))
        #expect(try await !store.markMatched(["c", "none"], roomID: "r2"))
        #expect(try await store.waitingTickets().map(\.id) == ["c"])
        #expect(try await !store.end("a", as: .cancelled))
    }

    @Test func aTicketIsMatchedOnce() async throws {
        for id in 0..<12 { try await store.save(ticket("\(id)")) }
        let store = store
        let won = try await successes(of: 11) { index in
            try await store.markMatched(["0", "\(index + 1)"], roomID: "r\(index)")
        }
        #expect(won == 1)
        #expect(try await store.waitingTickets().count == 10)
    }

    @Test func aBattleIsSettledOnce() async throws {
        let store = store
        let won = try await successes(of: 20) { index in
            let rating = Rating(
                rating: Double(index), deviation: 1, volatility: 0.06, updatedAtMs: Int64(index))
            return try await store.settle(battleID: "b", mode: .duel, ratings: ["x": rating, "y": rating])
        }
        #expect(won == 1)
        let x = try #require(try await store.rating(of: "x", mode: .duel))
        #expect(try await store.rating(of: "y", mode: .duel) == x)
        #expect(Int64(x.rating) == x.updatedAtMs)
        #expect(try await store.rating(of: "x", mode: .pair) == nil)
        #expect(try await store.rating(of: "z", mode: .duel) == nil)
    }

    @Test func aRatingThatIsNoNumberSettlesNothing() async throws {
        let good = Rating(rating: 1, deviation: 1, volatility: 1)
        let bad = Rating(rating: .nan, deviation: 1, volatility: 1)
        #expect(
            await code {
                try await store.settle(battleID: "b", mode: .duel, ratings: ["x": good, "y": bad])
            } == .invalidValue)
        #expect(try await store.rating(of: "x", mode: .duel) == nil)
        #expect(try await store.settle(battleID: "b", mode: .duel, ratings: ["x": good]))
    }
}
