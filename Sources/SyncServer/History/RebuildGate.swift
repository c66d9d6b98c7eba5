import Synchronization

/// Documents being rebuilt from the log at once: each takes time that grows with the room's history.
final class RebuildGate: Sendable {
    private let running = Atomic<Int>(0)

    /// False when as many run as may; otherwise call `end` afterwards.
    func begin() -> Bool {
        guard running.add(1, ordering: .relaxed).newValue <= Limits.rebuilds else {
            end()
            return false
        }
        return true
    }

    func end() { running.subtract(1, ordering: .relaxed) }
}
