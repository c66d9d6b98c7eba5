/// What became of a claim on an `Idempotency-Key`.
public enum IdempotencyClaim: Sendable, Equatable {
    /// The caller goes ahead, and then completes or releases the claim.
    case claimed
    /// The first request with this key is still at work (409).
    case inProgress
    /// The key was used with another body (422).
    case mismatch
    /// The answer given then; it is given again.
    case completed(status: Int, body: [UInt8])
}

/// One use of an `Idempotency-Key`: keys of different users and routes never meet.
public struct IdempotencyKey: Sendable, Hashable {
    public var key: String
    public var userID: String
    /// Method and route pattern.
    public var route: String

    public init(key: String, userID: String, route: String) {
        self.key = key
        self.userID = userID
        self.route = route
    }
}

/// Remembers answers of creating calls, so that a repeated request creates nothing twice (IETF draft
/// idempotency-key-header). Answers are kept for `IdempotencyLimits.keptMs`.
public protocol IdempotencyStore: Sendable {
    /// `bodyHash` is the SHA-256 of the request's body. A claim that was neither completed nor released for
    /// `IdempotencyLimits.abandonedMs` can be claimed again: its server is gone.
    func claim(_ key: IdempotencyKey, bodyHash: [UInt8], atMs: Int64) async throws -> IdempotencyClaim
    /// Keeps the answer of a claimed key. A body over `IdempotencyLimits.bodyBytes` is not kept; the claim is
    /// released instead.
    func complete(_ key: IdempotencyKey, status: Int, body: [UInt8], atMs: Int64) async throws
    /// Gives a claim back: the request failed and may be tried again.
    func release(_ key: IdempotencyKey) async throws
}

public enum IdempotencyLimits {
    public static let keyBytes = 255
    public static let keptMs: Int64 = 24 * 3600 * 1000
    public static let abandonedMs: Int64 = 60_000
    public static let bodyBytes = 256 << 10
    /// Keys of one user that are kept; the oldest goes.
    public static let keysPerUser = 1000
}
