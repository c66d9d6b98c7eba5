/// Selection of accounts for those who run the server; ordered by handle.
public struct AccountQuery: Sendable, Equatable {
    /// The beginning of a handle or an e-mail address, or an id; without regard to case.
    public var text: String?
    public var role: Role?
    /// Only those that are banned now.
    public var bannedOnly: Bool
    /// The handle of the last account of the page before, in lower case.
    public var after: String?
    public var limit: Int

    public init(
        text: String? = nil, role: Role? = nil, bannedOnly: Bool = false, after: String? = nil,
        limit: Int = 50
    ) {
        self.text = text
        self.role = role
        self.bannedOnly = bannedOnly
        self.after = after
        self.limit = limit
    }
}

/// An account as those who run the server see it.
public struct AccountRecord: Sendable, Equatable {
    public var account: Account
    public var isBanned: Bool

    public init(account: Account, isBanned: Bool) {
        self.account = account
        self.isBanned = isBanned
    }
}

extension IdentityService {
    public func search(_ query: AccountQuery) async throws(IdentityError) -> [AccountRecord] {
        try await stored { try await accountStore.search(query, atMs: environment.now()) }
    }
}
