/// Every bound of this module. Times in the unit of the name.
public enum Limits {
    public static let handleLength = 3...20
    public static let emailBytes = 254
    /// In Unicode scalars.
    public static let passwordLength = 8...128
    /// A password is cut off here before anything counts its characters.
    public static let passwordBytes = 1024

    public static let accessTokenSeconds = 600
    public static let syncTokenSeconds = 12 * 3600
    /// How far the clock of another server that issued a token may be ahead.
    public static let tokenLeewaySeconds: Int64 = 60
    /// A longer token is refused unread.
    public static let tokenBytes = 4096
    public static let refreshTokenBytes = 32
    public static let refreshIdleMs: Int64 = 14 * 24 * 3600 * 1000
    public static let sessionAbsoluteMs: Int64 = 60 * 24 * 3600 * 1000
    /// How long a rotated refresh token still answers: two tabs, or an answer lost on the way.
    public static let refreshGraceMs: Int64 = 10_000
    /// Fresh pairs one rotated token can bring in its grace.
    public static let refreshGraceReissues = 20
    public static let clientAgentBytes = 200
    /// A new signing key is published this long before it signs: longer than anyone may cache the key set.
    public static let keyLeadMs: Int64 = 10 * 60 * 1000
    /// How long a key verifies after another began to sign: the longest token and a minute.
    public static let keyOverlapMs: Int64 = Int64(syncTokenSeconds) * 1000 + 60_000
    /// The keys are read again at most so often for a key that is not known.
    public static let keyReloadMs: Int64 = 1_000
    /// Keys that may be kept at once; more are not made.
    public static let signingKeys = 64

    /// Codes sent by mail, and tickets for sockets.
    public static let codeBytes = 32
    public static let verificationMs: Int64 = 24 * 3600 * 1000
    public static let resetMs: Int64 = 30 * 60 * 1000
    public static let ticketMs: Int64 = 30_000
    /// Codes of one purpose an account has at once; the oldest goes.
    public static let codesPerAccount = 5
    public static let ticketsPerAccount = 64
    /// Mails an account is sent in an hour; further ones are dropped without a word.
    public static let mailsPerHour = 6
    public static let mailedAccounts = 10_000

    /// From leaving for a provider to coming back.
    public static let openIDFlowMs: Int64 = 10 * 60 * 1000
    public static let identitiesPerAccount = 10

    public static let recoveryCodes = 10
    /// Of 30 letters and digits: 78 bits.
    public static let recoveryCodeLength = 16

    public static let displayNameBytes = 64
    public static let bioBytes = 2_000
    public static let profileLanguages = 8
    public static let timeZoneBytes = 64
    public static let avatarBytes = 256 << 10
    /// Width and height of an avatar, pixels.
    public static let avatarSide = 16...1_024

    public static let personalTokensPerAccount = 50
    public static let personalTokenNameBytes = 64
    public static let personalTokenDays = 366
    /// The time of a token's last use is written at most so often.
    public static let tokenUseMs: Int64 = 60 * 60 * 1000

    /// Live sessions of one account; the oldest ends when one more begins.
    public static let sessionsPerAccount = 256

    /// Tokens whose claims are kept, so that their signature is not worked out again (0.7 KiB each, 4 KiB at most).
    static let verifiedTokens = 10_000

    /// Session states kept in memory.
    public static let cachedSessions = 20_000
    /// After this a cached session is read again, for changes made by another process.
    public static let sessionCacheMs: Int64 = 10_000

    /// Hashes computed at the same time; each takes 19 MiB.
    public static let hashingThreads = 2
    /// Hashes that may wait for a thread.
    public static let hashingQueue = 64

    /// Failures of one log-in name before the pause begins.
    public static let freeLogInFailures = 5
    public static let logInPauseSeconds = 60
    /// A log-in name is forgotten this long after its last failure.
    public static let logInMemoryMs: Int64 = 15 * 60 * 1000
    public static let throttledLogIns = 10_000

    /// The longest ban that expires, and a ban's reason in UTF-8 bytes.
    public static let banSeconds = 10 * 365 * 24 * 3600
    public static let banReasonBytes = 500

    /// A word to everyone, and how many may stand at once.
    public static let announcementBytes = 1_000
    public static let announcements = 20
    /// What the audit log keeps of a call's body, and of a search text.
    public static let auditDetailBytes = 4 << 10
    public static let searchBytes = 100

    public static let guestHandleAttempts = 8
    /// Accounts looked up by one call of `accounts(ids:)`.
    public static let accountsPerLookup = 200
    public static let roomIDBytes = 128
    public static let serviceNameBytes = 64
    /// A longer key is refused unread.
    public static let serviceKeyBytes = 128
    /// Keys of one service account that are not revoked.
    public static let keysPerServiceAccount = 16
    public static let largestQuota = 10_000_000
    /// Sessions, and refresh tokens, deleted by one call of `purgeSessions`.
    public static let purgedRows = 1000
}
