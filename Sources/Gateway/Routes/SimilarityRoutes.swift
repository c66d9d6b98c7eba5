import Identity
import Judging
import Rooms

/// Submissions to a problem that look alike, for moderators to review.
package enum SimilarityRoutes {
    package static func routes(_ store: any JudgementStore) -> [Route] {
        [
            Route(
                .get, "/api/v1/problems/{id}/similarities", access: .moderators,
                limits: [.writes]
            ) { _, context in
                let submissions = try await store.finished(
                    to: try context.parameter("id"), limit: Judging.Limits.comparedSubmissions)
                let pairs = SimilarityReview.pairs(of: submissions).map(PairReply.init)
                return .json(PageReply(items: pairs, nextCursor: nil))
            }
        ]
    }

    private struct PairReply: Encodable {
        struct Side: Encodable {
            var submissionId: String
            var userId: String
            var language: String
            var createdAt: String

            init(_ submission: Submission) {
                submissionId = submission.id
                userId = submission.userID
                language = submission.language
                createdAt = timestamp(submission.createdAtMs)
            }
        }

        var score: Double
        var shared: Int
        var first: Side
        var second: Side

        init(_ pair: SimilarPair) {
            score = pair.score
            shared = pair.shared
            first = Side(pair.first)
            second = Side(pair.second)
        }
    }
}
