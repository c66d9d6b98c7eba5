import HTTPTypes
import Hummingbird
import Identity

extension HTTPField.Name {
    static let csrfToken = HTTPField.Name("X-CSRF-Token") ?? .via
}

/// A refresh token in a cookie, out of the reach of scripts. The `__Host-` prefix binds it to this host and to TLS
/// (browsers count loopback as such); `SameSite=Strict`, the check of `Origin`, and a token that only a page of ours
/// can read and send as a field keep other sites from using it.
enum RefreshCookie {
    static let name = "__Host-coduel_refresh"
    static let csrfName = "__Host-coduel_csrf"

    /// The refresh token in the request's cookie.
    ///
    /// - Throws: 401 without one, 403 without the field that proves where the call comes from.
    static func token(of request: Request) throws(HTTPProblem) -> String {
        guard let token = value(of: name, in: request), !token.isEmpty else {
            throw .unauthorized(
                "Neither the body nor a cookie holds a refresh token.", error: "invalid_token")
        }
        let given = Array((request.headers[.csrfToken] ?? "").utf8)
        guard Hashing.areEqual(given, Array(csrf(for: token).utf8)) else {
            throw .forbidden(
                "With the cookie goes the field X-CSRF-Token, with the value of the cookie \(csrfName).",
                code: "csrf_token_missing")
        }
        return token
    }

    static func isPresent(in request: Request) -> Bool { value(of: name, in: request) != nil }

    /// Set-Cookie fields for a new refresh token.
    static func set(_ token: String, in fields: inout HTTPFields) {
        let life = "; Max-Age=\(Identity.Limits.refreshIdleMs / 1000)"
        append("\(name)=\(token)\(common); HttpOnly\(life)", to: &fields)
        append("\(csrfName)=\(csrf(for: token))\(common)\(life)", to: &fields)
    }

    /// Set-Cookie fields that remove both cookies.
    static func clear(in fields: inout HTTPFields) {
        append("\(name)=\(common); HttpOnly; Max-Age=0", to: &fields)
        append("\(csrfName)=\(common); Max-Age=0", to: &fields)
    }

    /// What the page has to send with the cookie: tells nothing about the token.
    static func csrf(for token: String) -> String {
        String(Hashing.sha256Hex(Array("csrf:\(token)".utf8)).prefix(32))
    }

    private static let common = "; Path=/; Secure; SameSite=Strict"

    private static func append(_ cookie: String, to fields: inout HTTPFields) {
        fields.append(HTTPField(name: .setCookie, value: cookie))
    }

    private static func value(of name: String, in request: Request) -> String? {
        RequestCookies.value(of: name, in: request)
    }
}

/// The secret of a log-in at a provider that is under way. `Lax`: the provider's page sends the browser back here.
enum FlowCookie {
    static let name = "__Host-coduel_oidc"

    static func set(_ secret: String, in fields: inout HTTPFields) {
        let life = Identity.Limits.openIDFlowMs / 1000
        fields.append(HTTPField(name: .setCookie, value: "\(name)=\(secret)\(common); Max-Age=\(life)"))
    }

    static func clear(in fields: inout HTTPFields) {
        fields.append(HTTPField(name: .setCookie, value: "\(name)=\(common); Max-Age=0"))
    }

    private static let common = "; Path=/; Secure; HttpOnly; SameSite=Lax"
}

enum RequestCookies {
    /// Cookie fields longer than this are not read.
    private static let fieldBytes = 8_192

    static func value(of name: String, in request: Request) -> String? {
        for field in request.headers[values: .cookie] where field.utf8.count <= fieldBytes {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0].filter({ $0 != " " }) == name else { continue }
                return String(parts[1])
            }
        }
        return nil
    }
}
