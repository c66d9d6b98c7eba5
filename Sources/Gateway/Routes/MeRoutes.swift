import Hummingbird
import Identity
import Matchmaking
import Rooms

/// The caller's own account and events.
package enum MeRoutes {
    package static func routes(
        identity: IdentityService, matchmaking: MatchDirector, events: UserEvents
    ) -> [Route] {
        [
            Route(.get, "/api/v1/me") { _, context in
                let caller = try context.requireCaller()
                guard let account = try await identity.account(caller.userID) else {
                    throw HTTPProblem.notFound()
                }
                let duel = try await matchmaking.rating(of: caller.userID, mode: .duel)
                return .json(MeReply(account, duel: duel))
            },
            Route(.get, "/api/v1/me/events") { request, context in
                let caller = try context.requireCaller()
                let subscription = try events.subscribe(
                    userID: caller.userID, sessionID: caller.sessionID,
                    lastEventID: request.headers[.lastEventID])
                // Nobody would end the stream of an answer whose body is not sent.
                if request.method == .head { subscription.cancel() }
                return EventStream.response(subscription, of: events)
            },
        ]
    }

    private struct MeReply: Encodable {
        var id: String
        var handle: String
        var email: String?
        var emailVerified: Bool
        var roles: [String]
        var isGuest: Bool
        var createdAt: String
        /// Keys are modes; the default rating where nothing has been played.
        var ratings: [String: RatingReply]

        init(_ account: Account, duel: Rating) {
            id = account.id
            handle = account.handle
            email = account.email
            emailVerified = account.emailVerifiedAtMs != nil
            roles = account.roles.map(\.rawValue).sorted()
            isGuest = account.isGuest
            createdAt = timestamp(account.createdAtMs)
            ratings = [MatchMode.duel.rawValue: RatingReply(duel)]
        }
    }
}

/// A rating as the interface shows it.
package struct RatingReply: Encodable, Sendable {
    package var rating: Double
    package var deviation: Double
    package var volatility: Double
    /// Few or old results: the deviation is above the usual bound of 110.
    package var provisional: Bool

    package init(_ rating: Rating) {
        self.rating = rating.rating
        deviation = rating.deviation
        volatility = rating.volatility
        provisional = rating.deviation > 110
    }
}
