import Identity
import Testing

/// Keys that change while tokens are out.
@Suite struct KeyRotationTests {
    private func kid(_ token: String) -> String? {
        decoded(String(token.prefix { $0 != "." }))?.split(separator: "\"kid\":\"").last
            .map { String($0.prefix { $0 != "\"" }) }
    }

    @Test func newKeyIsPublishedFirstAndSignsLater() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let old = try #require(try await harness.keys.signingKeys().first)
        let keys = try await harness.service.rotateKeys()
        #expect(keys.count == 2)
        let new = try #require(keys.last)
        #expect(harness.service.jwks().contains(new.id) && harness.service.jwks().contains(old.id))
        let during = try await harness.service.refresh(pair.refreshToken)
        #expect(kid(during.accessToken) == old.id)
        harness.clock.advance(ms: Limits.keyLeadMs)
        let after = try await harness.service.refresh(during.refreshToken)
        #expect(kid(after.accessToken) == new.id)
        _ = try await harness.service.authenticate(accessToken: after.accessToken)
    }

    @Test func oldTokensStayGoodUntilTheyExpire() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let caller = try await harness.service.authenticate(accessToken: pair.accessToken)
        _ = try await harness.service.rotateKeys()
        harness.clock.advance(ms: Limits.keyLeadMs - 1)
        let sync = try await harness.service.mintSyncToken(
            roomID: "r", epoch: 1, for: caller, ttlSeconds: Limits.syncTokenSeconds)
        harness.clock.advance(seconds: Int64(Limits.syncTokenSeconds) - 1)
        try await harness.service.tendKeys()
        _ = try await harness.service.verifySyncToken(sync.token)
        harness.clock.advance(seconds: 62)
        try await harness.service.tendKeys()
        #expect(try await harness.keys.signingKeys().count == 1)
        let late = await harness.code { try await harness.service.verifySyncToken(sync.token) }
        #expect(late == .invalidToken)
    }

    @Test func stolenKeyIsGoneAtOnce() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let keys = try await harness.service.rotateKeys(atOnce: true)
        #expect(keys.count == 1)
        let old = await harness.code {
            try await harness.service.authenticate(accessToken: pair.accessToken)
        }
        #expect(old == .invalidToken)
        let next = try await harness.service.refresh(pair.refreshToken)
        _ = try await harness.service.authenticate(accessToken: next.accessToken)
    }

    @Test func anotherProcessTakesUpANewKeyWhenItSeesOne() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let other = try await harness.restarted()
        _ = try await other.rotateKeys(atOnce: true)
        let next = try await other.refresh(pair.refreshToken)
        harness.clock.advance(ms: Limits.keyReloadMs)
        _ = try await harness.service.authenticate(accessToken: next.accessToken)
        // And has forgotten the one that was removed.
        let old = await harness.code {
            try await harness.service.authenticate(accessToken: pair.accessToken)
        }
        #expect(old == .invalidToken)
    }

    @Test func keysAreReplacedByTheirAge() async throws {
        let day: Int64 = 24 * 3600
        let harness = try await Harness(
            settings: IdentitySettings(passwordHash: Harness.cheapHash, keyRotationMs: 30 * day * 1000))
        try await harness.service.tendKeys()
        #expect(try await harness.keys.signingKeys().count == 1)
        harness.clock.advance(seconds: 30 * day)
        try await harness.service.tendKeys()
        try await harness.service.tendKeys()
        #expect(try await harness.keys.signingKeys().count == 2)
    }

    @Test func graceIsForTheSameClient() async throws {
        let harness = try await Harness()
        _ = try await harness.service.register(
            handle: "alice", email: "a@example.org", password: Harness.password)
        let mine = SessionClient(agent: "browser", address: "192.0.2.1")
        let pair = try await harness.service.logIn(login: "alice", password: Harness.password, client: mine)
        _ = try await harness.service.refresh(pair.refreshToken, client: mine)
        _ = try await harness.service.refresh(pair.refreshToken, client: mine)
        let thief = await harness.code {
            try await harness.service.refresh(
                pair.refreshToken, client: SessionClient(agent: "browser", address: "192.0.2.2"))
        }
        #expect(thief == .sessionEnded)
        #expect(harness.ended.all.count == 1)
    }

    @Test func tokensFromTheFutureAreRefused() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        harness.clock.advance(seconds: -60)
        let other = try await harness.restarted()
        _ = try await other.authenticate(accessToken: pair.accessToken)
        harness.clock.advance(seconds: -1)
        // One that has never seen a later time.
        let earlier = try await harness.restarted()
        let early = await harness.code { try await earlier.authenticate(accessToken: pair.accessToken) }
        #expect(early == .invalidToken)
    }

    @Test func aClockThatIsSetBackEndsNobodysSession() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        harness.clock.advance(seconds: -3_600)
        _ = try await harness.service.authenticate(accessToken: pair.accessToken)
    }
}
