/// Who is at the other end of a session, as far as a server can tell: shown to its owner, and told apart when a
/// refresh token comes back.
public struct SessionClient: Sendable, Equatable {
    /// The `User-Agent`, cut to `Limits.clientAgentBytes`.
    public var agent: String
    public var address: String

    public init(agent: String, address: String) {
        self.agent = String(decoding: agent.utf8.prefix(Limits.clientAgentBytes), as: UTF8.self)
        self.address = address
    }

    public static let unknown = SessionClient(agent: "", address: "")

    /// The same for two requests of the same program at the same address.
    public var fingerprint: String {
        String(Hashing.sha256Hex(Array("\(agent)\n\(address)".utf8)).prefix(32))
    }
}

/// One log-in: the family of all refresh tokens that came of it.
public struct Session: Sendable, Equatable {
    public var id: String
    public var userID: String
    public var createdAtMs: Int64
    /// Absolute end, whatever is refreshed.
    public var expiresAtMs: Int64
    public var endedAtMs: Int64?
    /// When it was last begun or refreshed.
    public var usedAtMs: Int64
    /// Who was at the other end then.
    public var client: SessionClient

    public init(
        id: String, userID: String, createdAtMs: Int64, expiresAtMs: Int64, endedAtMs: Int64? = nil,
        usedAtMs: Int64? = nil, client: SessionClient = .unknown
    ) {
        self.id = id
        self.userID = userID
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
        self.endedAtMs = endedAtMs
        self.usedAtMs = usedAtMs ?? createdAtMs
        self.client = client
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
    /// `SessionClient.fingerprint` of whoever exchanged it first.
    public var rotatedBy: String?

    public init(
        hash: [UInt8], sessionID: String, expiresAtMs: Int64, rotatedAtMs: Int64? = nil, reissues: Int = 0,
        rotatedBy: String? = nil
    ) {
        self.hash = hash
        self.sessionID = sessionID
        self.expiresAtMs = expiresAtMs
        self.rotatedAtMs = rotatedAtMs
        self.reissues = reissues
        self.rotatedBy = rotatedBy
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
    /// `RefreshRule.decide` says; a session that goes on keeps `client` as its last.
    func rotate(
        presented: [UInt8], replacement: [UInt8], client: SessionClient, atMs: Int64
    ) async throws -> RotationOutcome
    /// Ends a session; false when there was no live one.
    func end(_ id: String, atMs: Int64) async throws -> Bool
    /// Ends all live sessions of an account and answers their ids.
    func endAll(of userID: String, atMs: Int64) async throws -> [String]
    /// Ends all live sessions of an account but one, and answers their ids.
    func endOthers(of userID: String, keeping id: String, atMs: Int64) async throws -> [String]
    /// Live sessions of an account, newest first, at most `Limits.sessionsPerAccount`.
    func sessions(of userID: String, atMs: Int64) async throws -> [Session]
    /// Also answers ended and expired sessions, as long as they are kept.
    func session(_ id: String) async throws -> SessionRecord?
    /// Deletes sessions that ended or expired before `beforeMs`, and tokens that expired before it; at most
    /// `limit` of each. Answers how many rows went.
    func purge(beforeMs: Int64, limit: Int) async throws -> Int
}
