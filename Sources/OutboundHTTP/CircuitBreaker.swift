import Synchronization

/// Stops calling a service that does not answer (the circuit breaker of Nygard's "Release It!"): after some failures in
/// a row calls are refused at once for a while; then one call is let through, and decides. Thread-safe, O(1).
public final class CircuitBreaker: Sendable {
    public enum State: String, Sendable, CaseIterable {
        /// Calls go through.
        case closed
        /// Calls are refused.
        case open
        /// One call is on its way, to see.
        case halfOpen = "half_open"
    }

    private struct Counts {
        var failures = 0
        var openUntilMs: Int64?
        var isProbing = false
    }

    private let failuresToOpen: Int
    private let openMs: Int64
    private let now: @Sendable () -> Int64
    private let counts = Mutex(Counts())

    /// - Parameters:
    ///   - failuresToOpen: failures in a row after which it opens.
    ///   - openMs: how long it stays open.
    ///   - now: ms since 1970.
    public init(
        failuresToOpen: Int = OutboundLimits.failuresToOpen, openMs: Int64 = OutboundLimits.openMs,
        now: @escaping @Sendable () -> Int64
    ) {
        self.failuresToOpen = max(1, failuresToOpen)
        self.openMs = openMs
        self.now = now
    }

    public var state: State {
        counts.withLock { counts in
            guard let until = counts.openUntilMs else { return .closed }
            return counts.isProbing || now() >= until ? .halfOpen : .open
        }
    }

    /// Makes a call, unless the circuit is open.
    ///
    /// - Parameter isFailure: whether an answer counts as one (a 503, say).
    /// - Throws: at once while it is open; else what the call throws.
    public func call<Answer>(
        isFailure: (Answer) -> Bool = { _ in false }, _ body: () async throws(OutboundError) -> Answer
    ) async throws(OutboundError) -> Answer {
        guard mayCall() else { throw OutboundError("the service did not answer before; it is left alone") }
        do throws(OutboundError) {
            let answer = try await body()
            note(failed: isFailure(answer))
            return answer
        } catch {
            note(failed: true)
            throw error
        }
    }

    private func mayCall() -> Bool {
        counts.withLock { counts in
            guard let until = counts.openUntilMs else { return true }
            guard now() >= until, !counts.isProbing else { return false }
            counts.isProbing = true
            return true
        }
    }

    private func note(failed: Bool) {
        counts.withLock { counts in
            guard failed else { return counts = Counts() }
            counts.failures += 1
            guard counts.isProbing || counts.failures >= failuresToOpen else { return }
            counts = Counts(failures: 0, openUntilMs: now() + openMs, isProbing: false)
        }
    }
}
