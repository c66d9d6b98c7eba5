/// Someone who can log in, or a guest. Never carries the password's hash.
public struct Account: Sendable, Equatable {
    /// UUIDv7.
    public var id: String
    /// As written at registration; unique without regard to case.
    public var handle: String
    /// Normalised (lower case); nil for guests and for accounts made on the command line.
    public var email: String?
    public var roles: Set<Role>
    /// ms since 1970.
    public var createdAtMs: Int64
    /// When its owner proved to receive mail there; nil before.
    public var emailVerifiedAtMs: Int64?

    public init(
        id: String, handle: String, email: String?, roles: Set<Role>, createdAtMs: Int64,
        emailVerifiedAtMs: Int64? = nil
    ) {
        self.id = id
        self.handle = handle
        self.email = email
        self.roles = roles
        self.createdAtMs = createdAtMs
        self.emailVerifiedAtMs = emailVerifiedAtMs
    }

    public var isGuest: Bool { roles.contains(.guest) }
}

/// Who makes a request: read from the account at the time of the request, not from the token's claims, so that a
/// role taken away is gone at once.
public struct Caller: Sendable, Equatable {
    public var userID: String
    public var handle: String
    public var sessionID: String
    public var roles: Set<Role>
    /// What a service account's key may be used for; nil for people.
    public var scopes: Set<ServiceScope>?
    /// What a personal token may be used for; nil for whoever logged in.
    public var tokenScopes: Set<TokenScope>?

    public init(
        userID: String, handle: String, sessionID: String, roles: Set<Role>,
        scopes: Set<ServiceScope>? = nil, tokenScopes: Set<TokenScope>? = nil
    ) {
        self.userID = userID
        self.handle = handle
        self.sessionID = sessionID
        self.roles = roles
        self.scopes = scopes
        self.tokenScopes = tokenScopes
    }

    public var isGuest: Bool { roles.contains(.guest) }
}

/// What a log-in or a refresh answers.
public struct TokenPair: Sendable, Equatable {
    /// JWT of audience `api` (RFC 9068).
    public var accessToken: String
    public var expiresInSeconds: Int
    /// Opaque, 256 bits, base64url; only its SHA-256 is stored.
    public var refreshToken: String
    public var userID: String
    public var handle: String

    public init(
        accessToken: String, expiresInSeconds: Int, refreshToken: String, userID: String, handle: String
    ) {
        self.accessToken = accessToken
        self.expiresInSeconds = expiresInSeconds
        self.refreshToken = refreshToken
        self.userID = userID
        self.handle = handle
    }
}

/// What a verified sync token allows: one room, at one epoch, to one caller.
public struct SyncGrant: Sendable, Equatable {
    public var roomID: String
    public var epoch: Int64
    public var caller: Caller
    /// ms since 1970.
    public var expiresAtMs: Int64

    public init(roomID: String, epoch: Int64, caller: Caller, expiresAtMs: Int64) {
        self.roomID = roomID
        self.epoch = epoch
        self.caller = caller
        self.expiresAtMs = expiresAtMs
    }
}
