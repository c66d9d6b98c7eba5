import Identity
import JWTKit
import Testing

/// Any claims, to forge tokens with.
private struct ForgedClaims: JWTPayload {
    var iss: String? = "coduel"
    var aud: String? = "api"
    var sub: String?
    var sid: String?
    var handle: String? = "alice"
    var roles: [String]? = ["admin"]
    var room: String?
    var epoch: Int64?
    var iat: Int64?
    var exp: Int64?
    var jti: String? = "x"

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

@Suite struct TokenTests {
    private let harness: Harness
    private let pair: TokenPair
    private let caller: Caller
    private let key: SigningKey

    init() async throws {
        harness = try await Harness()
        pair = try await harness.loggedIn()
        caller = try await harness.service.authenticate(accessToken: pair.accessToken)
        key = try #require(try await harness.keys.signingKeys().first)
    }

    private func claims() -> ForgedClaims {
        let now = harness.clock.nowMs / 1000
        return ForgedClaims(sub: caller.userID, sid: caller.sessionID, iat: now, exp: now + 600)
    }

    /// Signed with our own key, so that only the claims and the header can be at fault.
    private func signed(
        _ claims: ForgedClaims, type: String = "at+jwt", header extra: [String: JWTHeaderField] = [:]
    ) async throws -> String {
        let keys = JWTKeyCollection()
        let seed = base64URL(key.seed)
        await keys.add(
            eddsa: try EdDSA.PrivateKey(d: seed, curve: .ed25519), kid: JWKIdentifier(string: key.id))
        var header = JWTHeader(fields: extra)
        header.typ = type
        return try await keys.sign(claims, kid: JWKIdentifier(string: key.id), header: header)
    }

    private func code(_ token: String) async -> IdentityError.Code? {
        await harness.code { try await harness.service.authenticate(accessToken: token) }
    }

    @Test func carriesTheClaimsOfRFC9068() async throws {
        let parts = pair.accessToken.split(separator: ".").map(String.init)
        let header = try #require(decoded(parts[0]))
        #expect(header.contains(#""alg":"EdDSA""#) && header.contains(#""typ":"at+jwt""#))
        #expect(header.contains(#""kid":"\#(key.id)""#))
        let payload = try #require(decoded(parts[1]))
        for claim in ["sub", "sid", "handle", "roles", "iat", "exp", "jti", "iss", "aud"] {
            #expect(payload.contains("\"\(claim)\":"))
        }
        #expect(payload.contains(#""aud":"api""#))
        #expect(await code(try await signed(claims())) == nil)
    }

    @Test func expires() async throws {
        harness.clock.advance(ms: 599_999)
        #expect(await code(pair.accessToken) == nil)
        harness.clock.advance(ms: 1)
        #expect(await code(pair.accessToken) == .invalidToken)
    }

    /// What was verified once is known by its bytes: neither another kind of token nor a changed one passes for it.
    @Test func knowsVerifiedTokensApart() async throws {
        let (sync, _) = try await harness.service.mintSyncToken(
            roomID: "room", epoch: 0, for: caller, ttlSeconds: 60)
        for _ in 0..<2 {
            #expect(try await harness.service.verifySyncToken(sync).roomID == "room")
            #expect(await code(pair.accessToken) == nil)
            #expect(await code(sync) == .invalidToken)
            #expect(
                await harness.code { try await harness.service.verifySyncToken(pair.accessToken) }
                    == .invalidToken)
            #expect(await code(pair.accessToken + "A") == .invalidToken)
            #expect(await code(String(pair.accessToken.dropLast())) == .invalidToken)
        }
    }

    @Test func refusesWrongClaims() async throws {
        let now = harness.clock.nowMs / 1000
        let changes: [(inout ForgedClaims) -> Void] = [
            { $0.aud = "sync" }, { $0.aud = nil }, { $0.aud = "API" }, { $0.iss = "other" }, { $0.iss = nil },
            { $0.exp = now }, { $0.exp = nil }, { $0.exp = .min }, { $0.sid = nil }, { $0.sub = nil },
            { $0.sub = "somebody else" },
        ]
        for change in changes {
            var claims = claims()
            change(&claims)
            #expect(await code(try await signed(claims)) == .invalidToken)
        }
        var foreign = claims()
        foreign.sid = "no such session"
        #expect(await code(try await signed(foreign)) == .sessionEnded)
    }

    @Test func takesRolesFromTheAccountNotFromTheToken() async throws {
        let token = try await signed(claims())
        #expect(try await harness.service.authenticate(accessToken: token).roles == [.user])
    }

    @Test func refusesOtherHeaders() async throws {
        for type in ["JWT", "sync+jwt", "at+JWT", ""] {
            #expect(await code(try await signed(claims(), type: type)) == .invalidToken)
        }
        let jwk: JWTHeaderField = .object(["kty": .string("OKP")])
        for extra in [
            ["crit": JWTHeaderField.array([.string("exp")])], ["jwk": jwk], ["jku": .string("https://x")],
        ] {
            #expect(await code(try await signed(claims(), header: extra)) == .invalidToken)
        }
    }

    @Test func refusesOtherKeys() async throws {
        let foreign = try EdDSA.PrivateKey(curve: .ed25519)
        for kid in [key.id, "other", ""] {
            let keys = JWTKeyCollection()
            await keys.add(eddsa: foreign, kid: JWKIdentifier(string: kid))
            var header = JWTHeader()
            header.typ = "at+jwt"
            let token = try await keys.sign(claims(), kid: JWKIdentifier(string: kid), header: header)
            #expect(await code(token) == .invalidToken)
        }
        // Our own key under another name.
        let renamed = JWTKeyCollection()
        await renamed.add(
            eddsa: try EdDSA.PrivateKey(d: base64URL(key.seed), curve: .ed25519),
            kid: JWKIdentifier(string: "other"))
        var header = JWTHeader()
        header.typ = "at+jwt"
        let token = try await renamed.sign(claims(), kid: JWKIdentifier(string: "other"), header: header)
        #expect(await code(token) == .invalidToken)
    }

    @Test func refusesUnsignedAndSymmetricTokens() async throws {
        let payload = pair.accessToken.split(separator: ".")[1]
        for algorithm in ["none", "None", "NONE", "HS256", "ES256", ""] {
            let header = base64URL(Array(#"{"alg":"\#(algorithm)","typ":"at+jwt","kid":"\#(key.id)"}"#.utf8))
            for signature in ["", "AAAA", String(pair.accessToken.split(separator: ".")[2])] {
                #expect(await code("\(header).\(payload).\(signature)") == .invalidToken)
            }
        }
        // The public key as the secret of an HMAC, in the forms an attacker can read.
        let publicKey = try EdDSA.PrivateKey(d: base64URL(key.seed), curve: .ed25519).publicKey
        let secrets = [
            [UInt8](publicKey.rawRepresentation), Array(base64URL([UInt8](publicKey.rawRepresentation)).utf8),
            Array(publicKey.pemRepresentation.utf8), Array(harness.service.jwks().utf8),
        ]
        for secret in secrets {
            let keys = JWTKeyCollection()
            let kid = JWKIdentifier(string: key.id)
            await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256, kid: kid)
            var header = JWTHeader()
            header.typ = "at+jwt"
            #expect(await code(try await keys.sign(claims(), kid: kid, header: header)) == .invalidToken)
            header.alg = "EdDSA"
            #expect(await code(try await keys.sign(claims(), kid: kid, header: header)) == .invalidToken)
        }
    }

    @Test func refusesDamagedTokens() async throws {
        let token = Array(pair.accessToken.utf8)
        let lastDot = try #require(token.lastIndex(of: UInt8(ascii: ".")))
        for index in 0..<lastDot where index.isMultiple(of: 3) {
            var damaged = token
            damaged[index] = damaged[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(await code(String(decoding: damaged, as: UTF8.self)) == .invalidToken)
        }
        for garbage in ["", ".", "..", "...", "a.b.c", "\u{0}.\u{0}.\u{0}", "é.é.é", pair.refreshToken] {
            #expect(await code(garbage) == .invalidToken)
        }
        for cut in stride(from: 0, to: token.count, by: 7) {
            #expect(await code(String(decoding: token.prefix(cut), as: UTF8.self)) == .invalidToken)
        }
    }

    @Test func deepAndHugeJSONIsRefused() async throws {
        let deep = base64URL(Array((String(repeating: "[", count: 1400) + "]").utf8))
        let parts = pair.accessToken.split(separator: ".")
        #expect(await code("\(deep).\(parts[1]).\(parts[2])") == .invalidToken)
        #expect(await code("\(parts[0]).\(deep).\(parts[2])") == .invalidToken)
    }

    @Test func syncTokensAreForOneRoomOnly() async throws {
        let minted = try await harness.service.mintSyncToken(
            roomID: "room-1", epoch: 3, for: caller, ttlSeconds: 3600)
        #expect(minted.expiresAtMs == harness.clock.nowMs / 1000 * 1000 + 3_600_000)
        let grant = try await harness.service.verifySyncToken(minted.token)
        #expect(grant.roomID == "room-1" && grant.epoch == 3 && grant.caller == caller)
        #expect(grant.expiresAtMs == minted.expiresAtMs)
        #expect(await code(minted.token) == .invalidToken)
        #expect(
            await harness.code { try await harness.service.verifySyncToken(pair.accessToken) }
                == .invalidToken)
        harness.clock.advance(seconds: 3600)
        #expect(
            await harness.code { try await harness.service.verifySyncToken(minted.token) } == .invalidToken)
    }

    @Test func syncTokensLiveAtMostTwelveHours() async throws {
        for (asked, given) in [(Int.max, 43_200), (43_201, 43_200), (0, 1), (Int.min, 1)] {
            let minted = try await harness.service.mintSyncToken(
                roomID: "r", epoch: 1, for: caller, ttlSeconds: asked)
            #expect(minted.expiresAtMs == (harness.clock.nowMs / 1000 + Int64(given)) * 1000)
        }
        #expect(
            await harness.code {
                try await harness.service.mintSyncToken(
                    roomID: String(repeating: "r", count: 200), epoch: 1, for: caller, ttlSeconds: 1)
            } == .notFound)
    }

    @Test func anotherTypeDoesNotPassWithTheRightClaims() async throws {
        var claims = claims()
        claims.aud = "sync"
        claims.room = "room"
        claims.epoch = 1
        let asAccess = try await signed(claims, type: "at+jwt")
        #expect(await harness.code { try await harness.service.verifySyncToken(asAccess) } == .invalidToken)
        let asSync = try await signed(claims, type: "sync+jwt")
        _ = try await harness.service.verifySyncToken(asSync)
        claims.aud = "api"
        let wrongAudience = try await signed(claims, type: "sync+jwt")
        #expect(
            await harness.code { try await harness.service.verifySyncToken(wrongAudience) } == .invalidToken)
    }

    @Test func theKeySetVerifiesTokens() async throws {
        let keys = JWTKeyCollection()
        try await keys.add(jwksJSON: harness.service.jwks())
        let claims = try await keys.verify(pair.accessToken, as: ForgedClaims.self)
        #expect(claims.sub == caller.userID)
        #expect(!harness.service.jwks().contains(base64URL(key.seed)))
    }

    @Test func theKeyOutlivesARestart() async throws {
        let again = try await harness.restarted()
        #expect(again.jwks() == harness.service.jwks())
        #expect(try await again.authenticate(accessToken: pair.accessToken) == caller)
    }

    /// Ed25519 key and thumbprint of RFC 8037, appendices A.1 to A.3.
    @Test func namesKeysByTheirThumbprint() async throws {
        let seed: [UInt8] = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ]
        let environment = IdentityEnvironment(now: { 0 }, randomBytes: { Array(seed.prefix($0)) })
        let accounts = MemoryAccountStore()
        let service = try await IdentityService.start(
            accounts: accounts, sessions: MemorySessionStore(accounts: accounts),
            keys: MemorySigningKeyStore(),
            settings: IdentitySettings(passwordHash: Harness.cheapHash), environment: environment)
        #expect(service.jwks().contains(#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#))
        #expect(service.jwks().contains(#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k""#))
    }
}

private func base64URL(_ bytes: [UInt8]) -> String { Base64URL.encode(bytes) }

/// base64url to text, for looking at tokens.
func decoded(_ text: String) -> String? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var bits = 0
    var buffer = 0
    var bytes: [UInt8] = []
    for character in text {
        guard let value = alphabet.firstIndex(of: character) else { return nil }
        buffer = (buffer << 6 | value) & 0xFFFF
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
