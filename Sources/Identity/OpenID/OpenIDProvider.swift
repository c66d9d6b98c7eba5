/// Whom a provider says somebody is. Only `issuer` and `subject` together name a person; the rest is what they are
/// called there.
public struct OpenIDPrincipal: Sendable, Equatable {
    public var issuer: String
    public var subject: String
    public var email: String?
    public var isEmailVerified: Bool
    /// The name the person goes by there, if told.
    public var name: String?

    public init(
        issuer: String, subject: String, email: String? = nil, isEmailVerified: Bool = false,
        name: String? = nil
    ) {
        self.issuer = issuer
        self.subject = subject
        self.email = email
        self.isEmailVerified = isEmailVerified
        self.name = name
    }
}

/// What the two ends of one log-in must agree on. All of it is derived from one secret that stays with the browser
/// that began, so nothing of it is stored, and neither the state nor the challenge tells the secret.
public struct OpenIDFlow: Sendable, Equatable {
    public let secret: String

    public init(secret: String) { self.secret = secret }

    /// `state` (RFC 6749 §10.12).
    public var state: String { derived("state") }
    /// `nonce` (OpenID Connect Core §3.1.2.1).
    public var nonce: String { derived("nonce") }
    /// `code_verifier` (RFC 7636 §4.1): 43 characters.
    public var verifier: String { derived("verifier") }
    /// `code_challenge` by S256.
    public var challenge: String { Base64URL.encode(Hashing.sha256(Array(verifier.utf8))) }

    private func derived(_ purpose: String) -> String {
        Base64URL.encode(Hashing.sha256(Array("coduel openid \(purpose):\(secret)".utf8)))
    }
}

/// One provider of OpenID Connect, as the configuration names it.
public protocol OpenIDProvider: Sendable {
    /// Of letters, digits and dashes; unique.
    var name: String { get }
    /// Where the browser is sent.
    ///
    /// - Throws: `unavailable` when the provider cannot be asked.
    func authorizationURL(for flow: OpenIDFlow, redirectURI: String) async throws(IdentityError) -> String
    /// Exchanges a code, and checks what the provider says.
    ///
    /// - Throws: `loginRefused` for a code, a token or a claim that is not good; `unavailable`.
    func principal(
        code: String, flow: OpenIDFlow, redirectURI: String
    ) async throws(IdentityError) -> OpenIDPrincipal
}
