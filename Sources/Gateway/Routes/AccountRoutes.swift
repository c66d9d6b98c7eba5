import Hummingbird
import Identity

/// Accounts and sessions.
package enum AccountRoutes {
    package static func routes(_ identity: IdentityService, _ metrics: Metrics) -> [Route] {
        [
            Route(
                .post, "/api/v1/users", access: .open, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.registrations], idempotent: true
            ) { _, context in
                let body = try context.decode(Registration.self)
                let account = try await identity.register(
                    handle: body.handle, email: body.email, password: body.password)
                return .json(AccountReply(id: account.id, handle: account.handle), status: .created)
            },
            Route(
                .post, "/api/v1/sessions", access: .open, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.logins]
            ) { _, context in
                let body = try context.decode(LogIn.self)
                return try await begin("password", metrics) {
                    try await identity.logIn(login: body.login, password: body.password)
                }
            },
            Route(
                .post, "/api/v1/sessions/guest", access: .open, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.guests]
            ) { _, context in
                let body = try context.decode(GuestLogIn.self)
                return try await begin("guest", metrics) {
                    try await identity.logInAsGuest(handle: body.handle)
                }
            },
            Route(
                .post, "/api/v1/sessions/refresh", access: .open, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.refreshes]
            ) { _, context in
                let body = try context.decode(Refresh.self)
                return try await begin("refresh", metrics, status: .ok) {
                    try await identity.refresh(body.refreshToken)
                }
            },
            Route(.delete, "/api/v1/sessions/current", limits: [.writes]) { _, context in
                try await identity.endSession(try context.requireCaller().sessionID)
                return Response(status: .noContent)
            },
        ]
    }

    private static func begin(
        _ kind: String, _ metrics: Metrics, status: HTTPResponse.Status = .created,
        _ body: () async throws -> TokenPair
    ) async throws -> Response {
        do {
            let tokens = try await body()
            metrics.add(.authAttempts, labels: [kind, "accepted"])
            return .json(SessionReply(tokens), status: status)
        } catch {
            metrics.add(.authAttempts, labels: [kind, "refused"])
            throw error
        }
    }

    private struct Registration: Decodable {
        var handle: String
        var email: String
        var password: String
    }

    private struct LogIn: Decodable {
        var login: String
        var password: String
    }

    private struct GuestLogIn: Decodable {
        var handle: String?
    }

    private struct Refresh: Decodable {
        var refreshToken: String
    }

    private struct AccountReply: Encodable {
        var id: String
        var handle: String
    }

    private struct SessionReply: Encodable {
        var accessToken: String
        var tokenType = "Bearer"
        var expiresIn: Int
        var refreshToken: String
        var user: AccountReply

        init(_ tokens: TokenPair) {
            accessToken = tokens.accessToken
            expiresIn = tokens.expiresInSeconds
            refreshToken = tokens.refreshToken
            user = AccountReply(id: tokens.userID, handle: tokens.handle)
        }
    }
}
