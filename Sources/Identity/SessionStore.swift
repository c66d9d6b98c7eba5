/// One log-in: the family of all refresh tokens that came of it.
public struct Session: Sendable, Equatable {
    public var id: String
    public var userID: String
    public var createdAtMs: Int64
    /// Absolute end, whatever is refreshed.
    public var expiresAtMs: Int64
    public var endedAtMs: Int64?

    public init(id: String, userID: String, createdAtMs: Int64, expiresAtMs: Int64, endedAtMs: Int64? = nil) {
        self.id = id
        self.userID = userID
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
        self.endedAtMs = endedAtMs
    }

    public func isLive(atMs: Int64) -> Bool { endedAtMs == nil && atMs < expiresAtMs }
}

/// What is stored of a refresh token.
public struct RefreshToken: Sendable, Equatable {
    /// SHA-256 of the token's text; the token itself is stored nowhere.
    public var hash: [UInt8]
    public var sessionID: String
    public var expiresAtMs: Int64
    /// When it was first exchanged for a new one.
    public var rotatedAtMs: Int64?
    /// How often it was exchanged again in its grace.
    public var reissues: Int

    public init(
        hash: [UInt8], sessionID: String, expiresAtMs: Int64, rotatedAtMs: Int64? = nil, reissues: Int = 0
    ) {
        self.hash = hash
        self.sessionID = sessionID
        self.expiresAtMs = expiresAtMs
        self.rotatedAtMs = rotatedAtMs
        self.reissues = reissues
    }
}

public enum RotationOutcome: Sendable, Equatable {
    case rotated(Session)
    case unknown
    case expired
    case ended
    /// Used again outside its grace: the session was ended in the same transaction.
    case reused(Session)
}

/// A session with the account as it is now.
public struct SessionRecord: Sendable, Equatable {
    public var session: Session
    public var account: Account

    public init(session: Session, account: Account) {
        self.session = session
        self.account = account
    }
}

/// Keeps sessions and refresh tokens. Every answer means "on disk".
public protocol SessionStore: Sendable {
    /// Stores a new session and its first token; ends the account's oldest live sessions beyond `limit` and
    /// answers their ids.
    func create(_ session: Session, token: RefreshToken, limit: Int) async throws -> [String]
    /// Exchanges the token of hash `presented` for one of hash `replacement`, in one transaction, as
    /// `RefreshRule.decide` says.
    func rotate(presented: [UInt8], replacement: [UInt8], atMs: Int64) async throws -> RotationOutcome
    /// Ends a session; false when there was no live one.
    func end(_ id: String, atMs: Int64) async throws -> Bool
    /// Ends all live sessions of an account and answers their ids.
    func endAll(of userID: String, atMs: Int64) async throws -> [String]
    /// Also answers ended and expired sessions, as long as they are kept.
    func session(_ id: String) async throws -> SessionRecord?
    /// Deletes sessions that ended or expired before `beforeMs`, and tokens that expired before it; at most
    /// `limit` of each. Answers how many rows went.
    func purge(beforeMs: Int64, limit: Int) async throws -> Int
}

/// A key that signs tokens.
public struct SigningKey: Sendable, Equatable {
    /// RFC 7638 thumbprint of the public key.
    public var id: String
    /// The 32-byte Ed25519 seed.
    public var seed: [UInt8]
    public var createdAtMs: Int64

    public init(id: String, seed: [UInt8], createdAtMs: Int64) {
        self.id = id
        self.seed = seed
        self.createdAtMs = createdAtMs
    }
}

/// Keeps the signing keys.
public protocol SigningKeyStore: Sendable {
    /// All keys, oldest first. The newest signs, all verify.
    func signingKeys() async throws -> [SigningKey]
    /// Stores `key` when there is none yet, and answers all keys: of two processes that start at once both
    /// end up with the same one.
    func addFirst(_ key: SigningKey) async throws -> [SigningKey]
}
