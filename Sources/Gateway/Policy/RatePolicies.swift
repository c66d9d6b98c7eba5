/// Names of the rate limits; they appear in the `RateLimit` fields of answers and in the configuration.
package enum RatePolicyName: String, Sendable, CaseIterable {
    /// New accounts, an address.
    case registrations
    /// Log-ins by password, an address. The growing pause an account is the identity service's.
    case logins
    /// New guests, an address.
    case guests
    /// Refreshed sessions, an address.
    case refreshes
    /// Mails asked for, and codes of mails given, an address.
    case mails
    /// Refused tokens, an address.
    case refusals
    /// Submissions, of a room or for practice, a user.
    case submissions
    /// Runs with own input, a user.
    case runs
    /// Matchmaking tickets, a user.
    case tickets
    /// Uploaded problem packages, a user.
    case uploads
    /// Calls that read a room's log, a user.
    case history
    /// Other calls that change something, a user.
    case writes
    /// Calls that only read; a user, or an address where nobody is logged in.
    case reads

    /// Whether the limit is counted an address even for a caller who is known.
    package var isByAddress: Bool {
        switch self {
        case .registrations, .logins, .guests, .refreshes, .mails, .refusals: true
        case .submissions, .runs, .tickets, .uploads, .history, .writes, .reads: false
        }
    }
}

/// `quota` calls in `windowSeconds`; a subject that was quiet for a window may use them all at once.
package struct RatePolicy: Sendable, Equatable {
    package var quota: Int
    package var windowSeconds: Int

    /// Both are at least 1.
    package init(quota: Int, windowSeconds: Int) {
        self.quota = max(1, quota)
        self.windowSeconds = max(1, windowSeconds)
    }

    /// The defaults of the outer contract, and ours where it is silent. The configuration may replace any of them.
    package static let defaults: [RatePolicyName: RatePolicy] = [
        .registrations: RatePolicy(quota: 60, windowSeconds: 600),
        .logins: RatePolicy(quota: 30, windowSeconds: 60),
        .guests: RatePolicy(quota: 60, windowSeconds: 600),
        .refreshes: RatePolicy(quota: 120, windowSeconds: 60),
        .mails: RatePolicy(quota: 30, windowSeconds: 600),
        .refusals: RatePolicy(quota: 300, windowSeconds: 60),
        .submissions: RatePolicy(quota: 10, windowSeconds: 60),
        .runs: RatePolicy(quota: 30, windowSeconds: 60),
        .tickets: RatePolicy(quota: 60, windowSeconds: 60),
        .uploads: RatePolicy(quota: 30, windowSeconds: 600),
        .history: RatePolicy(quota: 500, windowSeconds: 10),
        .writes: RatePolicy(quota: 300, windowSeconds: 60),
        .reads: RatePolicy(quota: 200, windowSeconds: 2),
    ]
}
