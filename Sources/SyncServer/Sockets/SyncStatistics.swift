import NIOCore
import Rooms
import SyncProtocol
import Synchronization

/// What happens on the sync sockets and in the rooms, counted: read when the metrics are. Thread-safe; a few
/// instructions a count.
public final class SyncStatistics: Sendable {
    public let messagesReceived = Tally()
    public let bytesReceived = Tally()
    /// Updates that are on disk and applied, and their bytes.
    public let updates = Tally()
    public let updateBytes = Tally()
    /// Accepted and not on disk yet, bytes, over all rooms.
    public let pendingBytes = Level()
    /// Documents of sockets that are sent nothing until they drain.
    public let slowReceivers = Level()
    /// From handing a batch to the log until it was on disk.
    public let commits = Durations()
    /// Applying a committed batch and telling everyone.
    public let applications = Durations()
    /// From a commit until the loops of its readers came round to telling them.
    public let readerLag = Durations()
    private let overLimits = Mutex<[OverLimit: UInt64]>([:])
    private let refusals = Mutex<[String: UInt64]>([:])

    public init() {}

    /// A batch of a room is on disk.
    func count(_ records: [LogRecord], bytes: Int, since start: NIODeadline) {
        commits.add(since: start)
        updates.add(records.count { $0.kind == .update })
        updateBytes.add(bytes)
    }

    func count(_ limit: OverLimit) { overLimits.withLock { $0[limit, default: 0] &+= 1 } }

    func count(_ limit: RoomLimit) {
        switch limit {
        case .awarenessBytes: count(OverLimit.awarenessBytes)
        case .awarenessClients: count(OverLimit.awarenessClients)
        }
    }

    func count(_ refusal: WriteRefusal) { refusals.withLock { $0[refusal.rawValue, default: 0] &+= 1 } }

    func count(_ refusal: DoorRefusal) {
        refusals.withLock { $0["door_\(refusal.code.rawValue)", default: 0] &+= 1 }
    }

    public func times(over limit: OverLimit) -> UInt64 { overLimits.withLock { $0[limit, default: 0] } }

    /// Refused writes by their code, and closed doors as `door_` with the close code.
    public func times(refused code: String) -> UInt64 { refusals.withLock { $0[code, default: 0] } }

    /// Every code that `times(refused:)` knows.
    public static let refusalCodes: [String] =
        WriteRefusal.allCases.map(\.rawValue) + [1013, 4205, 4401, 4403, 4404, 4429].map { "door_\($0)" }
}

/// A number that only rises.
public final class Tally: Sendable {
    private let count = Atomic<UInt64>(0)

    public init() {}

    public var value: UInt64 { count.load(ordering: .relaxed) }

    func add(_ amount: Int = 1) { count.wrappingAdd(UInt64(clamping: amount), ordering: .relaxed) }
}

/// A number that rises and falls.
public final class Level: Sendable {
    private let level = Atomic<Int>(0)

    public init() {}

    public var value: Int { level.load(ordering: .relaxed) }

    func add(_ change: Int) { level.wrappingAdd(change, ordering: .relaxed) }
}

/// Durations in the buckets of a histogram.
public final class Durations: Sendable {
    /// Upper bounds of the buckets, seconds, ascending; one more bucket takes what is longer.
    public static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    public struct Snapshot: Sendable {
        /// How many fell into each bucket, those of the last one included.
        public var counts = [UInt64](repeating: 0, count: Durations.bounds.count + 1)
        /// Seconds.
        public var sum = 0.0
    }

    private let state = Mutex(Snapshot())

    public init() {}

    public var snapshot: Snapshot { state.withLock { $0 } }

    func add(since start: NIODeadline) {
        let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
        let index = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[index] &+= 1
            state.sum += seconds
        }
    }
}
