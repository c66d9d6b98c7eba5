import Hummingbird
import Identity
import Judging
import Rooms

/// Sets of submissions judged anew, for moderators: what would change is shown before it is applied.
package enum RejudgingRoutes {
    package static func routes(_ rejudging: Rejudging) -> [Route] {
        let path = "/api/v1/rejudgings/{id}"
        return [
            Route(
                .post, "/api/v1/rejudgings", access: .moderators, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.writes], idempotent: true
            ) { _, context in
                let order = try context.decode(Order.self)
                let set = try await rejudging.begin(problemID: order.problemId, verdict: order.verdict)
                return .json(
                    SetReply(set), status: .accepted, headers: [.location: "/api/v1/rejudgings/\(set.id)"])
            },
            Route(.get, path, access: .moderators) { _, context in
                .json(SetReply(try await known(context, rejudging)))
            },
            Route(.post, path + "/apply", access: .moderators, limits: [.writes]) { _, context in
                let set = try await known(context, rejudging)
                guard let written = try await rejudging.apply(set.id) else {
                    throw HTTPProblem.conflict(
                        "not_ready", "The set is \(set.status.rawValue); only a ready one is applied.")
                }
                return .json(AppliedReply(id: set.id, written: written))
            },
            Route(.delete, path, access: .moderators, limits: [.writes]) { _, context in
                await rejudging.cancel(try await known(context, rejudging).id)
                return Response(status: .noContent)
            },
        ]
    }

    private static func known(_ context: GatewayContext, _ rejudging: Rejudging) async throws -> RejudgeSet {
        guard let set = await rejudging.set(try context.parameter("id")) else {
            throw HTTPProblem.notFound("There is no such set, or it is gone.")
        }
        return set
    }

    private struct Order: Decodable {
        var problemId: String
        var verdict: Verdict?
    }

    private struct AppliedReply: Encodable {
        var id: String
        var written: Int
    }

    private struct SetReply: Encodable {
        struct Result: Encodable {
            var verdict: Verdict
            var score: Double
        }
        struct Change: Encodable {
            var submissionId: String
            var userId: String
            var before: Result
            var after: Result
        }

        var id: String
        var problemId: String
        var status: String
        var total: Int
        var done: Int
        var failed: Int
        var changes: [Change]
        var createdAt: String

        init(_ set: RejudgeSet) {
            id = set.id
            problemId = set.problemID
            status = set.status.rawValue
            total = set.total
            done = set.done
            failed = set.failed
            changes = set.differences.map {
                Change(
                    submissionId: $0.submissionID, userId: $0.userID,
                    before: Result(verdict: $0.before.verdict, score: $0.before.score),
                    after: Result(verdict: $0.after.verdict, score: $0.after.score))
            }
            createdAt = timestamp(set.createdAtMs)
        }
    }
}
