import Synchronization

/// Whether this server should be sent requests, and how what it needs is doing.
package final class Readiness: Sendable {
    /// One thing the server needs: its name and whether it is there.
    package struct Check: Sendable {
        package var name: String
        package var isReady: @Sendable () async -> Bool

        package init(_ name: String, isReady: @escaping @Sendable () async -> Bool) {
            self.name = name
            self.isReady = isReady
        }
    }

    private struct State {
        /// Who waits for the checks that have not answered yet.
        var waiting: [String: [FirstAnswer]] = [:]
        var recent: (results: [String: Bool], at: ContinuousClock.Instant)?
    }

    private let checks: [Check]
    private let draining = Atomic<Bool>(false)
    private let state = Mutex(State())

    package init(checks: [Check] = []) {
        self.checks = checks
    }

    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// From now on `/readyz` answers 503.
    package func beginDraining() { draining.store(true, ordering: .releasing) }

    /// Each check by name; false while draining whatever they say. Answers within `GatewayLimits.checkTimeout`.
    package func report() async -> (isReady: Bool, checks: [String: Bool]) {
        var results = await ask()
        if isDraining { results["accepting"] = false }
        return (results.values.allSatisfy { $0 }, results)
    }

    /// Each check by name, as it was a moment ago at most: for probes that must not cost anything.
    package func recent() async -> [String: Bool] {
        let now = ContinuousClock.now
        if let recent = state.withLock({ $0.recent }), now - recent.at < GatewayLimits.checkMemory {
            return recent.results
        }
        return await ask()
    }

    private func ask() async -> [String: Bool] {
        let results = await withTaskGroup(of: (String, Bool).self) { group in
            for check in checks { group.addTask { (check.name, await self.ask(check)) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        state.withLock { $0.recent = (results, .now) }
        return results
    }

    /// A check that hangs is not ready. It runs once at a time, for all who wait.
    private func ask(_ check: Check) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            let waiting = state.withLock { state in
                let waiting = state.waiting[check.name]
                if (waiting?.count ?? 0) < GatewayLimits.checkWaiters {
                    state.waiting[check.name, default: []].append(answer)
                }
                return waiting
            }
            guard (waiting?.count ?? 0) < GatewayLimits.checkWaiters else { return answer.give(false) }
            Task {
                try await Task.sleep(for: GatewayLimits.checkTimeout)
                answer.give(false)
            }
            guard waiting == nil else { return }
            Task {
                let isReady = await check.isReady()
                let waiting = state.withLock { $0.waiting.removeValue(forKey: check.name) }
                for answer in waiting ?? [] { answer.give(isReady) }
            }
        }
    }
}

/// Resumes a continuation with the first of two answers.
private final class FirstAnswer: Sendable {
    private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

    init(_ continuation: CheckedContinuation<Bool, Never>) { self.continuation = Mutex(continuation) }

    func give(_ answer: Bool) {
        let waiting = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(returning: answer)
    }
}
