import Rooms
import Synchronization

/// What every room host uses.
public struct RoomServices: Sendable {
    public let store: any RoomStore
    public let log: any RoomLog
    public let hooks: RoomHooks
    /// ms since 1970.
    public let now: @Sendable () -> Int64
    /// A new UUIDv7.
    public let newID: @Sendable () -> String
    let nextID: @Sendable () -> UInt64
    /// Rooms that have no space to write.
    let readOnlyRooms = Tally()

    public init(
        store: any RoomStore, log: any RoomLog, hooks: RoomHooks, now: @escaping @Sendable () -> Int64,
        newID: @escaping @Sendable () -> String
    ) {
        self.store = store
        self.log = log
        self.hooks = hooks
        self.now = now
        self.newID = newID
        let counter = Counter()
        nextID = { counter.next() }
    }
}

/// How many there are of something.
final class Tally: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ change: Int) { count.add(change, ordering: .relaxed) }
}

/// Numbers that are unique within the process.
private final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)
    func next() -> UInt64 { value.add(1, ordering: .relaxed).newValue }
}
