/// A program run on an input of the user's own, outside any problem.
public enum RunState: Sendable, Equatable {
    case queued
    case running
    case finished(RunOutcome)
}

public struct RunOutcome: Sendable, Equatable {
    /// The compiler's run; its program is left out.
    public var compile: ExecutionResult
    /// The program's run; nil when it did not compile.
    public var execution: ExecutionResult?

    /// CE when it did not compile (JE when that was our fault), else the run's own.
    public var verdict: Verdict {
        if let execution { return execution.verdict }
        return compile.end == .sandboxError ? .judgeError : .compileError
    }
}

/// Custom runs in memory: bounded in number and age. Finished ones make room for new ones, oldest first; runs that
/// still wait or run are never dropped.
struct RunBoard {
    private struct Entry {
        var userID: String
        var state: RunState
        var createdAtMs: Int64
    }

    private var entries: [String: Entry] = [:]
    /// Ids, oldest first.
    private var order: [String] = []

    /// False when every place is taken by runs that are not finished.
    mutating func insert(_ id: String, userID: String, atMs: Int64) -> Bool {
        expire(atMs: atMs)
        if entries.count >= Limits.runsKept {
            guard let oldest = order.first(where: isFinished) else { return false }
            remove(oldest)
        }
        entries[id] = Entry(userID: userID, state: .queued, createdAtMs: atMs)
        order.append(id)
        return true
    }

    mutating func set(_ id: String, _ state: RunState) { entries[id]?.state = state }

    mutating func remove(_ id: String) {
        entries[id] = nil
        order.removeAll { $0 == id }
    }

    /// Nil when it is unknown, gone, or another user's.
    mutating func state(_ id: String, userID: String, atMs: Int64) -> RunState? {
        expire(atMs: atMs)
        guard let entry = entries[id], entry.userID == userID else { return nil }
        return entry.state
    }

    private func isFinished(_ id: String) -> Bool {
        guard case .finished? = entries[id]?.state else { return false }
        return true
    }

    private mutating func expire(atMs: Int64) {
        while let oldest = order.first, let entry = entries[oldest], isFinished(oldest),
            atMs - entry.createdAtMs > Limits.runKeptMs
        {
            remove(oldest)
        }
    }
}
