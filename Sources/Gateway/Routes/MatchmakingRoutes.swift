import Hummingbird
import Identity
import Matchmaking
import Rooms

/// Tickets: wishes to be matched.
package enum MatchmakingRoutes {
    package static func routes(_ director: MatchDirector) -> [Route] {
        [
            Route(
                .post, "/api/v1/matchmaking/tickets", body: .json(limit: GatewayLimits.jsonBody),
                limits: [.tickets],
                idempotent: true
            ) { _, context in
                let caller = try context.requireCaller()
                let wish = try context.decode(Wish.self)
                let ticket = try await director.enter(
                    userID: caller.userID, handle: caller.handle, isGuest: caller.isGuest, mode: wish.mode,
                    languages: wish.languages, topics: wish.topics ?? [],
                    rated: wish.rated ?? !caller.isGuest,
                    watch: wish.watch)
                return .json(
                    TicketReply(ticket), status: .created,
                    headers: [.location: "/api/v1/matchmaking/tickets/\(ticket.id)"])
            },
            Route(.get, "/api/v1/matchmaking/tickets/{id}") { _, context in
                let caller = try context.requireCaller()
                return .json(
                    TicketReply(try await director.ticket(try context.parameter("id"), of: caller.userID)))
            },
            Route(.delete, "/api/v1/matchmaking/tickets/{id}", limits: [.writes]) { _, context in
                let caller = try context.requireCaller()
                let id = try context.parameter("id")
                try await director.cancel(id, of: caller.userID)
                return .json(TicketReply(try await director.ticket(id, of: caller.userID)))
            },
        ]
    }

    private struct Wish: Decodable {
        var mode: MatchMode
        var languages: [String]
        var topics: [String]?
        var rated: Bool?
        var watch: Ticket.Watch?
    }

    private struct TicketReply: Encodable {
        var id: String
        var status: TicketStatus
        /// Null before the match.
        @Nullable var roomID: String?
        var mode: MatchMode
        var languages: [String]
        var topics: [String]
        var rated: Bool
        var watch: Ticket.Watch
        var createdAt: String

        init(_ ticket: Ticket) {
            id = ticket.id
            status = ticket.status
            roomID = ticket.roomID
            mode = ticket.mode
            languages = ticket.languages
            topics = ticket.topics
            rated = ticket.rated
            watch = ticket.watch
            createdAt = timestamp(ticket.createdAtMs)
        }
    }
}
