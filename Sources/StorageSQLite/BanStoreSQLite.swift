import GRDB
import Identity

@Sendable func registerBanMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("bans-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE bans (
                    id TEXT NOT NULL PRIMARY KEY,
                    user_id TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    banned_by TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    expires_at_ms INTEGER,
                    lifted_at_ms INTEGER
                ) STRICT;
                CREATE INDEX bans_of_user ON bans (user_id);
                """)
    }
}

/// Bans in `coduel.db`.
public struct BanStoreSQLite: BanStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ ban: Ban) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO bans (id, user_id, reason, banned_by, created_at_ms, expires_at_ms, lifted_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    ban.id, ban.userID, ban.reason, ban.bannedBy, ban.createdAtMs, ban.expiresAtMs,
                    ban.liftedAtMs,
                ])
        }
    }

    public func bans(of userID: String) async throws -> [Ban] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM bans WHERE user_id = ? ORDER BY created_at_ms DESC, id DESC LIMIT ?",
                arguments: [userID, Limits.pageRows]
            ).map(Self.ban)
        }
    }

    /// Of a ban that holds at the time that is bound to its one parameter.
    static let isLive = "lifted_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?)"

    public func liveBan(of userID: String, atMs: Int64) async throws -> Ban? {
        try await database.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM bans
                    WHERE user_id = ? AND \(Self.isLive)
                    ORDER BY expires_at_ms IS NULL DESC, expires_at_ms DESC
                    """, arguments: [userID, atMs]
            ).map(Self.ban)
        }
    }

    public func lift(userID: String, atMs: Int64) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE bans SET lifted_at_ms = ?
                    WHERE user_id = ? AND \(Self.isLive)
                    """, arguments: [atMs, userID, atMs])
            return db.changesCount > 0
        }
    }

    private static func ban(_ row: Row) throws -> Ban {
        Ban(
            id: try row.text("id"), userID: try row.text("user_id"), reason: try row.text("reason"),
            bannedBy: try row.text("banned_by"), createdAtMs: try row.integer("created_at_ms"),
            expiresAtMs: try row.optionalInteger("expires_at_ms"),
            liftedAtMs: try row.optionalInteger("lifted_at_ms"))
    }
}
