import Rooms
import Synchronization

/// What every room host uses.
public struct RoomServices: Sendable {
    public let store: any RoomStore
    public let log: any RoomLog
    public let hooks: RoomHooks
    /// Chat lines that left their documents.
    public let chatArchive: any ChatArchive
    public let limits: RoomLimits
    public let ports: RoomPorts
    public let registry: SocketRegistry
    /// ms since 1970.
    public let now: @Sendable () -> Int64
    /// A new UUIDv7.
    public let newID: @Sendable () -> String
    let nextID: @Sendable () -> UInt64
    /// Rooms that have no space to write.
    let readOnlyRooms = Level()

    public init(
        store: any RoomStore, log: any RoomLog, chatArchive: any ChatArchive, hooks: RoomHooks,
        limits: RoomLimits = .standard, ports: RoomPorts = .none, registry: SocketRegistry,
        now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> String
    ) {
        self.store = store
        self.log = log
        self.chatArchive = chatArchive
        self.hooks = hooks
        self.limits = limits
        self.ports = ports
        self.registry = registry
        self.now = now
        self.newID = newID
        let counter = Counter()
        nextID = { counter.next() }
    }
}

/// Numbers that are unique within the process.
private final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)
    func next() -> UInt64 { value.add(1, ordering: .relaxed).newValue }
}
