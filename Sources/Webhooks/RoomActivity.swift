/// Turns what happens in rooms into few events: a room is opened by its first socket, closed when nobody came back, and
/// changed once for many changes.
public struct RoomActivity: Sendable {
    /// What is told of a room.
    public struct Notice: Sendable, Equatable {
        public var roomID: String
        public var ownerID: String?
        public var type: WebhookEventType
        /// Of `changed`: documents with the last sequence of their changes.
        public var documents: [String: Int64] = [:]
    }

    private struct State {
        var ownerID: String?
        var isOccupied = false
        /// Whether it was told that the room is open.
        var isOpen = false
        var emptySinceMs: Int64?
        var changed: [String: Int64] = [:]
        var firstChangeMs: Int64?
        var lastChangeMs: Int64 = 0
    }

    private var rooms: [String: State] = [:]

    public init() {}

    public var isEmpty: Bool { rooms.isEmpty }

    /// Somebody is in the room now, or nobody is any more.
    public mutating func occupied(
        _ isOccupied: Bool, room roomID: String, ownerID: String?, atMs: Int64
    ) -> Notice? {
        var state = rooms[roomID] ?? State()
        state.ownerID = ownerID
        state.isOccupied = isOccupied
        state.emptySinceMs = isOccupied ? nil : atMs
        let opens = isOccupied && !state.isOpen
        if opens { state.isOpen = true }
        rooms[roomID] = state
        return opens ? Notice(roomID: roomID, ownerID: ownerID, type: .roomOpened) : nil
    }

    public mutating func changed(
        _ document: String, sequence: Int64, room roomID: String, ownerID: String?, atMs: Int64
    ) {
        rooms[roomID, default: State()].ownerID = ownerID
        rooms[roomID]?.changed[document] = sequence
        rooms[roomID]?.lastChangeMs = atMs
        if rooms[roomID]?.firstChangeMs == nil { rooms[roomID]?.firstChangeMs = atMs }
    }

    /// What is to be told by now; changes before the end of a room. With `all`, whatever waits, at the end of the
    /// process.
    public mutating func due(atMs: Int64, all: Bool = false) -> [Notice] {
        var notices: [Notice] = []
        // Most rooms have nothing to tell: this comes often, and whoever writes in a room waits for it.
        let waiting = rooms.filter { $0.value.firstChangeMs != nil || $0.value.emptySinceMs != nil }
        for (roomID, state) in waiting.sorted(by: { $0.key < $1.key }) {
            var state = state
            let closes =
                state.isOpen && (state.emptySinceMs.map { $0 + Limits.closeAfterMs <= atMs || all } ?? false)
            if let first = state.firstChangeMs,
                all || closes || state.lastChangeMs + Limits.changeQuietMs <= atMs
                    || first + Limits.changeLatestMs <= atMs
            {
                notices.append(
                    Notice(
                        roomID: roomID, ownerID: state.ownerID, type: .roomChanged, documents: state.changed))
                state.changed = [:]
                state.firstChangeMs = nil
            }
            if closes {
                notices.append(Notice(roomID: roomID, ownerID: state.ownerID, type: .roomClosed))
                state.isOpen = false
            }
            let isDone = !state.isOccupied && !state.isOpen && state.firstChangeMs == nil
            rooms[roomID] = isDone ? nil : state
        }
        return notices
    }
}
