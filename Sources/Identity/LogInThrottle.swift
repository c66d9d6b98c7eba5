/// Growing pause of one log-in name after failures, whether or not the account exists: the answer tells nothing.
/// In memory: a restart forgives, and the number of names is bounded, the longest quiet one goes.
package struct LogInThrottle: Sendable {
    private struct Entry {
        var failures: Int
        var lastFailureMs: Int64
        var blockedUntilMs: Int64
    }

    private var entries: [String: Entry] = [:]

    package init() {}

    package var count: Int { entries.count }

    /// Seconds to wait before the next attempt is looked at; nil when it may go on.
    package func pause(of name: String, atMs: Int64) -> Int? {
        guard let entry = entries[name], atMs < entry.blockedUntilMs else { return nil }
        let (rest, overflow) = entry.blockedUntilMs.subtractingReportingOverflow(atMs)
        return overflow ? Limits.logInPauseSeconds : min(Limits.logInPauseSeconds, Int((rest + 999) / 1000))
    }

    /// After `freeLogInFailures` failures: 1, 2, 4, … seconds, at most `logInPauseSeconds`.
    package mutating func failed(_ name: String, atMs: Int64) {
        var entry = entries[name] ?? Entry(failures: 0, lastFailureMs: atMs, blockedUntilMs: 0)
        if atMs >= entry.lastFailureMs.saturatingAdding(Limits.logInMemoryMs) { entry.failures = 0 }
        entry.failures = min(entry.failures + 1, 1000)
        entry.lastFailureMs = atMs
        let beyond = entry.failures - Limits.freeLogInFailures
        if beyond >= 0 {
            let seconds = min(Limits.logInPauseSeconds, 1 << min(beyond, 16))
            entry.blockedUntilMs = atMs.saturatingAdding(Int64(seconds) * 1000)
        }
        if entries[name] == nil { makeRoom(atMs: atMs) }
        entries[name] = entry
    }

    package mutating func succeeded(_ name: String) {
        entries[name] = nil
    }

    private mutating func makeRoom(atMs: Int64) {
        guard entries.count >= Limits.throttledLogIns else { return }
        entries = entries.filter { atMs < $0.value.lastFailureMs.saturatingAdding(Limits.logInMemoryMs) }
        guard entries.count >= Limits.throttledLogIns else { return }
        // Half goes at once, so that a flood of names does not sort on every failure.
        let byAge = entries.sorted { $0.value.lastFailureMs > $1.value.lastFailureMs }
        entries = Dictionary(
            byAge.prefix(Limits.throttledLogIns / 2).map { ($0.key, $0.value) },
            uniquingKeysWith: { a, _ in a })
    }
}
