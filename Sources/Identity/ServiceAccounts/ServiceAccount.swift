/// What a key of a service account may be used for.
public enum ServiceScope: String, Sendable, Codable, CaseIterable {
    case documentsRead = "documents:read"
    case documentsWrite = "documents:write"
    case syncTokens = "sync-tokens"
    case webhooks
}

/// How much a service account may have and do.
public struct ServiceQuotas: Sendable, Equatable, Codable {
    /// Documents, each in a room of its own.
    public var documents: Int
    /// Sync tokens minted in a minute.
    public var tokensPerMinute: Int

    public init(documents: Int = 10_000, tokensPerMinute: Int = 600) {
        self.documents = documents
        self.tokensPerMinute = tokensPerMinute
    }
}

/// A program of somebody else's product, acting by keys and never by password.
public struct ServiceAccount: Sendable, Equatable {
    /// UUIDv7.
    public var id: String
    public var name: String
    public var quotas: ServiceQuotas
    /// ms since 1970.
    public var createdAtMs: Int64

    public init(id: String, name: String, quotas: ServiceQuotas, createdAtMs: Int64) {
        self.id = id
        self.name = name
        self.quotas = quotas
        self.createdAtMs = createdAtMs
    }
}

/// A key of a service account. Its secret is shown once; only the SHA-256 of it is kept.
public struct ServiceKey: Sendable, Equatable {
    public var id: String
    public var accountID: String
    public var scopes: Set<ServiceScope>
    public var secretHash: [UInt8]
    public var createdAtMs: Int64
    public var revokedAtMs: Int64?

    public init(
        id: String, accountID: String, scopes: Set<ServiceScope>, secretHash: [UInt8], createdAtMs: Int64,
        revokedAtMs: Int64? = nil
    ) {
        self.id = id
        self.accountID = accountID
        self.scopes = scopes
        self.secretHash = secretHash
        self.createdAtMs = createdAtMs
        self.revokedAtMs = revokedAtMs
    }

    /// The session that all that is done with the key belongs to: sockets are closed with it.
    public static func sessionID(of keyID: String) -> String { "key:\(keyID)" }
}

/// Keeps service accounts and their keys. Every answer means "on disk".
public protocol ServiceAccountStore: Sendable {
    /// False when the name is taken; nothing is stored then.
    func insert(_ account: ServiceAccount, _ key: ServiceKey) async throws -> Bool
    func addKey(_ key: ServiceKey) async throws
    func account(_ id: String) async throws -> ServiceAccount?
    func account(named name: String) async throws -> ServiceAccount?
    /// Oldest first, after the one with that id.
    func accounts(after id: String?, limit: Int) async throws -> [ServiceAccount]
    func keys(of accountID: String) async throws -> [ServiceKey]
    /// A key and its account, revoked or not.
    func key(_ id: String) async throws -> (key: ServiceKey, account: ServiceAccount)?
    /// False when there is no such key, or it was revoked before.
    func revokeKey(_ id: String, of accountID: String, atMs: Int64) async throws -> Bool
    func setQuotas(_ quotas: ServiceQuotas, of accountID: String) async throws -> Bool
}
