import Problems

/// What a new judgement of a finished submission would change.
public struct JudgementChange: Sendable, Equatable {
    public var submissionID: String
    public var userID: String
    public var before: Judgement
    public var after: Judgement

    /// Whether verdict or score are others than before; times and memory always differ a little.
    public var isDifference: Bool { before.verdict != after.verdict || before.score != after.score }
}

/// A set of submissions judged anew, beside their standing judgements: nothing changes until it is applied.
public struct RejudgeSet: Sendable, Equatable {
    public enum Status: String, Sendable {
        case running, ready, applied, cancelled
    }

    public var id: String
    public var problemID: String
    public var status: Status
    public var total: Int
    /// Submissions that are judged; those with a judge error keep what they had and are `failed`.
    public var done = 0
    public var failed = 0
    public var changes: [JudgementChange] = []
    public var createdAtMs: Int64

    public init(id: String, problemID: String, total: Int, createdAtMs: Int64) {
        self.id = id
        self.problemID = problemID
        status = .running
        self.total = total
        self.createdAtMs = createdAtMs
    }

    public var differences: [JudgementChange] { changes.filter(\.isDifference) }
}

/// Keeps judgements that may be replaced; a `SubmissionStore` that can.
public protocol JudgementStore: Sendable {
    /// Finished submissions to a problem, newest first, at most `limit`.
    func finished(to problemID: String, limit: Int) async throws -> [Submission]
    /// Writes `new` where `old` still stands; false where it does not.
    func replaceJudgement(_ id: String, old: Judgement, new: Judgement, atMs: Int64) async throws -> Bool
}

/// Judges sets of finished submissions anew with the problem as it is now, one submission at a time, behind everything
/// that somebody waits for. Sets are kept in memory, a bounded number of them; those of a process that ended are gone,
/// and nothing of them was written.
public actor Rejudging {
    private let judge: ProgramJudge
    private let store: any JudgementStore
    private let catalogue: ProblemCatalogue
    private let now: @Sendable () -> Int64
    private let newID: @Sendable () -> String
    /// Waits until the judge has nothing more urgent to do.
    private let turn: @Sendable () async -> Void
    private var sets: [String: RejudgeSet] = [:]
    private var order: [String] = []
    private var work: [String: Task<Void, Never>] = [:]

    public init(
        executor: any ProgramExecutor, store: any JudgementStore, catalogue: ProblemCatalogue,
        now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> String,
        turn: @escaping @Sendable () async -> Void = {}
    ) {
        judge = ProgramJudge(executor: executor, now: now)
        self.store = store
        self.catalogue = catalogue
        self.now = now
        self.newID = newID
        self.turn = turn
    }

    /// Begins a set: the finished submissions to that problem, those with `verdict` alone where it is given, newest
    /// first, at most `Limits.rejudgedSubmissions`.
    public func begin(problemID: String, verdict: Verdict? = nil) async throws(JudgingError) -> RejudgeSet {
        guard work.isEmpty else { throw JudgingError(.queueFull, "another set is being judged") }
        let problem: Problem?
        let submissions: [Submission]
        do {
            problem = try await catalogue.problem(problemID)
            submissions = try await store.finished(to: problemID, limit: Limits.rejudgedSubmissions)
                .filter { verdict == nil || $0.judgement?.verdict == verdict }
        } catch {
            throw JudgingError(.unavailable, "a store failed: \(error)")
        }
        guard let problem else { throw JudgingError(.problemNotFound, "there is no problem \(problemID)") }
        guard work.isEmpty else { throw JudgingError(.queueFull, "another set is being judged") }
        makeRoom()
        let set = RejudgeSet(
            id: newID(), problemID: problemID, total: submissions.count, createdAtMs: now())
        sets[set.id] = set
        order.append(set.id)
        work[set.id] = Task { await self.judgeAll(submissions, of: set.id, problem) }
        return set
    }

    public func set(_ id: String) -> RejudgeSet? { sets[id] }

    /// Returns when the set is judged.
    public func wait(for id: String) async { await work[id]?.value }

    /// Ends a set that is not applied; what it found is forgotten.
    public func cancel(_ id: String) {
        work.removeValue(forKey: id)?.cancel()
        if let status = sets[id]?.status, status != .applied { sets[id]?.status = .cancelled }
    }

    /// Writes the differences of a set that is ready. A submission whose judgement has changed meanwhile is left alone.
    /// Ratings and results of battles stay as they are.
    ///
    /// - Returns: the number of judgements written; nil when the set is not ready.
    public func apply(_ id: String) async throws(JudgingError) -> Int? {
        guard let set = sets[id], set.status == .ready else { return nil }
        sets[id]?.status = .applied
        var written = 0
        for change in set.differences {
            do {
                let isWritten = try await store.replaceJudgement(
                    change.submissionID, old: change.before, new: change.after, atMs: now())
                if isWritten { written += 1 }
            } catch {
                // Applying again writes the rest: what is written already no longer stands as it was.
                sets[id]?.status = .ready
                throw JudgingError(.unavailable, "the submission store failed: \(error)")
            }
        }
        return written
    }

    private func judgeAll(_ submissions: [Submission], of id: String, _ problem: Problem) async {
        for submission in submissions {
            await turn()
            guard !Task.isCancelled, let before = submission.judgement else { continue }
            let outcome = await judge.judge(
                problem, language: submission.language, source: Array(submission.source.utf8),
                budgetMs: submission.origin == nil ? nil : Limits.battleJudgingMs)
            guard !Task.isCancelled else { break }
            sets[id]?.done += 1
            if outcome.judgement.verdict == .judgeError {
                sets[id]?.failed += 1
            } else {
                sets[id]?.changes.append(
                    JudgementChange(
                        submissionID: submission.id, userID: submission.userID, before: before,
                        after: outcome.judgement))
            }
        }
        work[id] = nil
        if sets[id]?.status == .running { sets[id]?.status = .ready }
    }

    private func makeRoom() {
        while sets.count >= Limits.rejudgeSets, let oldest = order.first {
            order.removeFirst()
            sets[oldest] = nil
        }
    }
}
