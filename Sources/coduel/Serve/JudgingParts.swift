import Identity
import Judging
import Problems
import StorageSQLite

/// Problems and how programs are judged by them: the sandbox, the queue, and what watches over both.
struct JudgingParts {
    /// Hands a submission to the judge.
    typealias Submit = @Sendable (Submission) async throws(JudgingError) -> Void

    let executor: GuardedSandbox
    let submissions: SubmissionStoreSQLite
    let catalogue: ProblemCatalogue
    let judge: JudgeService
    let rejudging: Rejudging
    let observation: JudgeObservation
    /// The one way to the judge, for rooms and for HTTP: its trace goes with it.
    let submit: Submit

    var languages: LanguageTable { executor.languages }

    init(_ shared: SharedParts, _ identity: IdentityService) {
        let (foundation, database) = (shared.foundation, shared.database)
        if let refusal = foundation.sandboxRefusal {
            shared.logger.error(
                "programs are not judged here: see coduel doctor", metadata: ["reason": "\(refusal)"])
        }
        executor = GuardedSandbox(
            sandbox: foundation.sandbox, refusal: foundation.sandboxRefusal,
            languages: foundation.languages.table, tracer: shared.telemetry.tracer)
        submissions = SubmissionStoreSQLite(database)
        // The sandbox itself: a statement does not wait for a helper that has ended.
        let converter = foundation.sandbox.map { LaTeXConverter(executor: $0) }
        catalogue = ProblemCatalogue(
            store: ProblemStoreSQLite(database), convert: { await converter?.html($0) })
        let workers = shared.settings.judgeWorkers
        let judge = JudgeService(
            executor: executor, submissions: submissions, catalogue: catalogue, workers: workers,
            guestPlaces: .half(of: workers) { userID in
                (try? await identity.account(userID))?.isGuest ?? false
            },
            now: shared.now, newID: shared.newID)
        self.judge = judge
        rejudging = Rejudging(
            executor: executor, store: submissions, catalogue: catalogue, now: shared.now,
            newID: shared.newID, turn: { await Self.waitForRest(of: judge) })
        let observation = JudgeObservation(
            tracer: shared.telemetry.tracer, metrics: shared.metrics, now: shared.now)
        self.observation = observation
        submit = { submission throws(JudgingError) in
            try await observation.submitting(submission.id) { () async throws(JudgingError) in
                try await judge.submit(submission)
            }
        }
    }

    /// Nobody waits for rejudging: it runs when nobody else does.
    private static func waitForRest(of judge: JudgeService) async {
        while await judge.load.waiting > 0, !Task.isCancelled {
            try? await Task.sleep(for: restPoll)
        }
    }

    private static let restPoll = Duration.milliseconds(200)
}
