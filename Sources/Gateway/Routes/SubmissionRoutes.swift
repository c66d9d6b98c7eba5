import Foundation
import Hummingbird
import Identity
import Judging
import Problems
import Rooms

/// Practice submissions, and every submission by its id.
package enum SubmissionRoutes {
    /// Whether a caller who is not its author may see a submission of a room now.
    package typealias Visibility = @Sendable (_ caller: Caller, _ submission: Submission) async -> Bool

    package static func routes(
        catalogue: ProblemCatalogue, submissions: any SubmissionStore, languages: LanguageTable,
        watches: SubmissionWatches, submit: @escaping @Sendable (Submission) async throws -> Void,
        canSee: @escaping Visibility,
        newID: @escaping @Sendable () -> String, now: @escaping @Sendable () -> Int64
    ) -> [Route] {
        [
            Route(
                .post, "/api/v1/problems/{id}/submissions", body: .json(limit: GatewayLimits.sourceBody),
                limits: [.submissions], idempotent: true
            ) { _, context in
                let caller = try context.requireCaller()
                let body = try context.decode(Practice.self)
                let problem = try await ProblemRoutes.visible(
                    try context.parameter("id"), to: caller, in: catalogue
                ).problem
                let isAnswer = problem.kind.isSubmitAnswer && body.language == AnswerText.language
                let language =
                    isAnswer ? body.language : try SourceRules.language(body.language, of: languages)
                try SourceRules.check(body.source, limit: problem.codeLimitBytes)
                let submission = Submission(
                    id: newID(), userID: caller.userID, problemID: problem.id, language: language,
                    source: body.source, sha256: Hashing.sha256Hex(Array(body.source.utf8)), origin: nil,
                    createdAtMs: now())
                try await submit(submission)
                return accepted(submission)
            },
            Route(.get, "/api/v1/submissions/{id}") { request, context in
                let caller = try context.requireCaller()
                let id = try context.parameter("id")
                let seconds = try SubmissionStream.seconds(request)
                var submission = try await visible(id, to: caller, in: submissions, canSee)
                try await SubmissionStream.wait(id, seconds: seconds, watches) {
                    submission = try await visible(id, to: caller, in: submissions, canSee)
                    return submission.judgement != nil
                }
                // What may be seen can have changed meanwhile.
                if seconds > 0 { submission = try await visible(id, to: caller, in: submissions, canSee) }
                return .json(
                    SubmissionView(submission, showsJudgeMessages: ProblemRoutes.isAuthor(caller)))
            },
            Route(.get, "/api/v1/submissions/{id}/events") { request, context in
                let caller = try context.requireCaller()
                let id = try context.parameter("id")
                // For its author alone: what others may see of a battle depends on the moment.
                guard let news = watches.watch(id) else {
                    throw HTTPProblem.unavailable(
                        "The server takes no further event streams now.", retryAfterSeconds: 5)
                }
                guard let submission = try await submissions.submission(id),
                    submission.userID == caller.userID
                else { throw HTTPProblem.notFound("There is no such submission.") }
                if submission.judgement != nil || request.method == .head {
                    return SubmissionStream.response(submission, AsyncStream { $0.finish() }) { submission }
                }
                return SubmissionStream.response(submission, news) { try await submissions.submission(id) }
            },
        ]
    }

    /// Throws 404 where the caller may not know of it.
    private static func visible(
        _ id: String, to caller: Caller, in submissions: any SubmissionStore, _ canSee: Visibility
    ) async throws -> Submission {
        guard let submission = try await submissions.submission(id) else {
            throw HTTPProblem.notFound("There is no such submission.")
        }
        if submission.userID != caller.userID {
            guard await canSee(caller, submission) else {
                throw HTTPProblem.notFound("There is no such submission.")
            }
        }
        return submission
    }

    /// The answer to a submission that was taken, of a room or for practice.
    package static func accepted(_ submission: Submission) -> Response {
        .json(
            AcceptedReply(submission), status: .accepted,
            headers: [.location: "/api/v1/submissions/\(submission.id)"])
    }

    private struct Practice: Decodable {
        var language: String
        var source: String
    }

    private struct AcceptedReply: Encodable {
        var id: String
        var status: SubmissionStatus
        @Nullable var snapshot: SnapshotReply?

        init(_ submission: Submission) {
            id = submission.id
            status = submission.status
            snapshot = SnapshotReply(submission)
        }
    }
}

/// Where the text of a room's submission was taken from.
package struct SnapshotReply: Encodable, Sendable {
    package var document: String
    package var file: String
    package var sequence: Int64
    package var sha256: String

    /// Nil for practice.
    package init?(_ submission: Submission) {
        guard let origin = submission.origin else { return nil }
        document = origin.document
        file = origin.file
        sequence = origin.sequence
        sha256 = submission.sha256
    }
}

/// A submission as those see it who may.
package struct SubmissionView: Encodable, Sendable {
    package struct Test: Encodable, Sendable {
        package var name: String
        package var verdict: Verdict
        package var cpuTimeMs: Int
        package var wallTimeMs: Int
        package var memoryBytes: Int64
        /// What the problem's validator gave and says, where it does.
        @Nullable package var score: Double?
        @Nullable package var message: String?
        /// Bytes that are no UTF-8, in base64.
        @Nullable package var messageBase64: String?
        /// For those who manage problems alone.
        @Nullable package var judgeMessage: String?
        @Nullable package var judgeMessageBase64: String?

        init(_ result: TestResult, showsJudgeMessages: Bool = false) {
            name = result.name
            verdict = result.verdict
            cpuTimeMs = result.cpuTimeMs
            wallTimeMs = result.wallTimeMs
            memoryBytes = result.memoryBytes
            score = result.score
            message = result.teamMessage
            messageBase64 = result.teamMessageBytes.map { Data($0).base64EncodedString() }
            guard showsJudgeMessages else { return }
            judgeMessage = result.judgeMessage
            judgeMessageBase64 = result.judgeMessageBytes.map { Data($0).base64EncodedString() }
        }
    }

    package var id: String
    package var status: SubmissionStatus
    @Nullable package var verdict: Verdict?
    @Nullable package var score: Double?
    package var tests: [Test]
    package var testsPassed: Int
    @Nullable package var testsTotal: Int?
    @Nullable package var compileOutput: String?
    @Nullable package var snapshot: SnapshotReply?
    package var userID: String
    package var problemID: String
    @Nullable package var roomID: String?
    package var language: String
    package var source: String
    package var createdAt: String
    @Nullable package var finishedAt: String?

    /// - Parameter showsJudgeMessages: whether it is for somebody who manages problems.
    package init(_ submission: Submission, showsJudgeMessages: Bool = false) {
        let judgement = submission.judgement
        id = submission.id
        status = judgement == nil ? submission.status : .finished
        verdict = judgement?.verdict
        score = judgement?.score
        tests = (judgement?.tests ?? []).map { Test($0, showsJudgeMessages: showsJudgeMessages) }
        testsPassed = judgement?.testsPassed ?? 0
        testsTotal = judgement?.testsTotal
        compileOutput = judgement?.compileOutput
        snapshot = SnapshotReply(submission)
        userID = submission.userID
        problemID = submission.problemID
        roomID = submission.origin?.roomID
        language = submission.language
        source = submission.source
        createdAt = timestamp(submission.createdAtMs)
        finishedAt = submission.finishedAtMs.map { timestamp($0) }
    }
}

/// What every call checks that takes a program.
package enum SourceRules {
    /// The contract's id of a language, also for Kattis's name of it. Throws 422.
    package static func language(_ name: String, of languages: LanguageTable) throws(HTTPProblem) -> String {
        guard let language = languages.named(name) else {
            let known = languages.all.map(\.id).joined(separator: ", ")
            throw .invalid("language", "is not one of \(known)", code: "unknown")
        }
        return language.id
    }

    /// Throws 422 for an empty source, or one over `limit` or `GatewayLimits.sourceBytes`.
    package static func check(_ source: String, limit: Int = .max) throws(HTTPProblem) {
        let bound = min(limit, GatewayLimits.sourceBytes)
        if source.utf8.isEmpty { throw .invalid("source", "is empty", code: "empty") }
        if source.utf8.count > bound {
            throw .invalid("source", "has more than \(bound) bytes", code: "length")
        }
    }
}
