import Identity
import Judging
import Rooms
import SyncServer

/// The way of a submission from a room's log to the judge's queue.
enum RoomSubmissions {
    /// Waits between attempts at a store that fails, ms.
    private static let pausesMs = [100, 200, 500, 1_000, 2_000, 4_000, 8_000]
    /// How often a submission that is stored asks for a place in a queue that is full, ms. A room takes a bounded number
    /// without verdict, so those that ask are bounded too.
    private static let queueRetryMs = 1_000

    /// Stores the row and queues it; answers the SHA-256 of the source. A submission in the log is judged to the
    /// end: one that the judge cannot take at all (its language is gone, its source is too large) gets its verdict
    /// here.
    static func store(
        _ taken: TakenSubmission, of room: RoomSpecification, executor: GuardedSandbox,
        submit: @escaping JudgingParts.Submit,
        submissions: any SubmissionStore, now: @escaping @Sendable () -> Int64
    ) async throws -> String {
        let sha256 = Hashing.sha256Hex(Array(taken.source.utf8))
        let submission = Submission(
            id: taken.id, userID: taken.userID, problemID: room.problemID ?? "", language: taken.language,
            source: taken.source, sha256: sha256,
            origin: SubmissionOrigin(
                roomID: room.id, document: taken.document, file: taken.file, sequence: taken.sequence),
            createdAtMs: taken.receivedAtMs)
        guard executor.isUsable else {
            // Its place in the log stands; it is judged by the next start that has a sandbox.
            _ = try await submissions.insert(submission)
            return sha256
        }
        for pause in pausesMs + [nil] {
            do throws(JudgingError) {
                try await submit(submission)
                return sha256
            } catch {
                switch error.code {
                case .queueFull:
                    _ = try await submissions.insert(submission)
                    Task { await queueLater(submission, submit, submissions, now) }
                    return sha256
                case .unavailable:
                    guard let pause else { throw error }
                    try await Task.sleep(for: .milliseconds(pause))
                case .stopping: throw error
                default:
                    try await refuse(submission, reason: error.message, submissions, atMs: now())
                    return sha256
                }
            }
        }
        return sha256
    }

    /// Asks until the judge has a place. What a stop interrupts is taken up by the next start.
    private static func queueLater(
        _ submission: Submission, _ submit: JudgingParts.Submit, _ submissions: any SubmissionStore,
        _ now: @escaping @Sendable () -> Int64
    ) async {
        while true {
            try? await Task.sleep(for: .milliseconds(queueRetryMs))
            do throws(JudgingError) {
                try await submit(submission)
                return
            } catch {
                switch error.code {
                case .queueFull, .unavailable: continue
                case .stopping: return
                default:
                    try? await refuse(submission, reason: error.message, submissions, atMs: now())
                    return
                }
            }
        }
    }

    private static func refuse(
        _ submission: Submission, reason: String, _ submissions: any SubmissionStore, atMs: Int64
    ) async throws {
        _ = try await submissions.insert(submission)
        _ = try await submissions.finish(
            submission.id,
            Judgement(verdict: .compileError, score: 0, tests: [], testsTotal: 0, compileOutput: reason),
            atMs: atMs)
    }

    static func verdict(
        of id: String, in submissions: any SubmissionStore
    ) async -> RoomHooks.SpokenVerdict? {
        guard let judgement = try? await submissions.submission(id)?.judgement else { return nil }
        return RoomHooks.SpokenVerdict(
            verdict: judgement.verdict.rawValue, testsPassed: judgement.testsPassed,
            testsTotal: judgement.testsTotal)
    }
}
