/// Keeps submissions. Every answer means "on disk".
public protocol SubmissionStore: Sendable {
    /// Inserts unless a submission of that id is there already; false when it was.
    func insert(_ submission: Submission) async throws -> Bool
    func submission(_ id: String) async throws -> Submission?
    /// Those not finished, oldest first: what a starting judge takes up again.
    func unfinished() async throws -> [Submission]
    /// Moves a submission that is not finished to `status`; `beginsAttempt` counts one more attempt.
    func advance(_ id: String, to status: SubmissionStatus, beginsAttempt: Bool) async throws
    /// Writes the judgement unless there is one; false when there was.
    func finish(_ id: String, _ judgement: Judgement, atMs: Int64) async throws -> Bool
}
