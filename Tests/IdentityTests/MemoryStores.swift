import Identity
import Synchronization

/// Stores in memory for tests of the service; those of SQLite have tests of their own, with the same service.
final class MemoryAccountStore: AccountStore {
    private let state = Mutex<[String: AccountCredentials]>([:])
    /// When set, every call throws it.
    let failure = Mutex<(any Error)?>(nil)

    private func all<Value>(_ body: (inout [String: AccountCredentials]) -> Value) throws -> Value {
        if let failure = failure.withLock({ $0 }) { throw failure }
        return state.withLock { body(&$0) }
    }

    private func conflict(
        _ accounts: [String: AccountCredentials], _ handle: String, _ email: String?
    ) -> AccountConflict {
        AccountConflict(
            handle: accounts.values.contains { $0.account.handle.lowercased() == handle.lowercased() },
            email: email != nil && accounts.values.contains { $0.account.email == email })
    }

    func insert(_ account: Account, passwordHash: String?) async throws -> AccountConflict? {
        try all { accounts in
            let conflict = conflict(accounts, account.handle, account.email)
            guard !conflict.handle, !conflict.email else { return conflict }
            accounts[account.id] = AccountCredentials(account: account, passwordHash: passwordHash)
            return nil
        }
    }

    func conflict(handle: String, email: String?) async throws -> AccountConflict {
        try all { conflict($0, handle, email) }
    }

    func account(_ id: String) async throws -> Account? { try all { $0[id]?.account } }

    func accounts(_ ids: [String]) async throws -> [Account] {
        try all { accounts in ids.compactMap { accounts[$0]?.account } }
    }

    func credentials(handle: String) async throws -> AccountCredentials? {
        try all { $0.values.first { $0.account.handle.lowercased() == handle.lowercased() } }
    }

    func credentials(email: String) async throws -> AccountCredentials? {
        try all { $0.values.first { $0.account.email == email } }
    }

    func setPasswordHash(_ hash: String, of id: String) async throws {
        try all { $0[id]?.passwordHash = hash }
    }

    func search(_ query: AccountQuery, atMs: Int64) async throws -> [AccountRecord] {
        try all { accounts in
            accounts.values.map { AccountRecord(account: $0.account, isBanned: false) }
                .sorted { $0.account.handle < $1.account.handle }
        }
    }

    func credentials(id: String) async throws -> AccountCredentials? { try all { $0[id] } }

    func setVerifiedEmail(_ email: String, atMs: Int64, of id: String) async throws -> Bool {
        try all { accounts in
            guard accounts[id] != nil,
                !accounts.contains(where: { $0.key != id && $0.value.account.email == email })
            else { return false }
            accounts[id]?.account.email = email
            accounts[id]?.account.emailVerifiedAtMs = atMs
            return true
        }
    }

    func erase(_ id: String, handle: String) async throws -> Bool {
        try all { accounts in
            guard let account = accounts[id]?.account else { return false }
            accounts[id] = AccountCredentials(
                account: Account(
                    id: id, handle: handle, email: nil, roles: [.guest], createdAtMs: account.createdAtMs),
                passwordHash: nil)
            return true
        }
    }

    func setRoles(_ roles: Set<Role>, of id: String) async throws -> Bool {
        try all { accounts in
            accounts[id]?.account.roles = roles
            return accounts[id] != nil
        }
    }
}

final class MemorySessionStore: SessionStore {
    private struct State {
        var sessions: [String: Session] = [:]
        var tokens: [[UInt8]: RefreshToken] = [:]
    }

    private let state = Mutex(State())
    private let accounts: MemoryAccountStore
    /// How often a session was read: shows what the cache spares.
    let reads = Mutex(0)

    init(accounts: MemoryAccountStore) {
        self.accounts = accounts
    }

    /// Hashes of all stored tokens.
    var hashes: [[UInt8]] { state.withLock { Array($0.tokens.keys) } }

    func create(_ session: Session, token: RefreshToken, limit: Int) async throws -> [String] {
        state.withLock { state in
            let live = state.sessions.values
                .filter { $0.userID == session.userID && $0.isLive(atMs: session.createdAtMs) }
                .sorted { ($0.createdAtMs, $0.id) > ($1.createdAtMs, $1.id) }
            let surplus = live.dropFirst(limit - 1).map(\.id)
            for id in surplus { state.sessions[id]?.endedAtMs = session.createdAtMs }
            state.sessions[session.id] = session
            state.tokens[token.hash] = token
            return Array(surplus)
        }
    }

    func rotate(
        presented: [UInt8], replacement: [UInt8], client: SessionClient, atMs: Int64
    ) async throws -> RotationOutcome {
        state.withLock { state in
            guard let token = state.tokens[presented], let session = state.sessions[token.sessionID] else {
                return .unknown
            }
            let expiryMs: Int64
            switch RefreshRule.decide(token: token, session: session, client: client, atMs: atMs) {
            case .refuseExpired: return .expired
            case .refuseEnded: return .ended
            case .revokeFamily:
                state.sessions[session.id]?.endedAtMs = atMs
                return .reused(session)
            case .rotate(let newExpiryMs):
                state.tokens[presented]?.rotatedAtMs = atMs
                state.tokens[presented]?.rotatedBy = client.fingerprint
                expiryMs = newExpiryMs
            case .reissue(let newExpiryMs):
                state.tokens[presented]?.reissues += 1
                expiryMs = newExpiryMs
            }
            state.tokens[replacement] = RefreshToken(
                hash: replacement, sessionID: session.id, expiresAtMs: expiryMs)
            state.sessions[session.id]?.usedAtMs = atMs
            state.sessions[session.id]?.client = client
            return .rotated(session)
        }
    }

    func end(_ id: String, atMs: Int64) async throws -> Bool {
        state.withLock { state in
            guard let session = state.sessions[id], session.endedAtMs == nil else { return false }
            state.sessions[id]?.endedAtMs = atMs
            return true
        }
    }

    func endAll(of userID: String, atMs: Int64) async throws -> [String] {
        state.withLock { state in
            let ids = state.sessions.values.filter { $0.userID == userID && $0.endedAtMs == nil }.map(\.id)
            for id in ids { state.sessions[id]?.endedAtMs = atMs }
            return ids
        }
    }

    func endOthers(of userID: String, keeping id: String, atMs: Int64) async throws -> [String] {
        state.withLock { state in
            let ids = state.sessions.values.filter {
                $0.userID == userID && $0.id != id && $0.endedAtMs == nil
            }.map(\.id)
            for id in ids { state.sessions[id]?.endedAtMs = atMs }
            return ids
        }
    }

    func sessions(of userID: String, atMs: Int64) async throws -> [Session] {
        state.withLock { state in
            state.sessions.values.filter { $0.userID == userID && $0.isLive(atMs: atMs) }
                .sorted { ($0.createdAtMs, $0.id) > ($1.createdAtMs, $1.id) }
        }
    }

    func session(_ id: String) async throws -> SessionRecord? {
        reads.withLock { $0 += 1 }
        guard let session = state.withLock({ $0.sessions[id] }),
            let account = try await accounts.account(session.userID)
        else { return nil }
        return SessionRecord(session: session, account: account)
    }

    func purge(beforeMs: Int64, limit: Int) async throws -> Int { 0 }
}

final class MemorySigningKeyStore: SigningKeyStore {
    private let state = Mutex<[SigningKey]>([])

    func signingKeys() async throws -> [SigningKey] { state.withLock { $0 } }

    func addFirst(_ key: SigningKey) async throws -> [SigningKey] {
        state.withLock { keys in
            if keys.isEmpty { keys.append(key) }
            return keys
        }
    }

    func add(_ key: SigningKey, after newest: String) async throws -> [SigningKey] {
        state.withLock { keys in
            if keys.last?.id == newest { keys.append(key) }
            return keys
        }
    }

    func remove(_ ids: [String]) async throws {
        state.withLock { keys in keys.removeAll { ids.contains($0.id) } }
    }
}

final class MemoryCodeStore: OneTimeCodeStore {
    private let state = Mutex<[OneTimeCode]>([])

    var all: [OneTimeCode] { state.withLock { $0 } }

    func insert(_ code: OneTimeCode, limit: Int, atMs: Int64) async throws {
        state.withLock { codes in
            codes.removeAll { $0.expiresAtMs <= atMs }
            let same = codes.filter { $0.userID == code.userID && $0.purpose == code.purpose }
                .sorted { $0.expiresAtMs > $1.expiresAtMs }
            for old in same.dropFirst(limit - 1) { codes.removeAll { $0 == old } }
            codes.append(code)
        }
    }

    func take(hash: [UInt8], purpose: CodePurpose, atMs: Int64) async throws -> OneTimeCode? {
        state.withLock { codes in
            let index = codes.firstIndex {
                $0.hash == hash && $0.purpose == purpose && $0.expiresAtMs > atMs
            }
            return index.map { codes.remove(at: $0) }
        }
    }

    func removeAll(of userID: String, purpose: CodePurpose?) async throws {
        state.withLock { codes in
            codes.removeAll { $0.userID == userID && (purpose == nil || $0.purpose == purpose) }
        }
    }
}

final class MemoryTokenStore: PersonalTokenStore {
    private let state = Mutex<[PersonalToken]>([])

    func insert(_ token: PersonalToken, limit: Int) async throws -> Bool {
        state.withLock { tokens in
            guard tokens.filter({ $0.userID == token.userID }).count < limit else { return false }
            tokens.append(token)
            return true
        }
    }

    func token(_ id: String) async throws -> PersonalToken? { state.withLock { $0.first { $0.id == id } } }

    func tokens(of userID: String) async throws -> [PersonalToken] {
        state.withLock { $0.filter { $0.userID == userID } }
    }

    func remove(_ id: String, of userID: String) async throws -> Bool {
        state.withLock { tokens in
            let before = tokens.count
            tokens.removeAll { $0.id == id && $0.userID == userID }
            return tokens.count < before
        }
    }

    func noteUse(of id: String, atMs: Int64) async throws {
        state.withLock { tokens in
            for index in tokens.indices where tokens[index].id == id { tokens[index].usedAtMs = atMs }
        }
    }
}
