import Identity
import Testing

/// Addresses that are confirmed, passwords that are changed.
@Suite struct MailFlowTests {
    private let harness: Harness

    init() async throws { harness = try await Harness() }

    @Test func registrationSendsALinkThatConfirmsOnce() async throws {
        let account = try await harness.service.register(
            handle: "alice", email: "Alice@Example.org", password: Harness.password)
        #expect(account.emailVerifiedAtMs == nil)
        #expect(harness.mails.all.map(\.recipient) == ["alice@example.org"])
        let code = try #require(harness.mails.code)
        // The store knows the code by its hash alone.
        #expect(harness.codes.all.map(\.hash) == [Hashing.sha256(Array(code.utf8))])
        try await harness.service.verifyEmail(code: code)
        #expect(try await harness.service.account(account.id)?.emailVerifiedAtMs == harness.clock.nowMs)
        #expect(await harness.code { try await harness.service.verifyEmail(code: code) } == .invalidToken)
    }

    @Test func codesExpireAndServeOnePurpose() async throws {
        _ = try await harness.loggedIn()
        let code = try #require(harness.mails.code)
        let reset = await harness.code {
            try await harness.service.resetPassword(code: code, password: "another good phrase")
        }
        #expect(reset == .invalidToken)
        harness.clock.advance(seconds: 24 * 3600)
        #expect(await harness.code { try await harness.service.verifyEmail(code: code) } == .invalidToken)
        for bad in ["", "x", "a b", String(repeating: "a", count: 100_000), "\u{0}"] {
            #expect(await harness.code { try await harness.service.verifyEmail(code: bad) } == .invalidToken)
        }
    }

    @Test func anotherAddressNeedsThePasswordAndItsOwnProof() async throws {
        let pair = try await harness.loggedIn()
        let wrong = await harness.code {
            try await harness.service.requestVerification(
                of: pair.userID, newEmail: "new@example.org", password: "not this one")
        }
        #expect(wrong == .badCredentials)
        try await harness.service.requestVerification(
            of: pair.userID, newEmail: "new@example.org", password: Harness.password)
        #expect(try await harness.service.account(pair.userID)?.email == "alice@example.org")
        let code = try #require(harness.mails.code)
        // Somebody else proves the address first.
        let other = try await harness.service.register(
            handle: "bob", email: "new@example.org", password: Harness.password)
        let taken = await harness.code { try await harness.service.verifyEmail(code: code) }
        #expect(taken == .emailTaken)
        #expect(try await harness.service.account(other.id)?.email == "new@example.org")
    }

    @Test func resetEndsEverySession() async throws {
        let pair = try await harness.loggedIn()
        harness.service.requestPasswordReset(login: "ALICE@example.org")
        try await wait { harness.mails.all.count == 2 }
        let code = try #require(harness.mails.code)
        let weak = await harness.code {
            try await harness.service.resetPassword(code: code, password: "password")
        }
        #expect(weak == .weakPassword)
        try await harness.service.resetPassword(code: code, password: "another good phrase")
        let old = await harness.code { try await harness.service.authenticate(accessToken: pair.accessToken) }
        #expect(old == .sessionEnded)
        #expect(harness.ended.all.count == 1)
        #expect(
            await harness.code {
                try await harness.service.logIn(login: "alice", password: Harness.password)
            } == .badCredentials)
        _ = try await harness.service.logIn(login: "alice", password: "another good phrase")
        #expect(try await harness.service.account(pair.userID)?.emailVerifiedAtMs != nil)
    }

    @Test func resetsOfNobodySendNothing() async throws {
        harness.service.requestPasswordReset(login: "nobody")
        harness.service.requestPasswordReset(login: "nobody@example.org")
        harness.service.requestPasswordReset(login: String(repeating: "x", count: 10_000))
        try await Task.sleep(for: .milliseconds(50))
        #expect(harness.mails.all.isEmpty)
    }

    @Test func anAddressIsNotFlooded() async throws {
        let pair = try await harness.loggedIn()
        for _ in 0..<20 { try await harness.service.requestVerification(of: pair.userID) }
        #expect(harness.mails.all.count == Limits.mailsPerHour)
        harness.clock.advance(seconds: 3600)
        try await harness.service.requestVerification(of: pair.userID)
        #expect(harness.mails.all.count == Limits.mailsPerHour + 1)
    }

    @Test func changedPasswordEndsTheOtherSessions() async throws {
        let first = try await harness.loggedIn()
        let second = try await harness.service.logIn(login: "alice", password: Harness.password)
        let caller = try await harness.service.authenticate(accessToken: second.accessToken)
        let wrong = await harness.code {
            try await harness.service.changePassword(
                from: "not this one", to: "another good phrase", by: caller)
        }
        #expect(wrong == .badCredentials)
        try await harness.service.changePassword(
            from: Harness.password, to: "another good phrase", by: caller)
        _ = try await harness.service.authenticate(accessToken: second.accessToken)
        #expect(
            await harness.code {
                try await harness.service.authenticate(accessToken: first.accessToken)
            } == .sessionEnded)
    }

    @Test func guessingByAnOpenSessionHasToPause() async throws {
        let pair = try await harness.loggedIn()
        let caller = try await harness.service.authenticate(accessToken: pair.accessToken)
        var codes: Set<IdentityError.Code?> = []
        for _ in 0..<10 {
            codes.insert(
                await harness.code {
                    try await harness.service.changePassword(
                        from: "not this one", to: "another good phrase", by: caller)
                })
        }
        #expect(codes == [.badCredentials, .tooManyAttempts])
    }

    private func wait(_ condition: () -> Bool) async throws {
        for _ in 0..<200 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        try #require(condition())
    }
}
