import NIOCore
import Rooms
import SyncProtocol

// Open rooms come by being named: there is a bound on their number, and those that nobody writes to go.
extension RoomDirectory {
    /// Removes open rooms that nobody wrote to since `beforeMs` and that nobody has open; gives how many.
    public func removeQuietOpenRooms(_ log: any OpenRoomLog, beforeMs: Int64) async throws -> Int {
        try await countOpenRooms(log)
        var removed = 0
        for id in try await log.quietRooms(
            prefix: OpenRoom.prefix, beforeMs: beforeMs, limit: Limits.removedOpenRooms)
        {
            if try await whileUnloaded(id, { try await log.remove(room: id) }) { removed += 1 }
        }
        if removed > 0 { try await countOpenRooms(log) }
        return removed
    }

    /// - Throws: when there are as many open rooms as there may be, and this would be one more.
    func admitOpenRoom(_ id: String, isNew: Bool) throws {
        guard isNew, OpenRoom.name(ofID: id) != nil else { return }
        let hasPlace = state.withLock { state in
            guard state.openRooms < openRoomLimit else { return false }
            state.openRooms += 1
            return true
        }
        guard !hasPlace else { return }
        registry.statistics.count(.openRooms)
        throw DoorRefusal(.tryAgainLater, "there are too many open rooms")
    }

    /// Counts the open rooms that have a log; those that are open and empty come on top.
    func countOpenRooms(_ log: any OpenRoomLog) async throws {
        let count = try await log.roomCount(prefix: OpenRoom.prefix)
        let hosts = state.withLock { Array($0.hosts.values) }
        var empty = 0
        for host in hosts where OpenRoom.name(ofID: host.id) != nil {
            if (try? await host.run { room, _ in room.sequence == 0 }) == true { empty += 1 }
        }
        state.withLock { [empty] in $0.openRooms = count + empty }
    }

    /// Does something to a room that nobody has open, and that nobody opens meanwhile; false where somebody has.
    func whileUnloaded(_ id: String, _ body: () async throws -> Void) async throws -> Bool {
        let promise = group.next().makePromise(of: RoomHost.self)
        let isFree = state.withLock { state in
            guard state.rooms[id] == nil, !state.isShuttingDown else { return false }
            state.rooms[id] = promise.futureResult
            return true
        }
        defer {
            if isFree { state.withLock { _ = $0.rooms.removeValue(forKey: id) } }
            promise.fail(DoorRefusal(.tryAgainLater, "the room is being removed"))
        }
        guard isFree else { return false }
        try await body()
        return true
    }
}

/// Rooms of `/sync/open/{name}`: any name is a document.
public enum OpenRoom {
    static let prefix = "open/"
    public static let maximumNameBytes = 256

    public static func id(of name: String) -> String { prefix + name }

    public static func name(ofID id: String) -> String? {
        id.hasPrefix(prefix) ? String(id.dropFirst(prefix.count)) : nil
    }
}
