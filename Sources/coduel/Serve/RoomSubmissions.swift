import Identity
import Judging
import Rooms
import SyncServer

/// The way of a submission from a room's log to the judge's queue.
enum RoomSubmissions {
    /// Waits between attempts at a queue that is full or a store that fails, ms.
    private static let pausesMs = [100, 200, 500, 1_000, 2_000, 4_000, 8_000]

    /// Stores the row and queues it; answers the SHA-256 of the source. A submission in the log is judged to the
    /// end: one that the judge cannot take at all (its language is gone, its source is too large) gets its verdict
    /// here.
    static func store(
        _ taken: TakenSubmission, of room: RoomSpecification, judge: JudgeService,
        submissions: any SubmissionStore, now: @Sendable () -> Int64
    ) async throws -> String {
        let sha256 = Hashing.sha256Hex(Array(taken.source.utf8))
        let submission = Submission(
            id: taken.id, userID: taken.userID, problemID: room.problemID ?? "", language: taken.language,
            source: taken.source, sha256: sha256,
            origin: SubmissionOrigin(
                roomID: room.id, document: taken.document, file: taken.file, sequence: taken.sequence),
            createdAtMs: taken.receivedAtMs)
        for pause in pausesMs + [nil] {
            do throws(JudgingError) {
                try await judge.submit(submission)
                return sha256
            } catch {
                switch error.code {
                case .queueFull, .unavailable:
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
