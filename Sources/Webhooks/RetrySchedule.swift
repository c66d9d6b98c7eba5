/// When a delivery that failed is tried again: exponential backoff with jitter.
public enum RetrySchedule {
    /// The pause after so many attempts, ms: between half of the doubled pause and all of it, so that those who failed
    /// together do not come back together. Nil when it is given up.
    public static func pauseMs(afterAttempts attempts: Int, random: UInt64) -> Int64? {
        guard attempts < Limits.attempts else { return nil }
        let doublings = min(max(attempts - 1, 0), 32)
        let pause = min(Limits.firstPauseMs << Int64(doublings), Limits.longestPauseMs)
        let half = pause / 2
        return half + Int64(random % UInt64(max(half, 1)))
    }
}
