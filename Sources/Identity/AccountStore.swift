/// What somebody else has already.
public struct AccountConflict: Sendable, Equatable {
    public var handle: Bool
    public var email: Bool

    public init(handle: Bool, email: Bool) {
        self.handle = handle
        self.email = email
    }
}

/// An account and the hash that proves its password.
public struct AccountCredentials: Sendable {
    public var account: Account
    /// PHC string; nil for guests, who cannot log in again.
    public var passwordHash: String?

    public init(account: Account, passwordHash: String?) {
        self.account = account
        self.passwordHash = passwordHash
    }
}

/// Keeps accounts. Every answer means "on disk". Handles are unique without regard to ASCII case, e-mails as they
/// are (they come normalised).
public protocol AccountStore: Sendable {
    /// Stores a new account, or says what is taken and stores nothing.
    func insert(_ account: Account, passwordHash: String?) async throws -> AccountConflict?
    /// What of the two is taken, without storing anything; both false when nothing is.
    func conflict(handle: String, email: String?) async throws -> AccountConflict
    func account(_ id: String) async throws -> Account?
    /// Those that exist, in no particular order.
    func accounts(_ ids: [String]) async throws -> [Account]
    func credentials(handle: String) async throws -> AccountCredentials?
    func credentials(email: String) async throws -> AccountCredentials?
    func setPasswordHash(_ hash: String, of id: String) async throws
    /// False when there is no such account.
    func setRoles(_ roles: Set<Role>, of id: String) async throws -> Bool
    /// Those that fit, ordered by handle; `isBanned` as of `atMs`.
    func search(_ query: AccountQuery, atMs: Int64) async throws -> [AccountRecord]
    func credentials(id: String) async throws -> AccountCredentials?
    /// Notes that the owner of an account receives mail at that address, and makes it the account's. False when
    /// somebody else has it, or there is no such account.
    func setVerifiedEmail(_ email: String, atMs: Int64, of id: String) async throws -> Bool
    /// Takes handle, e-mail, password and roles from an account; its id stays, for what it played. False when there
    /// is none.
    func erase(_ id: String, handle: String) async throws -> Bool
}
