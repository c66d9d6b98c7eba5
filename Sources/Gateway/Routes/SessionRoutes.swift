import Hummingbird
import Identity
import Rooms

/// The sessions of an account, tickets for sockets, and personal tokens.
package enum SessionRoutes {
    package static func routes(_ identity: IdentityService) -> [Route] {
        sessionRoutes(identity) + tokenRoutes(identity)
    }

    private static func sessionRoutes(_ identity: IdentityService) -> [Route] {
        [
            Route(.delete, "/api/v1/sessions/current", limits: [.writes], tokens: .refused) {
                request, context in
                try await identity.endSession(try context.requireCaller().sessionID)
                var response = Response(status: .noContent)
                if RefreshCookie.isPresent(in: request) { RefreshCookie.clear(in: &response.headers) }
                return response
            },
            Route(.get, "/api/v1/sessions", tokens: .refused) { _, context in
                let caller = try context.requireCaller()
                let sessions = try await identity.sessions(of: caller.userID)
                return .json(
                    PageReply(
                        items: sessions.map { SessionView($0, current: caller.sessionID) }, nextCursor: nil))
            },
            Route(.delete, "/api/v1/sessions", limits: [.writes], tokens: .refused) { _, context in
                let ended = try await identity.endOtherSessions(of: try context.requireCaller())
                return .json(EndedReply(ended: ended))
            },
            Route(.delete, "/api/v1/sessions/{id}", limits: [.writes], tokens: .refused) { _, context in
                let caller = try context.requireCaller()
                try await identity.endSession(try context.parameter("id"), of: caller.userID)
                return Response(status: .noContent)
            },
            Route(.post, "/api/v1/ws-tickets", limits: [.writes], tokens: .scope(.sync)) { _, context in
                let made = try await identity.mintSocketTicket(for: try context.requireCaller())
                return .json(
                    TicketReply(ticket: made.ticket, expiresIn: made.expiresInSeconds), status: .created)
            },
        ]
    }

    private static func tokenRoutes(_ identity: IdentityService) -> [Route] {
        [
            Route(
                .post, "/api/v1/me/tokens", body: .json(limit: GatewayLimits.jsonBody), limits: [.writes],
                tokens: .refused
            ) { _, context in
                let wish = try context.decode(TokenWish.self)
                let made = try await identity.makeToken(
                    name: wish.name, scopes: Set(wish.scopes), days: wish.expiresInDays,
                    for: try context.requireCaller())
                return .json(TokenView(made.token, text: made.text), status: .created)
            },
            Route(.get, "/api/v1/me/tokens", tokens: .refused) { _, context in
                let tokens = try await identity.tokens(of: try context.requireCaller().userID)
                return .json(PageReply(items: tokens.map { TokenView($0, text: nil) }, nextCursor: nil))
            },
            Route(.delete, "/api/v1/me/tokens/{id}", limits: [.writes], tokens: .refused) { _, context in
                let caller = try context.requireCaller()
                try await identity.removeToken(try context.parameter("id"), of: caller.userID)
                return Response(status: .noContent)
            },
        ]
    }

    private struct EndedReply: Encodable { var ended: Int }

    private struct TicketReply: Encodable {
        var ticket: String
        var expiresIn: Int
    }

    private struct TokenWish: Decodable {
        var name: String
        var scopes: [TokenScope]
        var expiresInDays: Int?
    }

    private struct SessionView: Encodable {
        var id: String
        var current: Bool
        var createdAt: String
        var lastUsedAt: String
        var expiresAt: String
        var userAgent: String
        var address: String

        init(_ session: Session, current: String) {
            id = session.id
            self.current = session.id == current
            createdAt = timestamp(session.createdAtMs)
            lastUsedAt = timestamp(session.usedAtMs)
            expiresAt = timestamp(session.expiresAtMs)
            userAgent = session.client.agent
            address = session.client.address
        }
    }

    private struct TokenView: Encodable {
        var id: String
        var name: String
        var scopes: [String]
        /// Told once.
        var token: String?
        var createdAt: String
        @Nullable var expiresAt: String?
        @Nullable var lastUsedAt: String?

        init(_ token: PersonalToken, text: String?) {
            id = token.id
            name = token.name
            scopes = token.scopes.map(\.rawValue).sorted()
            self.token = text
            createdAt = timestamp(token.createdAtMs)
            expiresAt = token.expiresAtMs.map(timestamp)
            lastUsedAt = token.usedAtMs.map(timestamp)
        }
    }
}
