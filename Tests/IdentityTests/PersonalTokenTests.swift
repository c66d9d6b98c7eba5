import Identity
import Testing

/// Tokens for scripts, and tickets for sockets.
@Suite struct PersonalTokenTests {
    private let harness: Harness
    private let caller: Caller

    init() async throws {
        harness = try await Harness()
        let pair = try await harness.loggedIn()
        caller = try await harness.service.authenticate(accessToken: pair.accessToken)
    }

    private func code(_ token: String) async -> IdentityError.Code? {
        await harness.code { try await harness.service.authenticate(personalToken: token) }
    }

    @Test func actsAsItsOwnerWithinItsScopes() async throws {
        let (token, text) = try await harness.service.makeToken(
            name: "ci", scopes: [.read], days: nil, for: caller)
        let found = try await harness.service.authenticate(personalToken: text)
        #expect(found.userID == caller.userID && found.tokenScopes == [.read] && found.roles == [.user])
        #expect(try await harness.service.tokens(of: caller.userID).first?.usedAtMs == harness.clock.nowMs)
        #expect(try await harness.service.isSessionLive(token.sessionID))
        // It is no access token, and an access token is none.
        #expect(
            await harness.code { try await harness.service.authenticate(accessToken: text) } == .invalidToken)
    }

    @Test func refusesWhatIsNoToken() async throws {
        let (_, text) = try await harness.service.makeToken(
            name: "ci", scopes: [.read], days: nil, for: caller)
        for bad in [
            "", "cdp_", "cdp__", String(text.dropLast()), text + "A", "cdp_x_y", String(text.dropFirst()),
            text.replacing("cdp_", with: "cdk_"), String(repeating: "cdp_a_", count: 1_000),
        ] { #expect(await code(bad) == .invalidToken) }
    }

    @Test func endsWithItsTimeItsOwnerAndByCommand() async throws {
        let (token, text) = try await harness.service.makeToken(
            name: "ci", scopes: [.read], days: 1, for: caller)
        harness.clock.advance(seconds: 24 * 3600 - 1)
        #expect(await code(text) == nil)
        harness.clock.advance(seconds: 1)
        #expect(await code(text) == .invalidToken)
        #expect(try await !harness.service.isSessionLive(token.sessionID))

        let (second, secondText) = try await harness.service.makeToken(
            name: "ci", scopes: [.read, .sync], days: nil, for: caller)
        let notHis = await harness.code {
            try await harness.service.removeToken(second.id, of: "somebody else")
        }
        #expect(notHis == .notFound)
        try await harness.service.removeToken(second.id, of: caller.userID)
        #expect(await code(secondText) == .invalidToken)
        #expect(harness.ended.all.contains(second.sessionID))
    }

    @Test func isBoundedAndNamed() async throws {
        for (name, scopes, days) in [
            ("", Set([TokenScope.read]), nil), ("a\nb", [.read], nil), ("ci", [], nil), ("ci", [.read], 0),
            ("ci", [.read], 367), (String(repeating: "n", count: 65), [.read], nil),
        ] as [(String, Set<TokenScope>, Int?)] {
            let code = await harness.code {
                try await harness.service.makeToken(name: name, scopes: scopes, days: days, for: caller)
            }
            #expect(code == .invalidFields)
        }
        for _ in 0..<Limits.personalTokensPerAccount {
            _ = try await harness.service.makeToken(name: "ci", scopes: [.read], days: nil, for: caller)
        }
        let oneMore = await harness.code {
            try await harness.service.makeToken(name: "ci", scopes: [.read], days: nil, for: caller)
        }
        #expect(oneMore == .invalidFields)
    }

    @Test func ticketOpensOnce() async throws {
        let (ticket, seconds) = try await harness.service.mintSocketTicket(for: caller)
        #expect(seconds == 30)
        let found = try await harness.service.redeemSocketTicket(ticket)
        #expect(found.userID == caller.userID && found.sessionID == caller.sessionID)
        let again = await harness.code { try await harness.service.redeemSocketTicket(ticket) }
        #expect(again == .invalidToken)
    }

    @Test func ticketExpiresAndEndsWithItsSession() async throws {
        let late = try await harness.service.mintSocketTicket(for: caller).ticket
        harness.clock.advance(seconds: 30)
        #expect(await harness.code { try await harness.service.redeemSocketTicket(late) } == .invalidToken)
        let orphan = try await harness.service.mintSocketTicket(for: caller).ticket
        try await harness.service.endSession(caller.sessionID)
        #expect(await harness.code { try await harness.service.redeemSocketTicket(orphan) } == .sessionEnded)
    }

    @Test func ofTwoWhoPresentATicketOneGetsIn() async throws {
        let ticket = try await harness.service.mintSocketTicket(for: caller).ticket
        let service = harness.service
        let winners = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask { (try? await service.redeemSocketTicket(ticket)) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
    }
}
