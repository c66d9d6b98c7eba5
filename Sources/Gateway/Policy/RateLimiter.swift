import Synchronization

/// What the limiter says to one call.
package struct RateDecision: Sendable, Equatable {
    package var policy: RatePolicyName
    package var quota: Int
    package var windowSeconds: Int
    package var isAllowed: Bool
    /// Calls that would be let through right now.
    package var remaining: Int
    /// Seconds until the whole quota is back, or, of a refused call, until one call is let through; rounded up.
    package var resetSeconds: Int

    /// Value of the `RateLimit-Policy` field (IETF draft ratelimit-headers).
    package var policyField: String { "\"\(policy.rawValue)\";q=\(quota);w=\(windowSeconds)" }
    /// Value of the `RateLimit` field.
    package var limitField: String { "\"\(policy.rawValue)\";r=\(remaining);t=\(resetSeconds)" }
}

/// Rate limits by the generic cell rate algorithm (ITU-T I.371), one number a subject: the time at which its bucket
/// is full again. In memory, bounded; thread-safe; O(1) a call, amortised.
package final class RateLimiter: Sendable {
    private struct Key: Hashable {
        var policy: RatePolicyName
        var subject: String
    }

    private let policies: [RatePolicyName: RatePolicy]
    private let capacity: Int
    /// Microseconds since 1970 at which the subject's bucket is full again.
    private let fullAt = Mutex<[Key: Int64]>([:])

    package init(
        policies: [RatePolicyName: RatePolicy] = RatePolicy.defaults,
        capacity: Int = GatewayLimits.rateLimitSubjects
    ) {
        self.policies = policies
        self.capacity = max(2, capacity)
    }

    /// Subjects remembered now, over all policies.
    package var subjectCount: Int { fullAt.withLock { $0.count } }

    /// Counts one call of `subject` at `atMs`. A refused call costs nothing. Nil when the policy has no limit.
    package func take(_ name: RatePolicyName, subject: String, atMs: Int64) -> RateDecision? {
        guard let policy = policies[name] else { return nil }
        let window = Int64(policy.windowSeconds) * 1_000_000
        let interval = max(1, window / Int64(policy.quota))
        let now = atMs * 1_000
        let key = Key(policy: name, subject: subject)
        return fullAt.withLock { table in
            let full = max(table[key] ?? now, now)
            // A clock that was set back would lock a subject out; a bucket is never emptier than empty.
            let debt = min(full - now, window)
            let isAllowed = debt + interval <= window
            let newDebt = isAllowed ? debt + interval : debt
            if isAllowed {
                if table.count >= capacity, table[key] == nil { Self.makeRoom(in: &table, now: now) }
                table[key] = now + newDebt
            }
            let wait = isAllowed ? newDebt : debt + interval - window
            return RateDecision(
                policy: name, quota: policy.quota, windowSeconds: policy.windowSeconds, isAllowed: isAllowed,
                remaining: Int(max(0, window - newDebt) / interval),
                resetSeconds: Int((wait + 999_999) / 1_000_000))
        }
    }

    /// Forgets what is full again; where that does not free a tenth, also the subjects nearest to full, so that
    /// those who were stopped stay stopped.
    private static func makeRoom(in table: inout [Key: Int64], now: Int64) {
        let before = table.count
        table = table.filter { $0.value > now }
        let spare = before / 10
        guard before - table.count < spare else { return }
        let times = table.values.sorted()
        guard let cut = times.dropFirst(spare).first else { return table.removeAll() }
        table = table.filter { $0.value > cut }
    }
}
