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
            ) { request, context in
                let body = try context.decode(LogIn.self)
                return try await begin("password", metrics, inCookie: body.cookie ?? false) {
                    try await identity.logIn(
                        login: body.login, password: body.password, code: body.code,
                        client: SessionClient(request, context))
                }
            },
            Route(
                .post, "/api/v1/sessions/guest", access: .open, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.guests]
            ) { request, context in
                let body = try context.decode(GuestLogIn.self)
                return try await begin("guest", metrics, inCookie: body.cookie ?? false) {
                    try await identity.logInAsGuest(
                        handle: body.handle, client: SessionClient(request, context))
                }
            },
            Route(
                .post, "/api/v1/sessions/refresh", access: .open, body: .json(limit: GatewayLimits.jsonBody),
                limits: [.refreshes]
            ) { request, context in
                let body = try context.decode(Refresh.self)
                let fromCookie = body.refreshToken == nil
                let token = try body.refreshToken ?? RefreshCookie.token(of: request)
                return try await begin("refresh", metrics, status: .ok, inCookie: fromCookie) {
                    try await identity.refresh(token, client: SessionClient(request, context))
                }
            },
        ]
    }

    private static func begin(
        _ kind: String, _ metrics: Metrics, status: HTTPResponse.Status = .created, inCookie: Bool,
        _ body: () async throws -> TokenPair
    ) async throws -> Response {
        SessionReply.response(
            try await metrics.countingAttempt(kind, body), status: status, inCookie: inCookie)
    }

    private struct Registration: Decodable {
        var handle: String
        var email: String
        var password: String
    }

    private struct LogIn: Decodable {
        var login: String
        var password: String
        /// Of the second factor, where the account has one.
        var code: String?
        /// Whether the refresh token goes into a cookie and not into the answer.
        var cookie: Bool?
    }

    private struct GuestLogIn: Decodable {
        var handle: String?
        var cookie: Bool?
    }

    private struct Refresh: Decodable {
        /// Nil: it is in the cookie.
        var refreshToken: String?
    }

    private struct AccountReply: Encodable {
        var id: String
        var handle: String
    }
}
