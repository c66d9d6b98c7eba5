import NIOCore
import Rooms
import SyncProtocol
import Synchronization

/// What happens on the sync sockets and in the rooms, counted: read when the metrics are. Thread-safe; a few
/// instructions a count.
public final class SyncStatistics: Sendable {
    /// Messages of sync sockets by their type; those sent to many are counted for each.
    public let received = MessageCounts()
    public let sent = MessageCounts()
    public let bytesReceived = Tally()
    /// Updates that are on disk and applied, and their bytes.
    public let updates = Tally()
    public let updateBytes = Tally()
    /// Sizes of such updates, bytes.
    public let updateSizes = Distribution(bounds: [
        16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576,
    ])
    /// Accepted and not on disk yet, bytes, over all rooms.
    public let pendingBytes = Level()
    /// Documents of sockets that are sent nothing until they drain.
    public let slowReceivers = Level()
    /// From handing a batch to the log until it was on disk.
    public let commits = Distribution(bounds: Distribution.seconds)
    /// Applying a committed batch and telling everyone.
    public let applications = Distribution(bounds: Distribution.seconds)
    /// From a commit until the loops of its readers came round to telling them.
    public let readerLag = Distribution(bounds: Distribution.seconds)
    private let overLimits = Mutex<[OverLimit: UInt64]>([:])
    private let refusals = Mutex<[String: UInt64]>([:])

    public init() {}

    /// A batch of a room is on disk.
    func count(_ records: [LogRecord], bytes: Int, since start: NIODeadline) {
        commits.add(since: start)
        for record in records where record.kind == .update {
            updates.add()
            updateSizes.add(Double(record.payload.count))
        }
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
