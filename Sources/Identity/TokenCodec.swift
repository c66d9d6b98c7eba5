import JWTKit

/// Claims of an access token (RFC 9068). Times are seconds since 1970; they are checked by `TokenCodec`, against
/// the clock that was handed in.
struct AccessClaims: JWTPayload {
    var iss: String
    var aud: String
    var sub: String
    /// RFC 9068 asks for one; all first-party clients share the issuer's name.
    var clientID: String?
    var sid: String
    var handle: String
    var roles: [String]
    var iat: Int64
    var exp: Int64
    var jti: String

    static let audience = "api"
    static let type = "at+jwt"

    enum CodingKeys: String, CodingKey {
        case iss, aud, sub, sid, handle, roles, iat, exp, jti
        case clientID = "client_id"
    }

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// Claims of a sync token: one room, one epoch, one session.
struct SyncClaims: JWTPayload {
    var iss: String
    var aud: String
    var sub: String
    var sid: String
    var room: String
    var epoch: Int64
    var iat: Int64
    var exp: Int64
    var jti: String

    static let audience = "sync"
    static let type = "sync+jwt"

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// Signs and verifies tokens with Ed25519 keys (RFC 8037). As RFC 8725 asks: one algorithm is allowed, the key
/// must be one of ours by its `kid`, and the header's `typ` separates the purposes, so that no token passes for
/// another kind.
struct TokenCodec: Sendable {
    private static let algorithm = "EdDSA"

    private let keys: JWTKeyCollection
    private let keyIDs: Set<String>
    /// Of these keys: with other keys comes another codec, and what a lost key signed is judged anew.
    private let verified = VerifiedTokens()
    let signingKeys: [SigningKey]
    /// JWK set (RFC 7517) of the public keys, as JSON.
    let jwks: String

    /// Throws when there is no key, or a seed is none.
    init(signingKeys: [SigningKey]) async throws {
        guard !signingKeys.isEmpty else { throw JWTError.noKeyProvided }
        let keys = JWTKeyCollection()
        var entries: [String] = []
        for key in signingKeys {
            let privateKey = try EdDSA.PrivateKey(d: Base64URL.encode(key.seed), curve: .ed25519)
            await keys.add(eddsa: privateKey, kid: JWKIdentifier(string: key.id))
            let x = Base64URL.encode([UInt8](privateKey.publicKey.rawRepresentation))
            entries.append(
                #"{"kty":"OKP","crv":"Ed25519","x":"\#(x)","kid":"\#(key.id)","use":"sig","alg":"EdDSA"}"#)
        }
        self.keys = keys
        self.keyIDs = Set(signingKeys.map(\.id))
        self.signingKeys = signingKeys
        self.jwks = #"{"keys":[\#(entries.joined(separator: ","))]}"#
    }

    /// A key of that seed, named by the thumbprint of its public half (RFC 7638, RFC 8037 appendix A.3).
    static func key(seed: [UInt8], createdAtMs: Int64) throws -> SigningKey {
        let privateKey = try EdDSA.PrivateKey(d: Base64URL.encode(seed), curve: .ed25519)
        let x = Base64URL.encode([UInt8](privateKey.publicKey.rawRepresentation))
        let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(x)"}"#
        let id = Base64URL.encode(Hashing.sha256(Array(canonical.utf8)))
        return SigningKey(id: id, seed: seed, createdAtMs: createdAtMs)
    }

    /// Signed by the key whose turn it is at `atMs`.
    func sign(_ claims: some JWTPayload, type: String, atMs: Int64) async throws(IdentityError) -> String {
        var header = JWTHeader()
        header.typ = type
        do {
            guard let key = SigningKeyRule.signing(signingKeys, atMs: atMs) else {
                throw JWTError.noKeyProvided
            }
            return try await keys.sign(claims, kid: JWKIdentifier(string: key.id), header: header)
        } catch {
            throw IdentityError(.unavailable, "Tokens cannot be signed now.")
        }
    }

    /// The claims of a token of that type with a good signature of ours. Its times, audience and issuer are the
    /// caller's to check. Nil when it names a key that is not here: a younger one, if it is ours at all.
    func verify<Claims: JWTPayload>(
        _ token: String, type: String, as _: Claims.Type
    ) async throws(IdentityError) -> Claims? {
        if let known: Claims = verified[token] { return known }
        guard token.utf8.prefix(Limits.tokenBytes + 1).count <= Limits.tokenBytes else { throw .invalidToken }
        do {
            // The header is judged before any key is looked up: the key collection falls back to a default key
            // for an unknown `kid`, and takes the algorithm of the key whatever the header says.
            let header = try DefaultJWTParser().parse(Array(token.utf8), as: Claims.self).header
            guard header.fields.count == 3, header.alg == Self.algorithm, header.typ == type,
                let keyID = header.kid
            else { throw IdentityError.invalidToken }
            guard keyIDs.contains(keyID) else { return nil }
            let claims = try await keys.verify(token, as: Claims.self)
            verified[token] = claims
            return claims
        } catch {
            throw .invalidToken
        }
    }
}
