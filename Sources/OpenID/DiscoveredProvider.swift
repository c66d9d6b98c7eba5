import Foundation
import Identity
import JWTKit
import Synchronization

/// A provider that is known by its issuer: endpoints and keys are what it publishes there.
public final class DiscoveredProvider: OpenIDProvider {
    private struct State {
        var discovery: (document: Discovery, readAtMs: Int64)?
        var keys: (set: KeySet, readAtMs: Int64)?
    }

    private let settings: OpenIDSettings
    private let transport: OpenIDTransport
    private let state = Mutex(State())

    public init(_ settings: OpenIDSettings, transport: OpenIDTransport) {
        self.settings = settings
        self.transport = transport
    }

    public var name: String { settings.name }

    public func authorizationURL(
        for flow: OpenIDFlow, redirectURI: String
    ) async throws(IdentityError) -> String {
        let endpoint = try await discovery().authorizationEndpoint
        let query = Self.form([
            ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", redirectURI),
            ("scope", "openid email profile"), ("state", flow.state), ("nonce", flow.nonce),
            ("code_challenge", flow.challenge), ("code_challenge_method", "S256"),
        ])
        return endpoint + (endpoint.contains("?") ? "&" : "?") + query
    }

    public func principal(
        code: String, flow: OpenIDFlow, redirectURI: String
    ) async throws(IdentityError) -> OpenIDPrincipal {
        let token = try await exchange(code, flow, redirectURI)
        let claims = try await verified(token)
        try check(claims, flow)
        return OpenIDPrincipal(
            issuer: claims.iss, subject: claims.sub, email: claims.email,
            isEmailVerified: claims.emailVerified ?? false, name: claims.preferredUsername ?? claims.name)
    }

    // MARK: The code

    private func exchange(
        _ code: String, _ flow: OpenIDFlow, _ redirectURI: String
    ) async throws(IdentityError) -> String {
        let discovery = try await discovery()
        var fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI),
            ("code_verifier", flow.verifier),
        ]
        var headers = [
            (name: "Content-Type", value: "application/x-www-form-urlencoded"),
            (name: "Accept", value: "application/json"),
        ]
        let methods = discovery.tokenEndpointAuthMethodsSupported ?? ["client_secret_basic"]
        if let secret = settings.clientSecret, methods.contains("client_secret_basic") {
            let pair = "\(Self.escaped(settings.clientID)):\(Self.escaped(secret))"
            headers.append(
                (name: "Authorization", value: "Basic \(Data(pair.utf8).base64EncodedString())"))
        } else {
            fields.append(("client_id", settings.clientID))
            if let secret = settings.clientSecret { fields.append(("client_secret", secret)) }
        }
        let answer: OpenIDTransport.Answer
        do {
            answer = try await transport.post(
                discovery.tokenEndpoint, headers, Array(Self.form(fields).utf8))
        } catch {
            throw unreachable
        }
        guard answer.status == 200 else {
            // 4xx is about the code; anything else about the provider.
            throw (400..<500).contains(answer.status) ? Self.refused("did not take the code") : unreachable
        }
        guard let token = try? Self.decode(TokenAnswer.self, answer.body).idToken,
            token.utf8.count <= Limits.idTokenBytes
        else { throw Self.refused("sent no ID token") }
        return token
    }

    // MARK: The token

    /// The claims of a token that one of the provider's keys signed, by an algorithm that is taken for that key.
    private func verified(_ token: String) async throws(IdentityError) -> IDClaims {
        guard let header = try? DefaultJWTParser().parse(Array(token.utf8), as: IDClaims.self).header else {
            throw Self.refused("sent an ID token that cannot be read")
        }
        if let claims = await (try await keys(againAfterMs: Limits.documentMs)).claims(token, header) {
            return claims
        }
        // A key that was made since: ask again, not too often.
        guard let claims = await (try await keys(againAfterMs: Limits.keyReloadMs)).claims(token, header)
        else { throw Self.refused("sent an ID token with a signature that is not good") }
        return claims
    }

    /// OpenID Connect Core §3.1.3.7.
    private func check(_ claims: IDClaims, _ flow: OpenIDFlow) throws(IdentityError) {
        let nowSeconds = transport.now() / 1000
        guard claims.iss == settings.issuer else { throw Self.refused("named another issuer") }
        guard claims.aud.contains(settings.clientID), claims.aud.count == 1 || claims.azp != nil,
            claims.azp ?? settings.clientID == settings.clientID
        else { throw Self.refused("sent an ID token for somebody else") }
        guard claims.exp > nowSeconds - Limits.leewaySeconds, claims.iat < nowSeconds + Limits.leewaySeconds
        else { throw Self.refused("sent an ID token of another time") }
        guard let nonce = claims.nonce, Hashing.areEqual(Array(nonce.utf8), Array(flow.nonce.utf8)) else {
            throw Self.refused("sent an ID token of another log-in")
        }
        guard (1...255).contains(claims.sub.utf8.count) else { throw Self.refused("named nobody") }
    }

    // MARK: What the provider publishes

    private func discovery() async throws(IdentityError) -> Discovery {
        let atMs = transport.now()
        if let known = state.withLock({ $0.discovery }), atMs < known.readAtMs + Limits.documentMs {
            return known.document
        }
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let document = try await published(Discovery.self, at: base + "/.well-known/openid-configuration")
        // Discovery §4.3: else any page could speak for any issuer.
        guard document.issuer == settings.issuer, Self.isAddress(document.authorizationEndpoint, like: base)
        else { throw unreachable }
        state.withLock { $0.discovery = (document, atMs) }
        return document
    }

    /// Browsers are sent nowhere but to a page: https, unless the issuer itself is called without.
    private static func isAddress(_ url: String, like issuer: String) -> Bool {
        (url.hasPrefix("https://") || (url.hasPrefix("http://") && issuer.hasPrefix("http://")))
            && url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !url.contains("#")
    }

    private func keys(againAfterMs: Int64) async throws(IdentityError) -> KeySet {
        let atMs = transport.now()
        if let known = state.withLock({ $0.keys }), atMs < known.readAtMs + againAfterMs { return known.set }
        let bytes = try await body(at: try await discovery().jwksUri)
        guard let set = try? await KeySet(json: bytes) else { throw unreachable }
        state.withLock { $0.keys = (set, atMs) }
        return set
    }

    private func published<Document: Decodable>(
        _ type: Document.Type, at url: String
    ) async throws(IdentityError) -> Document {
        let bytes = try await body(at: url)
        guard let document = try? Self.decode(type, bytes) else { throw unreachable }
        return document
    }

    private func body(at url: String) async throws(IdentityError) -> [UInt8] {
        guard let answer = try? await transport.get(url), answer.status == 200 else { throw unreachable }
        return answer.body
    }

    private var unreachable: IdentityError {
        IdentityError(
            .unavailable, "\(settings.name) cannot be asked now; log in otherwise, or try again.",
            retryAfterSeconds: 30)
    }

    private static func refused(_ what: String) -> IdentityError {
        IdentityError(.loginRefused, "The provider \(what).")
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
    }

    /// application/x-www-form-urlencoded, with nothing unescaped but what never needs it (RFC 3986 §2.3).
    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\(escaped($0.0))=\(escaped($0.1))" }.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
