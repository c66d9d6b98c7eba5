import Identity
import Testing

@Suite struct SessionTests {
    @Test func refreshRotates() async throws {
        let harness = try await Harness()
        let first = try await harness.loggedIn()
        harness.clock.advance(seconds: 300)
        let second = try await harness.service.refresh(first.refreshToken)
        #expect(second.refreshToken != first.refreshToken)
        #expect(second.accessToken != first.accessToken)
        #expect(second.userID == first.userID)
        let third = try await harness.service.refresh(second.refreshToken)
        let sessions = try await [first, second, third].asyncMap {
            try await harness.service.authenticate(accessToken: $0.accessToken).sessionID
        }
        #expect(Set(sessions).count == 1)
    }

    @Test func onlyTheHashOfARefreshTokenIsStored() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        #expect(pair.refreshToken.utf8.count == 43)
        #expect(harness.sessions.hashes == [Hashing.sha256(Array(pair.refreshToken.utf8))])
    }

    @Test func inTheGraceAFreshPairIsGivenAgain() async throws {
        let harness = try await Harness()
        let first = try await harness.loggedIn()
        let second = try await harness.service.refresh(first.refreshToken)
        harness.clock.advance(ms: 9_999)
        let again = try await harness.service.refresh(first.refreshToken)
        #expect(again.refreshToken != second.refreshToken)
        // Both go on.
        _ = try await harness.service.refresh(second.refreshToken)
        _ = try await harness.service.refresh(again.refreshToken)
        #expect(harness.ended.all.isEmpty)
    }

    @Test func afterTheGraceReuseEndsTheFamily() async throws {
        let harness = try await Harness()
        let first = try await harness.loggedIn()
        let second = try await harness.service.refresh(first.refreshToken)
        let sync = try await harness.service.mintSyncToken(
            roomID: "room", epoch: 1,
            for: try await harness.service.authenticate(accessToken: second.accessToken), ttlSeconds: 60)
        harness.clock.advance(ms: 10_000)
        let sessionID = try await harness.service.authenticate(accessToken: second.accessToken).sessionID
        #expect(await harness.code { try await harness.service.refresh(first.refreshToken) } == .sessionEnded)
        #expect(harness.ended.all == [sessionID])
        for token in [first.accessToken, second.accessToken] {
            #expect(
                await harness.code { try await harness.service.authenticate(accessToken: token) }
                    == .sessionEnded)
        }
        #expect(
            await harness.code { try await harness.service.refresh(second.refreshToken) } == .sessionEnded)
        #expect(await harness.code { try await harness.service.verifySyncToken(sync.token) } == .sessionEnded)
        // Another session of the same account goes on.
        let other = try await harness.service.logIn(login: "alice", password: Harness.password)
        _ = try await harness.service.authenticate(accessToken: other.accessToken)
    }

    @Test func reissuesInTheGraceAreCounted() async throws {
        let harness = try await Harness()
        let first = try await harness.loggedIn()
        for _ in 0...Limits.refreshGraceReissues { _ = try await harness.service.refresh(first.refreshToken) }
        #expect(await harness.code { try await harness.service.refresh(first.refreshToken) } == .sessionEnded)
    }

    @Test func twoRefreshesAtOnceBothSucceed() async throws {
        let harness = try await Harness()
        let first = try await harness.loggedIn()
        let pairs = try await withThrowingTaskGroup(of: TokenPair.self) { group in
            for _ in 0..<8 { group.addTask { try await harness.service.refresh(first.refreshToken) } }
            return try await group.reduce(into: [TokenPair]()) { $0.append($1) }
        }
        #expect(Set(pairs.map(\.refreshToken)).count == 8)
        #expect(harness.ended.all.isEmpty)
    }

    @Test func idleAndAbsoluteTimesEndRefreshing() async throws {
        let harness = try await Harness()
        let idle = try await harness.loggedIn("alice")
        harness.clock.advance(ms: Limits.refreshIdleMs - 1)
        let kept = try await harness.service.refresh(idle.refreshToken)
        harness.clock.advance(ms: Limits.refreshIdleMs)
        #expect(await harness.code { try await harness.service.refresh(kept.refreshToken) } == .invalidToken)

        var pair = try await harness.loggedIn("bob")
        let day: Int64 = 24 * 3600 * 1000
        for _ in 0..<59 {
            harness.clock.advance(ms: day)
            pair = try await harness.service.refresh(pair.refreshToken)
        }
        harness.clock.advance(ms: day)
        #expect(await harness.code { try await harness.service.refresh(pair.refreshToken) } == .invalidToken)
        #expect(
            await harness.code {
                try await harness.service.authenticate(accessToken: pair.accessToken)
            } == .invalidToken)
    }

    @Test func unknownAndMalformedRefreshTokensAreRefused() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let foreign = String(repeating: "A", count: 43)
        for token in [
            "", "x", foreign, pair.accessToken, pair.refreshToken + "A", "\u{0}" + foreign.dropFirst(),
        ] {
            #expect(await harness.code { try await harness.service.refresh(token) } == .invalidToken)
        }
    }

    @Test func anEndedSessionIsRefusedAtOnce() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let caller = try await harness.service.authenticate(accessToken: pair.accessToken)
        #expect(try await harness.service.isSessionLive(caller.sessionID))
        try await harness.service.endSession(caller.sessionID)
        #expect(
            await harness.code {
                try await harness.service.authenticate(accessToken: pair.accessToken)
            } == .sessionEnded)
        #expect(await harness.code { try await harness.service.refresh(pair.refreshToken) } == .sessionEnded)
        #expect(try await !harness.service.isSessionLive(caller.sessionID))
        try await harness.service.endSession(caller.sessionID)
        try await harness.service.endSession("never was")
        #expect(harness.ended.all == [caller.sessionID])
    }

    /// Many requests while the session ends: after `endSession` has returned, not one is let through.
    @Test func noRequestOutlivesItsSession() async throws {
        let harness = try await Harness()
        for _ in 0..<20 {
            let pair = try await harness.service.logInAsGuest(handle: nil)
            let sessionID = try await harness.service.authenticate(accessToken: pair.accessToken).sessionID
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        _ = try? await harness.service.authenticate(accessToken: pair.accessToken)
                    }
                }
                group.addTask {
                    try? await harness.service.endSession(sessionID)
                    let late = await harness.code {
                        try await harness.service.authenticate(accessToken: pair.accessToken)
                    }
                    #expect(late == .sessionEnded)
                }
            }
            #expect(
                await harness.code {
                    try await harness.service.authenticate(accessToken: pair.accessToken)
                } == .sessionEnded)
        }
    }

    @Test func anotherProcessIsSeenAfterTheCacheTime() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let other = try await harness.restarted()
        let caller = try await other.authenticate(accessToken: pair.accessToken)
        let reads = harness.sessions.reads.withLock { $0 }
        for _ in 0..<100 { _ = try await other.authenticate(accessToken: pair.accessToken) }
        #expect(harness.sessions.reads.withLock { $0 } == reads)
        try await harness.service.endSession(caller.sessionID)
        harness.clock.advance(ms: Limits.sessionCacheMs)
        #expect(
            await harness.code { try await other.authenticate(accessToken: pair.accessToken) }
                == .sessionEnded)
    }

    @Test func theOldestSessionGoesWhenThereAreTooMany() async throws {
        let harness = try await Harness()
        let first = try await harness.loggedIn()
        for _ in 0..<Limits.sessionsPerAccount {
            harness.clock.advance(ms: 1)
            _ = try await harness.service.logIn(login: "alice", password: Harness.password)
        }
        #expect(harness.ended.all.count == 1)
        #expect(
            await harness.code {
                try await harness.service.authenticate(accessToken: first.accessToken)
            } == .sessionEnded)
    }
}

extension Sequence {
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
