import Synchronization

/// Lets as many runs to the helper as it has slots; the others wait in order.
final class SlotGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Bool, Never>] = []
        /// Index of the next one to be let in; those before it are gone.
        var next = 0
    }

    private let state: Mutex<State>

    init(slots: Int) { state = Mutex(State(free: slots)) }

    /// Waits for a slot, which `leave` gives back; false when too many wait already.
    func enter() async -> Bool {
        await withCheckedContinuation { continuation in
            let decided: Bool? = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                guard state.waiting.count - state.next < Limits.waitingRuns else { return false }
                state.waiting.append(continuation)
                return nil
            }
            if let decided { continuation.resume(returning: decided) }
        }
    }

    func leave() {
        let successor: CheckedContinuation<Bool, Never>? = state.withLock { state in
            guard state.next < state.waiting.count else {
                state.waiting.removeAll()
                state.next = 0
                state.free += 1
                return nil
            }
            state.next += 1
            let successor = state.waiting[state.next - 1]
            if state.next > Limits.waitingRuns {
                state.waiting.removeFirst(state.next)
                state.next = 0
            }
            return successor
        }
        successor?.resume(returning: true)
    }
}
