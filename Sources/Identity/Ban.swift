/// An account that may not log in for a while, or at all.
public struct Ban: Sendable, Equatable {
    public var id: String
    public var userID: String
    /// Told to whoever is banned.
    public var reason: String
    public var bannedBy: String
    /// ms since 1970.
    public var createdAtMs: Int64
    /// Nil: it does not expire.
    public var expiresAtMs: Int64?
    public var liftedAtMs: Int64?

    public init(
        id: String, userID: String, reason: String, bannedBy: String, createdAtMs: Int64,
        expiresAtMs: Int64? = nil, liftedAtMs: Int64? = nil
    ) {
        self.id = id
        self.userID = userID
        self.reason = reason
        self.bannedBy = bannedBy
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
        self.liftedAtMs = liftedAtMs
    }
}

/// Keeps bans. Every answer means "on disk".
public protocol BanStore: Sendable {
    func insert(_ ban: Ban) async throws
    /// The newest bans of a user, lifted and expired ones too.
    func bans(of userID: String) async throws -> [Ban]
    /// The ban that holds now; of several the one that lasts longest.
    func liveBan(of userID: String, atMs: Int64) async throws -> Ban?
    /// Lifts all bans of a user that hold; false when none did.
    func lift(userID: String, atMs: Int64) async throws -> Bool
}
