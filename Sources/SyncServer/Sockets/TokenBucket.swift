import NIOCore

/// Credit that refills with time; may be overdrawn by what was read already.
struct TokenBucket {
    private let rate: Rate
    private var tokens: Double
    private var last = NIODeadline.now()

    init(_ rate: Rate) {
        self.rate = rate
        tokens = rate.burst
    }

    /// Takes so many tokens; gives how long to wait until there is credit again, nil while there is some.
    mutating func take(_ count: Double, at now: NIODeadline) -> TimeAmount? {
        refill(at: now)
        tokens -= count
        return tokens > 0 ? nil : refillTime
    }

    /// How long until all that was taken is paid for; zero while there is credit.
    mutating func debt(at now: NIODeadline) -> TimeAmount {
        refill(at: now)
        return tokens > 0 ? .zero : .milliseconds(Int64(-tokens / rate.perSecond * 1_000))
    }

    mutating func isFull(at now: NIODeadline) -> Bool {
        refill(at: now)
        return tokens >= rate.burst
    }

    private mutating func refill(at now: NIODeadline) {
        let elapsed = Double(max(0, (now - last).nanoseconds)) / 1e9
        last = max(now, last)
        tokens = min(rate.burst, tokens + elapsed * rate.perSecond)
    }

    /// Until a tenth of a second's worth is there again.
    private var refillTime: TimeAmount {
        .milliseconds(Int64(max(1, (rate.perSecond * 0.1 - tokens) / rate.perSecond * 1_000)))
    }
}
