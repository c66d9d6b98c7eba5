import GRDB
import Rooms

@Sendable func registerRoomMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("rooms-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE rooms (
                    id TEXT NOT NULL PRIMARY KEY,
                    kind TEXT NOT NULL,
                    owner_id TEXT NOT NULL,
                    specification TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    settled INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX unsettled_battles ON rooms (created_at_ms) WHERE kind = 'battle' AND settled = 0;

                CREATE TABLE invites (
                    code TEXT NOT NULL PRIMARY KEY,
                    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
                    created_by TEXT NOT NULL,
                    expires_at_ms INTEGER NOT NULL,
                    used_by TEXT
                ) STRICT;
                CREATE INDEX invites_of_room ON invites (room_id);
                """)
    }
    migrator.registerMigration("rooms-2") { db in
        try db.execute(sql: "CREATE INDEX rooms_of_owner ON rooms (owner_id, kind)")
    }
    // Service accounts have many rooms, and are held to a number of them.
    migrator.registerMigration("rooms-3") { db in
        try db.execute(sql: "CREATE INDEX hosted_rooms ON rooms (owner_id) WHERE kind = 'hosted'")
    }
}

/// What rooms are, in `coduel.db`; what was written in them is in the room log.
public struct RoomStoreSQLite: RoomStore, HostedRoomStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func create(_ room: RoomSpecification) async throws {
        let text = try jsonText(room)
        try await database.write { db in try Self.insert(room, text, in: db) }
    }

    private static func insert(_ room: RoomSpecification, _ text: String, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO rooms (id, kind, owner_id, specification, created_at_ms, settled)
                VALUES (?, ?, ?, ?, ?, 0)
                """,
            arguments: [room.id, room.kind.rawValue, room.ownerID, text, room.createdAtMs])
    }

    public func openHosted(_ room: RoomSpecification, atMost limit: Int) async throws -> RoomSpecification? {
        let text = try jsonText(room)
        return try await database.write { db in
            if let known = try Self.room(room.id, in: db) { return known }
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM rooms WHERE owner_id = ? AND kind = ?",
                arguments: [room.ownerID, RoomKind.hosted.rawValue])
            guard (count ?? 0) < limit else { return nil }
            try Self.insert(room, text, in: db)
            return room
        }
    }

    public func room(_ id: String) async throws -> RoomSpecification? {
        try await database.read { db in try Self.room(id, in: db) }
    }

    public func raiseEpoch(of roomID: String) async throws {
        try await database.write { db in
            guard var room = try Self.room(roomID, in: db) else { return }
            room.epoch += 1
            try db.execute(
                sql: "UPDATE rooms SET specification = ? WHERE id = ?",
                arguments: [try jsonText(room), roomID])
        }
    }

    public func apply(_ change: RoomChange, to roomID: String) async throws -> Bool {
        try await database.write { db in
            guard var room = try Self.room(roomID, in: db), change.apply(to: &room) else { return false }
            try db.execute(
                sql: "UPDATE rooms SET specification = ? WHERE id = ?",
                arguments: [try jsonText(room), roomID])
            return true
        }
    }

    public func pairRooms(ownedBy userID: String) async throws -> Int {
        try await database.read { db in
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM rooms WHERE owner_id = ? AND kind = 'pair'",
                arguments: [userID]) ?? 0
        }
    }

    public func unsettledBattles() async throws -> [String] {
        try await database.read { db in
            try String.fetchAll(
                db,
                sql: "SELECT id FROM rooms WHERE kind = 'battle' AND settled = 0 ORDER BY created_at_ms")
        }
    }

    public func markSettled(_ roomID: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE rooms SET settled = 1 WHERE id = ? AND settled = 0", arguments: [roomID])
            return db.changesCount == 1
        }
    }

    // MARK: Invitations

    public func createInvite(code: String, roomID: String, createdBy: String, expiresAtMs: Int64) async throws
    {
        try await database.write { db in
            try db.execute(
                sql: "INSERT INTO invites (code, room_id, created_by, expires_at_ms) VALUES (?, ?, ?, ?)",
                arguments: [code, roomID, createdBy, expiresAtMs])
        }
    }

    public func invite(
        code: String, userID: String, atMs: Int64
    ) async throws -> (roomID: String, createdBy: String)? {
        try await database.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT room_id, created_by FROM invites
                    WHERE code = ? AND expires_at_ms > ? AND (used_by IS NULL OR used_by = ?)
                    """, arguments: [code, atMs, userID]
            ).map { (try $0.text("room_id"), try $0.text("created_by")) }
        }
    }

    public func acceptInvite(code: String, userID: String, atMs: Int64) async throws -> String? {
        try await database.write { db in
            guard
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT room_id, used_by FROM invites
                        WHERE code = ? AND expires_at_ms > ? AND (used_by IS NULL OR used_by = ?)
                        """, arguments: [code, atMs, userID])
            else { return nil }
            try db.execute(sql: "UPDATE invites SET used_by = ? WHERE code = ?", arguments: [userID, code])
            return try row.text("room_id")
        }
    }

    private static func room(_ id: String, in db: Database) throws -> RoomSpecification? {
        try Row.fetchOne(db, sql: "SELECT specification FROM rooms WHERE id = ?", arguments: [id])?
            .json("specification")
    }
}
