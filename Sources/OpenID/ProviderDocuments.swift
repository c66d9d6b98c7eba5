import Foundation
import JWTKit

/// The provider's description of itself (OpenID Connect Discovery §3), as far as it is used.
struct Discovery: Decodable, Sendable {
    var issuer: String
    var authorizationEndpoint: String
    var tokenEndpoint: String
    var jwksUri: String
    var tokenEndpointAuthMethodsSupported: [String]?
}

/// The answer of the token endpoint.
struct TokenAnswer: Decodable, Sendable {
    var idToken: String
}

/// A key of a JWK set (RFC 7517).
struct PublicKey: Decodable, Sendable {
    var kty: String
    var kid: String?
    var use: String?
    var alg: String?
    var crv: String?
    var n: String?
    var e: String?
    var x: String?
    var y: String?
}

/// The keys of a provider that can verify its tokens, each bound to its one algorithm: a token cannot choose.
struct KeySet: Sendable {
    private struct Document: Decodable { var keys: [Skipping] }

    /// A set may hold keys of kinds that nobody here knows.
    private struct Skipping: Decodable {
        var key: PublicKey?

        init(from decoder: any Decoder) throws { key = try? PublicKey(from: decoder) }
    }

    private let collection = JWTKeyCollection()
    /// `kid` ("" where there is none) to algorithm.
    private var algorithms: [String: String] = [:]

    init(json: [UInt8]) async throws {
        let document = try JSONDecoder().decode(Document.self, from: Data(json))
        for key in document.keys.compactMap(\.key).prefix(Limits.keys) where key.use ?? "sig" == "sig" {
            let id = key.kid ?? ""
            guard algorithms[id] == nil, let algorithm = await add(key, id: JWKIdentifier(string: id)) else {
                continue
            }
            algorithms[id] = algorithm
        }
    }

    /// The algorithm that the key verifies, when it is one of those that are taken; RSA keys have 2,048 bits or more.
    private func add(_ key: PublicKey, id: JWKIdentifier) async -> String? {
        switch (key.kty, key.crv) {
        case ("RSA", _):
            guard key.alg ?? "RS256" == "RS256", let n = key.n, let e = key.e,
                let parsed = try? Insecure.RSA.PublicKey(modulus: n, exponent: e)
            else { return nil }
            await collection.add(rsa: parsed, digestAlgorithm: .sha256, kid: id)
            return "RS256"
        case ("EC", "P-256"):
            guard key.alg ?? "ES256" == "ES256", let x = key.x, let y = key.y,
                let parsed = try? ES256PublicKey(parameters: (x: x, y: y))
            else { return nil }
            await collection.add(ecdsa: parsed, kid: id)
            return "ES256"
        case ("OKP", "Ed25519"):
            guard key.alg ?? "EdDSA" == "EdDSA", let x = key.x,
                let parsed = try? EdDSA.PublicKey(x: x, curve: .ed25519)
            else { return nil }
            await collection.add(eddsa: parsed, kid: id)
            return "EdDSA"
        default: return nil
        }
    }

    /// Whether the key that a token names is here, for the algorithm that it names.
    private func knows(_ header: JWTHeader) -> Bool {
        if let keyID = header.kid { return algorithms[keyID] == header.alg && header.alg != nil }
        // A token need not name its key where there is but one (OpenID Connect Core §10.1).
        return algorithms.count == 1 && algorithms.values.first == header.alg
    }

    /// The claims of a token that one of the keys signed by its own algorithm; nil for any other.
    func claims(_ token: String, _ header: JWTHeader) async -> IDClaims? {
        guard knows(header) else { return nil }
        return try? await collection.verify(token, as: IDClaims.self)
    }
}

/// Claims of an ID token (OpenID Connect Core §2). `aud` is a string or a list of them.
struct IDClaims: JWTPayload {
    var iss: String
    var sub: String
    var aud: [String]
    var azp: String?
    var exp: Int64
    var iat: Int64
    var nonce: String?
    var email: String?
    var emailVerified: Bool?
    var preferredUsername: String?
    var name: String?

    enum CodingKeys: String, CodingKey {
        case iss, sub, aud, azp, exp, iat, nonce, email, name
        case emailVerified = "email_verified"
        case preferredUsername = "preferred_username"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        iss = try values.decode(String.self, forKey: .iss)
        sub = try values.decode(String.self, forKey: .sub)
        if let one = try? values.decode(String.self, forKey: .aud) {
            aud = [one]
        } else {
            aud = try values.decode([String].self, forKey: .aud)
        }
        azp = try values.decodeIfPresent(String.self, forKey: .azp)
        exp = try values.decode(Int64.self, forKey: .exp)
        iat = try values.decode(Int64.self, forKey: .iat)
        nonce = try values.decodeIfPresent(String.self, forKey: .nonce)
        // What a person is called never decides who they are: a value of another kind counts as none.
        email = try? values.decodeIfPresent(String.self, forKey: .email)
        emailVerified = try? values.decodeIfPresent(Bool.self, forKey: .emailVerified)
        preferredUsername = try? values.decodeIfPresent(String.self, forKey: .preferredUsername)
        name = try? values.decodeIfPresent(String.self, forKey: .name)
    }

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}
