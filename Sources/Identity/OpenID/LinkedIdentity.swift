/// An account at a provider that opens an account here.
public struct LinkedIdentity: Sendable, Equatable {
    /// UUIDv7; what the interface calls it.
    public var id: String
    public var issuer: String
    public var subject: String
    public var userID: String
    /// The provider's name when it was linked.
    public var provider: String
    /// What the person is called there, to tell several apart.
    public var label: String?
    /// ms since 1970.
    public var createdAtMs: Int64

    public init(
        id: String, issuer: String, subject: String, userID: String, provider: String, label: String?,
        createdAtMs: Int64
    ) {
        self.id = id
        self.issuer = issuer
        self.subject = subject
        self.userID = userID
        self.provider = provider
        self.label = label
        self.createdAtMs = createdAtMs
    }
}

/// Keeps linked identities. Every answer means "on disk".
public protocol LinkedIdentityStore: Sendable {
    /// By issuer and subject, never by e-mail.
    func identity(issuer: String, subject: String) async throws -> LinkedIdentity?
    /// Oldest first.
    func identities(of userID: String) async throws -> [LinkedIdentity]
    /// False when the issuer's subject is linked already, to whomever, or the account has `limit` of them.
    func insert(_ identity: LinkedIdentity, limit: Int) async throws -> Bool
    /// Removes one of the account's; false when there is none, or when it is the last and `keepsLast`.
    func remove(_ id: String, of userID: String, keepsLast: Bool) async throws -> Bool
}
