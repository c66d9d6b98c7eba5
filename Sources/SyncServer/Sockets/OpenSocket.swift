import Rooms
import SyncProtocol
import Synchronization

/// One open WebSocket of the sync endpoints, as the registry knows it. Any thread.
public final class OpenSocket: Sendable {
    struct Person {
        var userID: String
        var handle: String
        var meter: UserMeter
    }

    struct State {
        /// Whose tokens opened its documents; one, almost always.
        var people: [Person] = []
        var documents: [SubscriberID: (room: String, document: String)] = [:]
        var close: (@Sendable (DoorRefusal) -> Void)?
        var isOpen = true
    }

    public let id: UInt64
    public let address: String
    /// ms since 1970.
    public let openedAtMs: Int64
    let state = Mutex(State())
    let messages = Atomic<UInt64>(0)
    let bytes = Atomic<UInt64>(0)
    let throttles = Atomic<UInt64>(0)

    init(id: UInt64, address: String, openedAtMs: Int64) {
        self.id = id
        self.address = address
        self.openedAtMs = openedAtMs
    }

    func count(_ size: Int) {
        messages.wrappingAdd(1, ordering: .relaxed)
        bytes.wrappingAdd(UInt64(clamping: size), ordering: .relaxed)
    }

    func countThrottle() { throttles.wrappingAdd(1, ordering: .relaxed) }

    /// Of those who are behind it.
    var meters: [UserMeter] { state.withLock { $0.people.map(\.meter) } }

    /// How the registry closes it: with a refusal that is said in band.
    func onClose(_ close: @escaping @Sendable (DoorRefusal) -> Void) {
        state.withLock { $0.close = close }
    }

    func opened(_ document: String, of room: String, as id: SubscriberID) {
        state.withLock { $0.documents[id] = (room, document) }
    }

    func left(_ id: SubscriberID) { state.withLock { _ = $0.documents.removeValue(forKey: id) } }

    /// Closes the socket; false when it is gone.
    func close(_ refusal: DoorRefusal) -> Bool {
        let close = state.withLock { $0.isOpen ? $0.close : nil }
        close?(refusal)
        return close != nil
    }

    public var view: SocketView {
        state.withLock { state in
            SocketView(
                id: id, address: address, openedAtMs: openedAtMs,
                users: state.people.map { .init(id: $0.userID, handle: $0.handle) },
                documents: state.documents.values.map { "\($0.room)/\($0.document)" }.sorted(),
                messages: messages.load(ordering: .relaxed), bytes: bytes.load(ordering: .relaxed),
                throttles: throttles.load(ordering: .relaxed))
        }
    }
}

/// A socket at one moment, for those who run the server.
public struct SocketView: Sendable {
    public var id: UInt64
    public var address: String
    public var openedAtMs: Int64
    public var users: [ChatPerson]
    /// `{room}/{document}`.
    public var documents: [String]
    /// Received so far, and how often it was not read for a while because it was too fast.
    public var messages: UInt64
    public var bytes: UInt64
    public var throttles: UInt64
}
