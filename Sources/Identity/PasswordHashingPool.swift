import Dispatch
import Synchronization

/// Runs blocking hash computations on threads of its own, at most `threads` at a time (each takes its memory
/// parameter, 19 MiB), with a bounded queue before them. Neither event loops nor the cooperative pool ever wait.
public final class PasswordHashingPool: Sendable {
    private struct State {
        var running = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let threads: Int
    private let queueLimit: Int
    /// Below the event loops, so that edits do not wait for log-ins where all cores are busy.
    private let queue = DispatchQueue(
        label: "coduel.password-hashing", qos: .utility, attributes: .concurrent)
    private let state = Mutex(State())

    public init(threads: Int = Limits.hashingThreads, queueLimit: Int = Limits.hashingQueue) {
        self.threads = max(1, threads)
        self.queueLimit = max(0, queueLimit)
    }

    /// Runs `work` and answers its result; throws `.unavailable` at once when the queue is full.
    package func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async throws(IdentityError)
        -> Result
    {
        let result: Result? = await withCheckedContinuation { continuation in
            let admitted = submit { continuation.resume(returning: work()) }
            if !admitted { continuation.resume(returning: nil) }
        }
        guard let result else { throw .busy }
        return result
    }

    private func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let startsNow = state.withLock { state -> Bool? in
            if state.running < threads {
                state.running += 1
                return true
            }
            guard state.waiting.count < queueLimit else { return nil }
            state.waiting.append(job)
            return false
        }
        guard let startsNow else { return false }
        if startsNow { start(job) }
        return true
    }

    private func start(_ job: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            job()
            let next = state.withLock { state -> (@Sendable () -> Void)? in
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            if let next { start(next) }
        }
    }
}
