/// What a personal token may be used for.
public enum TokenScope: String, Sendable, Codable, CaseIterable {
    /// Calls that only read.
    case read
    /// Calls that change something.
    case write
    /// Opening sockets of rooms.
    case sync
    /// Calls that need a role beyond `user`, if its owner has it.
    case admin
}

/// A token that a person made for a script: it acts as its owner, within its scopes, and can be taken back alone.
/// The secret is shown once; only its SHA-256 is kept.
public struct PersonalToken: Sendable, Equatable {
    public var id: String
    public var userID: String
    public var name: String
    public var scopes: Set<TokenScope>
    public var secretHash: [UInt8]
    /// ms since 1970.
    public var createdAtMs: Int64
    /// Nil: never.
    public var expiresAtMs: Int64?
    /// To the hour; nil: never used.
    public var usedAtMs: Int64?

    public init(
        id: String, userID: String, name: String, scopes: Set<TokenScope>, secretHash: [UInt8],
        createdAtMs: Int64, expiresAtMs: Int64? = nil, usedAtMs: Int64? = nil
    ) {
        self.id = id
        self.userID = userID
        self.name = name
        self.scopes = scopes
        self.secretHash = secretHash
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
        self.usedAtMs = usedAtMs
    }

    /// What every such token begins with, so that scanners for leaked secrets know it.
    public static let prefix = "cdp_"

    /// The session that all that is done with the token belongs to: sockets are closed with it.
    public var sessionID: String { "pat:\(id)" }

    static func id(ofSession sessionID: String) -> String? {
        sessionID.hasPrefix("pat:") ? String(sessionID.dropFirst(4)) : nil
    }

    func isLive(atMs: Int64) -> Bool { expiresAtMs.map { atMs < $0 } ?? true }
}

/// Keeps personal tokens. Every answer means "on disk".
public protocol PersonalTokenStore: Sendable {
    /// False when the user has `limit` of them already.
    func insert(_ token: PersonalToken, limit: Int) async throws -> Bool
    func token(_ id: String) async throws -> PersonalToken?
    /// Newest first.
    func tokens(of userID: String) async throws -> [PersonalToken]
    /// False when the user has no such token.
    func remove(_ id: String, of userID: String) async throws -> Bool
    func noteUse(of id: String, atMs: Int64) async throws
}
