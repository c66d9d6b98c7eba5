import JWTKit
import Synchronization

/// What a sync token of a service account allows: one document, to one user of somebody else's product.
public struct ServiceSyncGrant: Sendable, Equatable {
    public var roomID: String
    public var epoch: Int64
    public var accountID: String
    public var keyID: String
    public var mayWrite: Bool
    /// As the service account named the user; unique within its documents.
    public var userID: String
    public var userName: String
}

/// Service accounts, their keys, and the sync tokens that they mint for others. Keys are read from the store at
/// every use, so that a revoked one is refused at once, whoever revoked it.
public final class ServiceAccountService: Sendable {
    private struct State {
        /// Tokens minted in the present minute, by account.
        var minted: [String: Int] = [:]
        var minute: Int64 = 0
        var onKeyEnded: (@Sendable (_ sessionID: String) -> Void)?
    }

    private let store: any ServiceAccountStore
    private let identity: IdentityService
    private let environment: IdentityEnvironment
    private let state = Mutex(State())

    /// What every key begins with.
    public static let keyPrefix = "cdk_"

    public init(
        store: any ServiceAccountStore, identity: IdentityService, environment: IdentityEnvironment
    ) {
        self.store = store
        self.identity = identity
        self.environment = environment
    }

    /// Told when a key is revoked here, with the session its sockets belong to. Set at wiring; must not block.
    public var onKeyEnded: (@Sendable (_ sessionID: String) -> Void)? {
        get { state.withLock { $0.onKeyEnded } }
        set { state.withLock { $0.onKeyEnded = newValue } }
    }

    // MARK: Accounts and keys

    /// Makes an account with its first key; the key's text is never told again.
    public func create(
        name: String, scopes: Set<ServiceScope>, quotas: ServiceQuotas = ServiceQuotas()
    ) async throws(IdentityError) -> (account: ServiceAccount, key: ServiceKey, text: String) {
        try check(name: name, scopes, quotas)
        let account = ServiceAccount(
            id: environment.newID(), name: name, quotas: quotas, createdAtMs: environment.now())
        let (key, text) = makeKey(of: account.id, scopes)
        guard try await stored({ try await store.insert(account, key) }) else {
            throw IdentityError(
                .handleTaken, "This name is taken.",
                fieldErrors: [.init(field: "name", message: "This name is taken.")])
        }
        return (account, key, text)
    }

    public func addKey(
        to accountID: String, scopes: Set<ServiceScope>
    ) async throws(IdentityError) -> (key: ServiceKey, text: String) {
        try check(name: "key", scopes, ServiceQuotas())
        _ = try await account(accountID)
        let known = try await keys(of: accountID).filter { $0.revokedAtMs == nil }
        guard known.count < Limits.keysPerServiceAccount else {
            throw IdentityError(
                .invalidHandle, "The account has all the keys it can have.",
                fieldErrors: [.init(field: "keys", message: "Revoke one first.")])
        }
        let (key, text) = makeKey(of: accountID, scopes)
        try await stored { try await store.addKey(key) }
        return (key, text)
    }

    public func revokeKey(_ id: String, of accountID: String) async throws(IdentityError) {
        let atMs = environment.now()
        guard try await stored({ try await store.revokeKey(id, of: accountID, atMs: atMs) }) else {
            throw IdentityError(.notFound, "There is no such key.")
        }
        state.withLock { $0.onKeyEnded }?(ServiceKey.sessionID(of: id))
    }

    public func setQuotas(_ quotas: ServiceQuotas, of accountID: String) async throws(IdentityError) {
        try check(name: "quotas", [], quotas, needsScopes: false)
        guard try await stored({ try await store.setQuotas(quotas, of: accountID) }) else {
            throw IdentityError(.notFound, "There is no such service account.")
        }
    }

    public func account(_ id: String) async throws(IdentityError) -> ServiceAccount {
        guard let account = try await stored({ try await store.account(id) }) else {
            throw IdentityError(.notFound, "There is no such service account.")
        }
        return account
    }

    public func account(named name: String) async throws(IdentityError) -> ServiceAccount? {
        try await stored { try await store.account(named: name) }
    }

    public func accounts(after id: String?, limit: Int) async throws(IdentityError) -> [ServiceAccount] {
        try await stored { try await store.accounts(after: id, limit: limit) }
    }

    public func keys(of accountID: String) async throws(IdentityError) -> [ServiceKey] {
        try await stored { try await store.keys(of: accountID) }
    }

    /// Who holds a key: a caller without roles, whose scopes say what it may do.
    public func authenticate(key text: String) async throws(IdentityError) -> Caller {
        let parts = text.dropFirst(Self.keyPrefix.count).split(separator: "_", maxSplits: 1)
        guard text.hasPrefix(Self.keyPrefix), text.utf8.count <= Limits.serviceKeyBytes, parts.count == 2
        else {
            throw .invalidToken
        }
        let found = try await stored { try await store.key(String(parts[0])) }
        guard let (key, account) = found, key.revokedAtMs == nil,
            Hashing.areEqual(key.secretHash, Hashing.sha256(Array(parts[1].utf8)))
        else { throw .invalidToken }
        return Caller(
            userID: account.id, handle: account.name, sessionID: ServiceKey.sessionID(of: key.id), roles: [],
            scopes: key.scopes)
    }

    private func makeKey(of accountID: String, _ scopes: Set<ServiceScope>) -> (ServiceKey, String) {
        // No underscore in the id: it ends there.
        let id = Hashing.sha256Hex(environment.randomBytes(16)).prefix(16)
        let secret = Base64URL.encode(environment.randomBytes(Limits.refreshTokenBytes))
        let key = ServiceKey(
            id: String(id), accountID: accountID, scopes: scopes,
            secretHash: Hashing.sha256(Array(secret.utf8)), createdAtMs: environment.now())
        return (key, "\(Self.keyPrefix)\(id)_\(secret)")
    }

    private func check(
        name: String, _ scopes: Set<ServiceScope>, _ quotas: ServiceQuotas, needsScopes: Bool = true
    ) throws(IdentityError) {
        var faults: [IdentityError.FieldError] = []
        if !(1...Limits.serviceNameBytes).contains(name.utf8.count)
            || name.utf8.contains(where: { $0 < 0x20 })
        {
            faults.append(.init(field: "name", message: "A name has 1 to 64 bytes."))
        }
        if needsScopes && scopes.isEmpty {
            faults.append(.init(field: "scopes", message: "A key has at least one scope."))
        }
        if !(0...Limits.largestQuota).contains(quotas.documents) {
            faults.append(.init(field: "quotas.documents", message: "Is from 0 to 10,000,000."))
        }
        if !(0...Limits.largestQuota).contains(quotas.tokensPerMinute) {
            faults.append(.init(field: "quotas.tokens_per_minute", message: "Is from 0 to 10,000,000."))
        }
        guard faults.isEmpty else {
            throw IdentityError(.invalidHandle, "Some fields are not acceptable.", fieldErrors: faults)
        }
    }

    private func stored<Value>(_ call: () async throws -> Value) async throws(IdentityError) -> Value {
        try await identity.stored(call)
    }

    // MARK: Sync tokens

    /// A token that opens one document to one user of the account's product, at most `Limits.syncTokenSeconds`.
    ///
    /// - Throws: `tooManyAttempts` past the account's quota.
    public func mintSyncToken(
        roomID: String, epoch: Int64, by caller: Caller, mayWrite: Bool, userID: String, userName: String,
        ttlSeconds: Int
    ) async throws(IdentityError) -> (token: String, expiresInSeconds: Int) {
        let account = try await account(caller.userID)
        try count(account)
        let ttl = min(max(ttlSeconds, 1), Limits.syncTokenSeconds)
        let issuedAt = environment.now() / 1_000
        let claims = ServiceSyncClaims(
            iss: identity.settings.issuer, aud: SyncClaims.audience, sub: account.id,
            key: String(caller.sessionID.dropFirst(ServiceKey.sessionID(of: "").count)), room: roomID,
            epoch: epoch, write: mayWrite, uid: userID, name: userName, iat: issuedAt,
            exp: issuedAt.saturatingAdding(Int64(ttl)), jti: environment.newID())
        return (try await identity.sign(claims, type: ServiceSyncClaims.type), ttl)
    }

    /// What a sync token of a service account allows. Refuses it once its key is revoked.
    public func verifySyncToken(_ token: String) async throws(IdentityError) -> ServiceSyncGrant {
        let claims = try await identity.verify(
            token, type: ServiceSyncClaims.type, as: ServiceSyncClaims.self)
        guard claims.iss == identity.settings.issuer, claims.aud == SyncClaims.audience else {
            throw .invalidToken
        }
        try identity.checkTimes(issuedAt: claims.iat, expiresAt: claims.exp)
        let found = try await stored { try await store.key(claims.key) }
        guard let (key, account) = found, key.revokedAtMs == nil, account.id == claims.sub else {
            throw .sessionEnded
        }
        return ServiceSyncGrant(
            roomID: claims.room, epoch: claims.epoch, accountID: account.id, keyID: key.id,
            mayWrite: claims.write, userID: claims.uid, userName: claims.name)
    }

    private func count(_ account: ServiceAccount) throws(IdentityError) {
        let nowMs = environment.now()
        let minute = nowMs / 60_000
        let count = state.withLock { state in
            if state.minute != minute { (state.minute, state.minted) = (minute, [:]) }
            state.minted[account.id, default: 0] += 1
            return state.minted[account.id, default: 0]
        }
        guard count <= account.quotas.tokensPerMinute else {
            throw IdentityError(
                .tooManyAttempts, "The account's sync tokens of this minute are used up.",
                retryAfterSeconds: Int((60_000 - nowMs % 60_000 + 999) / 1_000))
        }
    }
}

/// Claims of a sync token minted by a service account.
private struct ServiceSyncClaims: JWTPayload {
    var iss: String
    var aud: String
    var sub: String
    var key: String
    var room: String
    var epoch: Int64
    var write: Bool
    var uid: String
    var name: String
    var iat: Int64
    var exp: Int64
    var jti: String

    static let type = "svc-sync+jwt"

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}
