import GRDB
import Identity

/// Announcements, and settings made while the server runs, in `coduel.db`.
public struct AdministrationStoreSQLite: AnnouncementStore, DoorSettingsStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ announcement: Announcement, limit: Int) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM announcements WHERE expires_at_ms <= ?",
                arguments: [announcement.createdAtMs])
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM announcements") ?? 0 < limit else {
                return false
            }
            try db.execute(
                sql: """
                    INSERT INTO announcements (id, kind, text, created_by, created_at_ms, expires_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    announcement.id, announcement.kind.rawValue, announcement.text, announcement.createdBy,
                    announcement.createdAtMs, announcement.expiresAtMs,
                ])
            return true
        }
    }

    public func announcements(atMs: Int64) async throws -> [Announcement] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM announcements WHERE expires_at_ms IS NULL OR expires_at_ms > ?
                    ORDER BY id DESC LIMIT ?
                    """, arguments: [atMs, Limits.pageRows]
            ).map {
                Announcement(
                    id: try $0.text("id"), kind: try $0.choice("kind"), text: try $0.text("text"),
                    createdBy: try $0.text("created_by"), createdAtMs: try $0.integer("created_at_ms"),
                    expiresAtMs: try $0.optionalInteger("expires_at_ms"))
            }
        }
    }

    public func remove(_ id: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(sql: "DELETE FROM announcements WHERE id = ?", arguments: [id])
            return db.changesCount == 1
        }
    }

    public func doorSettings() async throws -> DoorSettings? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT settings FROM door_settings").map { try $0.json("settings") }
        }
    }

    public func setDoorSettings(_ settings: DoorSettings) async throws {
        try await database.write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO door_settings (one, settings) VALUES (1, ?)",
                arguments: [try jsonText(settings)])
        }
    }
}
