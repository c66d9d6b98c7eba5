import HTTPTypes
import Hummingbird
import Identity

/// The tokens of a session, as a log-in or a refresh answers them.
struct SessionReply: Encodable {
    struct User: Encodable {
        var id: String
        var handle: String
    }

    var accessToken: String
    var tokenType = "Bearer"
    var expiresIn: Int
    /// Left out where it is in a cookie.
    var refreshToken: String?
    /// Only with a cookie: what has to be sent with it.
    var csrfToken: String?
    var user: User

    static func response(_ tokens: TokenPair, status: HTTPResponse.Status, inCookie: Bool) -> Response {
        var fields: HTTPFields = [:]
        if inCookie { RefreshCookie.set(tokens.refreshToken, in: &fields) }
        let reply = SessionReply(
            accessToken: tokens.accessToken, expiresIn: tokens.expiresInSeconds,
            refreshToken: inCookie ? nil : tokens.refreshToken,
            csrfToken: inCookie ? RefreshCookie.csrf(for: tokens.refreshToken) : nil,
            user: User(id: tokens.userID, handle: tokens.handle))
        return .json(reply, status: status, headers: fields)
    }
}

extension SessionClient {
    init(_ request: Request, _ context: GatewayContext) {
        self.init(agent: request.headers[.userAgent] ?? "", address: context.address)
    }
}
