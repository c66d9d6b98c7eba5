import GRDB
import Rooms

extension RoomLogSQLite: OpenRoomLog {
    /// All payloads of a room, bytes. Read from the index, whose entries are small.
    static func bytes(of room: String, in db: Database) throws -> Int {
        try Int.fetchOne(
            db, sql: "SELECT coalesce(sum(bytes), 0) FROM log INDEXED BY log_sizes WHERE room = ?",
            arguments: [room]) ?? 0
    }

    /// Rooms between two names, from `log` and from the snapshots that may be all there is of them. Leaps from room to
    /// room; looking for distinct rooms would read every record.
    private static let found = """
        WITH RECURSIVE found(room) AS (
            SELECT nullif(min(
                coalesce((SELECT min(room) FROM log WHERE room >= ?1 AND room < ?2), ?2),
                coalesce((SELECT min(room) FROM room_snapshots WHERE room >= ?1 AND room < ?2), ?2)), ?2)
            UNION ALL
            SELECT nullif(min(
                coalesce((SELECT min(room) FROM log AS l WHERE l.room > found.room AND l.room < ?2), ?2),
                coalesce(
                    (SELECT min(room) FROM room_snapshots AS s WHERE s.room > found.room AND s.room < ?2),
                    ?2)), ?2)
            FROM found WHERE found.room IS NOT NULL)
        """

    public func roomCount(prefix: String) async throws -> Int {
        try await settleAll()
        return try await pool.read { db in
            try Int.fetchOne(
                db, sql: "\(Self.found) SELECT count(room) FROM found",
                arguments: [prefix, prefix + Self.last]) ?? 0
        }
    }

    public func quietRooms(prefix: String, beforeMs: Int64, limit: Int) async throws -> [String] {
        try await settleAll()
        return try await pool.read { db in
            try String.fetchAll(
                db,
                sql: """
                    \(Self.found)
                    SELECT room FROM found WHERE room IS NOT NULL AND max(
                        coalesce((
                            SELECT committed_at FROM log AS l WHERE l.room = found.room
                            ORDER BY sequence DESC LIMIT 1), 0),
                        coalesce((
                            SELECT max(committed_at) FROM room_snapshots AS s WHERE s.room = found.room), 0)
                    ) < ?3
                    LIMIT ?4
                    """, arguments: [prefix, prefix + Self.last, beforeMs, limit])
        }
    }

    public func remove(room: String) async throws {
        ends.withLock { $0[room] = nil }
        try await change { db in
            for table in ["room_snapshots", "log", "lost_records"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE room = ?", arguments: [room])
            }
        }
    }

    /// Sorts behind all that may follow a prefix.
    private static let last = "\u{10FFFF}"
}
