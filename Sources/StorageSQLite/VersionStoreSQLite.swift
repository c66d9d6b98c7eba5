import GRDB
import Rooms

@Sendable func registerVersionMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("versions-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE room_versions (
                    id TEXT NOT NULL PRIMARY KEY,
                    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
                    document TEXT NOT NULL,
                    name TEXT NOT NULL,
                    sequence INTEGER NOT NULL,
                    created_by TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX versions_of_document ON room_versions (room_id, document, id);
                """)
    }
}

/// Named versions in `coduel.db`.
public struct VersionStoreSQLite: VersionStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func create(_ version: RoomVersion, atMost limit: Int) async throws -> Bool {
        try await database.write { db in
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM room_versions WHERE room_id = ? AND document = ?",
                arguments: [version.roomID, version.document])
            guard (count ?? 0) < limit else { return false }
            try db.execute(
                sql: """
                    INSERT INTO room_versions (id, room_id, document, name, sequence, created_by, created_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    version.id, version.roomID, version.document, version.name, version.sequence,
                    version.createdBy, version.createdAtMs,
                ])
            return true
        }
    }

    public func version(_ id: String, of roomID: String, document: String) async throws -> RoomVersion? {
        try await database.read { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM room_versions WHERE id = ? AND room_id = ? AND document = ?",
                arguments: [id, roomID, document]
            ).map(Self.version)
        }
    }

    public func versions(
        of roomID: String, document: String, before id: String?, limit: Int
    ) async throws -> [RoomVersion] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM room_versions
                    WHERE room_id = ? AND document = ? AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?
                    """, arguments: [roomID, document, id, id, min(limit, Limits.pageRows)]
            ).map(Self.version)
        }
    }

    public func deleteVersion(_ id: String, of roomID: String, document: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM room_versions WHERE id = ? AND room_id = ? AND document = ?",
                arguments: [id, roomID, document])
            return db.changesCount == 1
        }
    }

    private static func version(_ row: Row) throws -> RoomVersion {
        RoomVersion(
            id: try row.text("id"), roomID: try row.text("room_id"), document: try row.text("document"),
            name: try row.text("name"), sequence: try row.integer("sequence"),
            createdBy: try row.text("created_by"), createdAtMs: try row.integer("created_at_ms"))
    }
}
