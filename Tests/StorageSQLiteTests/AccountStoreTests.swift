import Identity
import StorageSQLite
import Testing

@Suite struct AccountStoreTests {
    private let scratch = Scratch()
    private let database: CoduelDatabase
    private let accounts: AccountStoreSQLite
    private let sessions: SessionStoreSQLite

    init() throws {
        database = try scratch.open()
        accounts = AccountStoreSQLite(database)
        sessions = SessionStoreSQLite(database)
    }

    private func account(_ id: String, handle: String, email: String? = nil) -> Account {
        Account(id: id, handle: handle, email: email, roles: [.user, .author], createdAtMs: 42)
    }

    @Test func keepsAccounts() async throws {
        let alice = account("1", handle: "Alice", email: "alice@example.org")
        #expect(try await accounts.insert(alice, passwordHash: "hash") == nil)
        #expect(try await accounts.account("1") == alice)
        let byHandle = try #require(try await accounts.credentials(handle: "aLICE"))
        #expect(byHandle.account == alice && byHandle.passwordHash == "hash")
        #expect(try await accounts.credentials(email: "alice@example.org")?.account == alice)
        #expect(try await accounts.credentials(email: "Alice@example.org") == nil)
        try await accounts.setPasswordHash("other", of: "1")
        #expect(try await accounts.credentials(handle: "alice")?.passwordHash == "other")
        #expect(try await accounts.setRoles([.guest], of: "1"))
        #expect(try await accounts.account("1")?.roles == [.guest])
        #expect(try await !accounts.setRoles([.guest], of: "2"))
    }

    @Test func saysWhatIsTaken() async throws {
        #expect(
            try await accounts.insert(account("1", handle: "alice", email: "a@b.c"), passwordHash: nil) == nil
        )
        let both = try await accounts.insert(account("2", handle: "ALICE", email: "a@b.c"), passwordHash: nil)
        #expect(both == AccountConflict(handle: true, email: true))
        let email = try await accounts.insert(account("2", handle: "bob", email: "a@b.c"), passwordHash: nil)
        #expect(email == AccountConflict(handle: false, email: true))
        #expect(try await accounts.account("2") == nil)
        #expect(try await accounts.insert(account("2", handle: "bob"), passwordHash: nil) == nil)
        #expect(try await accounts.insert(account("3", handle: "carol"), passwordHash: nil) == nil)
    }

    @Test func aHandleGoesToOneOfMany() async throws {
        let accounts = accounts
        let won = try await successes(of: 40) { index in
            let account = Account(
                id: "\(index)", handle: index.isMultiple(of: 2) ? "racer" : "RACER", email: nil,
                roles: [.user],
                createdAtMs: 1)
            return try await accounts.insert(account, passwordHash: nil) == nil
        }
        #expect(won == 1)
    }

    @Test func looksUpManyAtOnce() async throws {
        for index in 0..<60 {
            _ = try await accounts.insert(account("\(index)", handle: "user\(index)"), passwordHash: nil)
        }
        let found = try await accounts.accounts((0..<1200).map(String.init))
        #expect(Set(found.map(\.id)) == Set((0..<60).map(String.init)))
        #expect(try await accounts.accounts([]).isEmpty)
    }

    private func session(_ id: String, user: String = "1", atMs: Int64 = 1000) -> Session {
        Session(id: id, userID: user, createdAtMs: atMs, expiresAtMs: atMs + Limits.sessionAbsoluteMs)
    }

    private func token(_ byte: UInt8, of session: Session) -> RefreshToken {
        RefreshToken(
            hash: Array(repeating: byte, count: 32), sessionID: session.id,
            expiresAtMs: session.createdAtMs + Limits.refreshIdleMs)
    }

    @Test func rotatesAndRevokes() async throws {
        _ = try await accounts.insert(account("1", handle: "alice"), passwordHash: nil)
        let session = session("s")
        #expect(try await sessions.create(session, token: token(1, of: session), limit: 5).isEmpty)
        let hash = { (byte: UInt8) in [UInt8](repeating: byte, count: 32) }
        let first = try await sessions.rotate(
            presented: hash(1), replacement: hash(2), client: .unknown, atMs: 2000)
        #expect(first == .rotated(session))
        let inGrace = try await sessions.rotate(
            presented: hash(1), replacement: hash(3), client: .unknown, atMs: 11_999)
        var used = session
        used.usedAtMs = 2000
        #expect(inGrace == .rotated(used))
        #expect(
            try await sessions.rotate(presented: hash(9), replacement: hash(4), client: .unknown, atMs: 2000)
                == .unknown)
        let late = try await sessions.rotate(
            presented: hash(1), replacement: hash(4), client: .unknown, atMs: 12_000)
        used.usedAtMs = 11_999
        #expect(late == .reused(used))
        for byte: UInt8 in [1, 2, 3] {
            let outcome = try await sessions.rotate(
                presented: hash(byte), replacement: hash(5), client: .unknown, atMs: 12_001)
            #expect(outcome == .ended)
        }
        #expect(try await sessions.session("s")?.session.endedAtMs == 12_000)
        #expect(
            try await sessions.rotate(
                presented: hash(4), replacement: hash(5), client: .unknown, atMs: 12_001) == .unknown)
    }

    @Test func endsSessions() async throws {
        _ = try await accounts.insert(account("1", handle: "alice"), passwordHash: nil)
        for index: UInt8 in 0..<4 {
            let session = session("s\(index)", atMs: 1000 + Int64(index))
            let ended = try await sessions.create(session, token: token(index, of: session), limit: 3)
            #expect(ended == (index == 3 ? ["s0"] : []))
        }
        let sessions = sessions
        #expect(try await successes(of: 10) { _ in try await sessions.end("s1", atMs: 2000) } == 1)
        #expect(try await Set(sessions.endAll(of: "1", atMs: 3000)) == ["s2", "s3"])
        #expect(try await sessions.session("s1")?.session.endedAtMs == 2000)
        #expect(try await sessions.session("s2")?.session.endedAtMs == 3000)
        #expect(try await sessions.session("s2")?.account.handle == "alice")
        #expect(try await sessions.session("none") == nil)
    }

    @Test func purgesWhatIsOver() async throws {
        _ = try await accounts.insert(account("1", handle: "alice"), passwordHash: nil)
        let over = session("over")
        let live = session("live", atMs: 5000)
        _ = try await sessions.create(over, token: token(1, of: over), limit: 5)
        _ = try await sessions.create(live, token: token(2, of: live), limit: 5)
        _ = try await sessions.end("over", atMs: 2000)
        #expect(try await sessions.purge(beforeMs: 1999, limit: 10) == 0)
        #expect(try await sessions.purge(beforeMs: 2001, limit: 10) == 1)
        #expect(try await sessions.session("over") == nil)
        #expect(try await sessions.session("live") != nil)
        #expect(try await sessions.purge(beforeMs: .max, limit: 10) == 2)
    }

    @Test func sessionsNeedAnAccount() async throws {
        let orphan = session("s", user: "nobody")
        #expect(
            await code {
                try await sessions.create(orphan, token: token(1, of: orphan), limit: 5)
            } == .invalidValue)
    }

    @Test func thereIsOneFirstKey() async throws {
        let keys = SigningKeyStoreSQLite(database)
        let answers = try await withThrowingTaskGroup(of: [SigningKey].self) { group in
            for index in 0..<10 {
                group.addTask {
                    try await keys.addFirst(SigningKey(id: "\(index)", seed: [UInt8(index)], createdAtMs: 1))
                }
            }
            return try await group.reduce(into: [[SigningKey]]()) { $0.append($1) }
        }
        #expect(Set(answers.map { $0.map(\.id) }).count == 1)
        #expect(try await keys.signingKeys() == answers[0])
    }
}
