/// What an account may do. Raw values are those of the outer contract.
public enum Role: String, Sendable, Codable, CaseIterable {
    case guest, user, author, moderator, admin

    /// The roles an account gets that is made with this one: an administrator is also moderator, author and user,
    /// so that a check asks for one role and never for a list. A guest is nothing but a guest.
    public var granted: Set<Role> {
        switch self {
        case .guest: [.guest]
        case .user: [.user]
        case .author: [.user, .author]
        case .moderator: [.user, .moderator]
        case .admin: [.user, .author, .moderator, .admin]
        }
    }
}
