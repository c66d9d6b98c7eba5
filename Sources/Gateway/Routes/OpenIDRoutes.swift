import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Rooms

/// Log-in by OpenID Connect, and what is linked to an account.
///
/// A page sends its visitor to `GET …/start` and gets them back at its own address with a refresh cookie; a program
/// calls `POST …/flows` and `POST …/callback` and keeps the flow's secret itself.
package struct OpenIDRoutes: Sendable {
    private let openID: OpenIDService
    private let metrics: Metrics

    package init(openID: OpenIDService, metrics: Metrics) {
        self.openID = openID
        self.metrics = metrics
    }

    package var routes: [Route] { logInRoutes + identityRoutes }

    private static let json = Route.Body.json(limit: GatewayLimits.jsonBody)

    private var logInRoutes: [Route] {
        [
            Route(.get, "/api/v1/oidc", access: .open) { _, _ in
                .json(PageReply(items: openID.names.map { ProviderView(name: $0) }, nextCursor: nil))
            },
            Route(.get, "/api/v1/oidc/{provider}/start", access: .open, limits: [.logins]) { _, context in
                let begun = try await openID.begin(try context.parameter("provider"))
                var response = Response(status: .seeOther, headers: [.location: begun.url])
                FlowCookie.set(begun.flow.secret, in: &response.headers)
                return response
            },
            Route(
                .post, "/api/v1/oidc/{provider}/flows", access: .optional, body: Self.json,
                limits: [.logins], tokens: .refused
            ) { _, context in
                // With a token the flow links; without it, it logs in.
                let begun = try await openID.begin(
                    try context.parameter("provider"), linkingTo: context.caller)
                return .json(
                    FlowReply(authorizationUrl: begun.url, flow: begun.flow.secret), status: .created)
            },
            Route(.get, "/api/v1/oidc/{provider}/callback", access: .open, limits: [.logins]) {
                request, context in await returned(request, context)
            },
            Route(
                .post, "/api/v1/oidc/{provider}/callback", access: .open, body: Self.json, limits: [.logins]
            ) { request, context in
                let body = try context.decode(Returned.self)
                switch try await complete(
                    code: body.code, state: body.state, flow: body.flow, request, context)
                {
                case .loggedIn(let tokens):
                    return SessionReply.response(tokens, status: .created, inCookie: body.cookie ?? false)
                case .linked(let identity): return .json(IdentityView(identity))
                }
            },
        ]
    }

    private func complete(
        code: String, state: String, flow: String, _ request: Request, _ context: GatewayContext
    ) async throws -> OpenIDService.Outcome {
        try await metrics.countingAttempt("openid") {
            try await openID.complete(
                try context.parameter("provider"), code: code, state: state, secret: flow,
                client: SessionClient(request, context))
        }
    }

    /// A browser that comes back is shown a page whatever happened.
    private func returned(_ request: Request, _ context: GatewayContext) async -> Response {
        var response = Response(status: .seeOther)
        do {
            let query = QueryText(request)
            if let refusal = query["error"] { throw Self.refused(by: refusal) }
            guard let flow = RequestCookies.value(of: FlowCookie.name, in: request),
                let code = query["code"], let state = query["state"]
            else { throw HTTPProblem.malformed("The provider's answer lacks a part.") }
            switch try await complete(
                code: code, state: state, flow: flow, request, context)
            {
            case .loggedIn(let tokens):
                RefreshCookie.set(tokens.refreshToken, in: &response.headers)
                response.headers[.location] = "/#/signed-in"
            case .linked: response.headers[.location] = "/#/linked"
            }
        } catch {
            // The code alone: what else there is comes from outside.
            response.headers[.location] = "/#/sign-in-failed/\(HTTPProblem.describing(error).code)"
        }
        FlowCookie.clear(in: &response.headers)
        return response
    }

    private static func refused(by code: String) -> HTTPProblem {
        code == "access_denied"
            ? .forbidden("The log-in was given up.", code: "access_denied")
            : .forbidden("The provider refused.", code: "login_refused")
    }

    private var identityRoutes: [Route] {
        [
            Route(.get, "/api/v1/me/identities", tokens: .refused) { _, context in
                let identities = try await openID.identities(of: try context.requireCaller().userID)
                return .json(PageReply(items: identities.map(IdentityView.init), nextCursor: nil))
            },
            Route(.delete, "/api/v1/me/identities/{id}", limits: [.writes], tokens: .refused) {
                _, context in
                try await openID.unlink(try context.parameter("id"), of: try context.requireCaller())
                return Response(status: .noContent)
            },
        ]
    }

    private struct ProviderView: Encodable { var name: String }

    private struct FlowReply: Encodable {
        var authorizationUrl: String
        var flow: String
    }

    private struct Returned: Decodable {
        var code: String
        var state: String
        var flow: String
        var cookie: Bool?
    }

    private struct IdentityView: Encodable {
        var id: String
        var provider: String
        @Nullable var label: String?
        var linkedAt: String

        init(_ identity: LinkedIdentity) {
            id = identity.id
            provider = identity.provider
            label = identity.label
            linkedAt = timestamp(identity.createdAtMs)
        }
    }
}
