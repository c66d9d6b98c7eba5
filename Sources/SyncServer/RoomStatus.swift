/// Where a room in memory stands. Loading → live, and back and forth to read-only while the disk is full; draining at
/// shutdown, until what is on its way to disk is there. A room that failed is thrown away, and loaded again from the
/// log by the next who asks; one that was unloaded leaves nothing.
public enum RoomStatus: String, Sendable, CaseIterable {
    case loading
    case live
    case readOnly = "read_only"
    case draining
    /// Its load or a write of it failed, and it is not loaded again yet.
    case failed
}

/// What an operator counts.
public enum RoomEvent: Sendable, Equatable {
    /// Records that recovery marked as lost, and whether the documents are made of them.
    case recordsLost(Int, fromDocuments: Bool)
    case snapshotsLost(Int)
    case loadFailed
    /// The log could not be written or synced; the room is loaded again.
    case logFailed
    /// The disk became full under a room, or has space again.
    case readOnly(Bool)
}

/// Rooms that failed a moment ago: each is left alone for a while that grows with every failure, so that clients who
/// reconnect at once do not keep a broken disk busy.
struct FailedRooms {
    private struct Failure {
        var count = 0
        var untilMs: Int64 = 0
    }

    private var failures: [String: Failure] = [:]

    func count(atMs: Int64) -> Int { failures.values.count { $0.untilMs > atMs } }

    /// Whether the room may not be loaded yet.
    func holds(_ id: String, atMs: Int64) -> Bool {
        guard let failure = failures[id] else { return false }
        // A clock that was set back holds nobody for longer.
        return failure.untilMs > atMs && failure.untilMs <= atMs + Limits.failurePauseMs
    }

    mutating func add(_ id: String, atMs: Int64) {
        if failures.count >= Limits.failedRooms { failures.removeAll() }
        var failure = failures[id] ?? Failure()
        if failure.untilMs + Limits.failureMemoryMs < atMs { failure.count = 0 }
        let pause = failure.count == 0 ? 0 : Limits.firstFailurePauseMs << min(failure.count - 1, 16)
        failure.count += 1
        failure.untilMs = atMs + min(pause, Limits.failurePauseMs)
        failures[id] = failure
    }
}
