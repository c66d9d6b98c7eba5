import Gateway
import Judging
import Logging
import SyncServer

/// Where the judge tells what it finds: the room that a submission came from, its author, webhooks, the metrics.
struct JudgeReports: Sendable {
    let directory: RoomDirectory
    let events: UserEvents
    let webhooks: WebhookParts
    let observation: JudgeObservation
    let metrics: Metrics
    let logger: Logger

    init(_ shared: SharedParts, _ judging: JudgingParts, _ webhooks: WebhookParts, _ directory: RoomDirectory)
    {
        self.directory = directory
        self.webhooks = webhooks
        events = shared.events
        observation = judging.observation
        metrics = shared.metrics
        logger = shared.logger
    }

    /// From now on `judge` reports here.
    func observe(_ judge: JudgeService) async {
        await judge.observe(
            onProgress: { submission, passed, total, _ in
                await progress(submission, testsPassed: passed, testsTotal: total)
            },
            onFinished: { await finished($0) },
            onFault: { id, message in
                metrics.add(.judgeFaults)
                logger.error("judging failed", metadata: ["submission": "\(id)", "reason": "\(message)"])
            },
            around: { try await observation.attempt($0, $1) })
    }

    private func progress(_ submission: Submission, testsPassed: Int, testsTotal: Int) async {
        guard let origin = submission.origin else { return }
        try? await directory.with(origin.roomID) { room, atMs in
            room.progress(
                submissionID: submission.id, testsPassed: testsPassed, testsTotal: testsTotal, atMs: atMs)
        }
    }

    private func finished(_ submission: Submission) async {
        guard let judgement = submission.judgement else { return }
        let verdict = judgement.verdict.rawValue
        observation.finished(submission, verdict: verdict)
        webhooks.finished(submission)
        let room = submission.origin.map { #""\#($0.roomID)""# } ?? "null"
        events.publish(
            userID: submission.userID, type: "submission.finished",
            json: #"{"id":"\#(submission.id)","verdict":"\#(verdict)","room_id":\#(room)}"#)
        guard let origin = submission.origin else { return }
        do {
            try await directory.with(origin.roomID) { room, atMs in
                room.judged(
                    submissionID: submission.id, verdict: verdict, testsPassed: judgement.testsPassed,
                    testsTotal: judgement.testsTotal, atMs: atMs)
            }
        } catch {
            // The room asks for the verdict itself when it is loaded.
            logger.error("a verdict did not reach its room", metadata: ["room": "\(origin.roomID)"])
        }
    }
}
