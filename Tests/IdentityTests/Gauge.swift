import Glibc
import Synchronization

/// How many run at the same time.
final class Gauge: Sendable {
    private let state = Mutex((running: 0, peak: 0))

    var peak: Int { state.withLock { $0.peak } }

    /// Takes 20 ms of its thread.
    func work() {
        state.withLock { state in
            state.running += 1
            state.peak = max(state.peak, state.running)
        }
        usleep(20_000)
        state.withLock { $0.running -= 1 }
    }
}
