import OutboundHTTP
import Synchronization
import Testing

/// A service that does not answer is left alone for a while.
@Suite struct CircuitBreakerTests {
    private final class Clock: Sendable {
        let ms = Mutex<Int64>(1_000)
        func advance(_ step: Int64) { ms.withLock { $0 += step } }
    }

    private let clock = Clock()
    private let breaker: CircuitBreaker

    init() {
        let clock = clock
        breaker = CircuitBreaker(failuresToOpen: 3, openMs: 100, now: { clock.ms.withLock { $0 } })
    }

    /// Calls made, of those that were tried.
    private func call(_ status: Int) async -> Bool {
        var isMade = false
        _ = try? await breaker.call(isFailure: { $0 >= 500 }) { () async throws(OutboundError) in
            isMade = true
            return status
        }
        return isMade
    }

    @Test func opensAfterFailuresInARow() async {
        for status in [500, 500, 200, 500, 500] {
            #expect(await call(status))
            #expect(breaker.state == .closed)
        }
        #expect(await call(500))
        #expect(breaker.state == .open)
        #expect(await !call(200))
    }

    @Test func oneProbeDecides() async {
        for _ in 0..<3 { _ = await call(500) }
        clock.advance(100)
        #expect(breaker.state == .halfOpen)
        #expect(await call(500))
        #expect(breaker.state == .open)
        #expect(await !call(200))
        clock.advance(100)
        #expect(await call(200))
        #expect(breaker.state == .closed)
        #expect(await call(200))
    }

    @Test func whileAProbeIsOnItsWayOthersWait() async {
        for _ in 0..<3 { _ = await call(500) }
        clock.advance(100)
        let inner = try? await breaker.call { () async throws(OutboundError) in await call(200) }
        #expect(inner == false)
        #expect(breaker.state == .closed)
    }
}
