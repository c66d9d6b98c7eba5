import Identity
import Testing

@Suite struct AccountTests {
    @Test func registersAndLogsInByHandleAndEmail() async throws {
        let harness = try await Harness()
        let account = try await harness.service.register(
            handle: "Alice_1", email: "Alice@Example.ORG", password: Harness.password)
        #expect(account.handle == "Alice_1")
        #expect(account.email == "alice@example.org")
        #expect(account.roles == [.user])
        for login in ["Alice_1", "alice_1", "ALICE@example.org"] {
            let pair = try await harness.service.logIn(login: login, password: Harness.password)
            #expect(pair.userID == account.id)
            #expect(pair.handle == "Alice_1")
            #expect(pair.expiresInSeconds == 600)
        }
        #expect(try await harness.service.account(account.id) == account)
        #expect(try await harness.service.account("nobody") == nil)
        let found = try await harness.service.accounts(ids: [account.id, account.id, "nobody"])
        #expect(found == [account.id: account])
    }

    @Test func listsEveryFault() async throws {
        let harness = try await Harness()
        do {
            _ = try await harness.service.register(handle: "a!", email: "nowhere", password: "short")
            Issue.record("accepted")
        } catch let error {
            #expect(error.code == .invalidHandle)
            #expect(error.fieldErrors.map(\.field) == ["handle", "email", "password"])
        }
    }

    @Test(arguments: [
        ("al", true), ("ali", false), ("abcdefghij0123456789", false), ("abcdefghij01234567890", true),
        ("with space", true), ("Ümlaut", true), ("nul\u{0}led", true), ("tab\tbed", true), ("-_-", false),
        ("", true), ("e\u{301}e\u{301}e", true),
    ])
    func judgesHandles(handle: String, refused: Bool) {
        #expect((CredentialRules.handleFault(handle) != nil) == refused)
    }

    @Test(arguments: [
        ("a@b.c", "a@b.c"), ("A.B+c@Ex-ample.co.uk", "a.b+c@ex-ample.co.uk"), ("no-at.example.org", nil),
        ("two@at@example.org", nil), ("@example.org", nil), ("a@", nil), ("a@localhost", nil),
        ("a@b..c", nil),
        ("a@.b.c", nil), ("a b@c.d", nil), ("a\u{0}@b.c", nil), ("a\n@b.c", nil), ("", nil),
    ])
    func judgesEmails(email: String, expected: String?) {
        #expect(CredentialRules.normalisedEmail(email) == expected)
    }

    @Test func refusesOverlongInput() async throws {
        let harness = try await Harness()
        let huge = String(repeating: "a", count: 1 << 20)
        #expect(CredentialRules.normalisedEmail(huge + "@b.c") == nil)
        #expect(CredentialRules.handleFault(huge) != nil)
        #expect(CredentialRules.passwordFault(huge, handle: "alice") != nil)
        #expect(
            await harness.code { try await harness.service.logIn(login: huge, password: "x") }
                == .badCredentials)
        #expect(await harness.code { try await harness.service.refresh(huge) } == .invalidToken)
        #expect(
            await harness.code { try await harness.service.authenticate(accessToken: huge) } == .invalidToken)
    }

    @Test(arguments: [
        ("1234567", true), ("12345678", true), ("Password1", true), ("aaaaaaaa", true), ("abababab", true),
        ("alice-alice", true), ("nul\u{0}led password", true), ("line\nbreak password", true),
        ("c1 control \u{85} password", true), (String(repeating: "ab3", count: 42) + "xy", false),
        (String(repeating: "ab3", count: 43), true), ("пароль-с-буквами", false), ("correct horse", false),
        ("🐎🔋🖇️ battery", false),
    ])
    func judgesPasswords(password: String, refused: Bool) {
        #expect((CredentialRules.passwordFault(password, handle: "alice-alice") != nil) == refused)
    }

    @Test func refusesWhatIsTaken() async throws {
        let harness = try await Harness()
        _ = try await harness.loggedIn("alice")
        do {
            _ = try await harness.service.register(
                handle: "ALICE", email: "ALICE@example.org", password: Harness.password)
            Issue.record("accepted")
        } catch let error {
            #expect(error.code == .handleTaken)
            #expect(error.fieldErrors.map(\.field) == ["handle", "email"])
        }
        let email = await harness.code {
            try await harness.service.register(
                handle: "bob", email: "alice@example.org", password: Harness.password)
        }
        #expect(email == .emailTaken)
    }

    @Test func oneHandleGoesToOneOfMany() async throws {
        let harness = try await Harness()
        let won = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<20 {
                group.addTask {
                    let account = try? await harness.service.register(
                        handle: index.isMultiple(of: 2) ? "Racer" : "rAcer", email: "r\(index)@example.org",
                        password: Harness.password)
                    return account != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(won == 1)
    }

    @Test func guestsGetASuffixAndNoPassword() async throws {
        let harness = try await Harness()
        var handles: Set<String> = []
        for _ in 0..<20 {
            let pair = try await harness.service.logInAsGuest(handle: "abcdefghij0123456789")
            #expect(pair.handle.hasPrefix("abcdefghij01234-"))
            #expect(CredentialRules.handleFault(pair.handle) == nil)
            handles.insert(pair.handle)
            let caller = try await harness.service.authenticate(accessToken: pair.accessToken)
            #expect(caller.isGuest)
            #expect(caller.roles == [.guest])
            #expect(
                await harness.code {
                    try await harness.service.logIn(login: pair.handle, password: "whatever it is")
                } == .badCredentials)
        }
        #expect(handles.count == 20)
        #expect(try await harness.service.logInAsGuest(handle: nil).handle.hasPrefix("guest-"))
        #expect(
            await harness.code { try await harness.service.logInAsGuest(handle: "no way") } == .invalidHandle)
    }

    @Test func guestsCanBeTurnedOff() async throws {
        let harness = try await Harness(
            settings: IdentitySettings(guestsAllowed: false, passwordHash: Harness.cheapHash))
        #expect(await harness.code { try await harness.service.logInAsGuest(handle: nil) } == .guestsDisabled)
    }

    @Test func rolesIncludeTheLesserOnes() async throws {
        let harness = try await Harness()
        let admin = try await harness.service.createUser(
            handle: "root", role: .admin, password: Harness.password)
        #expect(admin.roles == [.user, .author, .moderator, .admin])
        #expect(admin.email == nil)
        #expect(
            await harness.code {
                try await harness.service.createUser(handle: "gus", role: .guest, password: Harness.password)
            } == .invalidRole)
    }

    @Test func aRoleGivenCountsAtOnceAndARoleTakenEndsSessions() async throws {
        let harness = try await Harness()
        let pair = try await harness.loggedIn()
        let before = try await harness.service.authenticate(accessToken: pair.accessToken)
        #expect(before.roles == [.user])
        _ = try await harness.service.setRole(.moderator, of: pair.userID)
        let after = try await harness.service.authenticate(accessToken: pair.accessToken)
        #expect(after.roles == [.user, .moderator])
        #expect(harness.ended.all.isEmpty)
        _ = try await harness.service.setRole(.user, of: pair.userID)
        #expect(harness.ended.all == [after.sessionID])
        #expect(
            await harness.code {
                try await harness.service.authenticate(accessToken: pair.accessToken)
            } == .sessionEnded)
        #expect(await harness.code { try await harness.service.setRole(.admin, of: "nobody") } == .notFound)
        let guest = try await harness.service.logInAsGuest(handle: nil)
        #expect(
            await harness.code { try await harness.service.setRole(.admin, of: guest.userID) } == .invalidRole
        )
    }

    @Test func aFailingStoreIsUnavailable() async throws {
        let harness = try await Harness()
        struct Broken: Error {}
        harness.accounts.failure.withLock { $0 = Broken() }
        #expect(
            await harness.code {
                try await harness.service.logIn(login: "alice", password: Harness.password)
            } == .unavailable)
        #expect(
            await harness.code {
                try await harness.service.register(
                    handle: "alice", email: "a@b.c", password: Harness.password)
            } == .unavailable)
    }
}
