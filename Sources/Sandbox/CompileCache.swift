import Judging
import Synchronization

/// What compiling the same again would give: results by content, those used longest ago going first.
///
/// Whole contents are compared, not only their hashes, so that no collision can hand out somebody else's program. In
/// memory, for the life of the process: a compiler that is replaced under a running server is noticed at its restart.
final class CompileCache: Sendable {
    struct Key: Hashable, Sendable {
        var language: String
        var source: [UInt8]
        var files: [String: [UInt8]]

        var bytes: Int { source.count + files.reduce(0) { $0 + $1.key.utf8.count + $1.value.count } }
    }

    private struct Entry {
        var result: CompileResult
        var bytes: Int
        var usedAt: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let largestEntries: Int
    private let largestBytes: Int

    init(entries: Int = Limits.cachedCompilations, bytes: Int = Limits.cachedCompilationBytes) {
        largestEntries = entries
        largestBytes = bytes
    }

    func result(for key: Key) -> CompileResult? {
        state.withLock { state in
            guard let index = state.entries.index(forKey: key) else { return nil }
            state.clock += 1
            state.entries.values[index].usedAt = state.clock
            return state.entries.values[index].result
        }
    }

    /// Keeps what would come out the same the next time: a program, or the compiler's refusal. Not what ran over a
    /// limit, and nothing of the sandbox's own failures. Linear in the number of entries where some have to go.
    func store(_ result: CompileResult, for key: Key) {
        guard result.execution.end == .exited, (result.program != nil) == (result.execution.exitCode == 0)
        else {
            return
        }
        let bytes =
            key.bytes + (result.program?.artefact.count ?? 0) + result.execution.standardOutput.count
            + result.execution.standardError.count
        guard bytes <= largestBytes / 2 else { return }
        state.withLock { state in
            state.clock += 1
            let entry = Entry(result: result, bytes: bytes, usedAt: state.clock)
            if let old = state.entries.updateValue(entry, forKey: key) { state.bytes -= old.bytes }
            state.bytes += bytes
            while state.bytes > largestBytes || state.entries.count > largestEntries {
                guard let oldest = state.entries.min(by: { $0.value.usedAt < $1.value.usedAt }) else {
                    return
                }
                state.entries[oldest.key] = nil
                state.bytes -= oldest.value.bytes
            }
        }
    }

    /// For tests and figures.
    var size: (entries: Int, bytes: Int) { state.withLock { ($0.entries.count, $0.bytes) } }
}
