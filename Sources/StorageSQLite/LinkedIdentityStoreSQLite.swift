import GRDB
import Identity

/// Linked identities in `coduel.db`.
public struct LinkedIdentityStoreSQLite: LinkedIdentityStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func identity(issuer: String, subject: String) async throws -> LinkedIdentity? {
        try await database.read { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM linked_identities WHERE issuer = ? AND subject = ?",
                arguments: [issuer, subject]
            ).map(Self.identity)
        }
    }

    public func identities(of userID: String) async throws -> [LinkedIdentity] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT * FROM linked_identities WHERE user_id = ? ORDER BY created_at_ms, id LIMIT ?",
                arguments: [userID, Limits.pageRows]
            ).map(Self.identity)
        }
    }

    public func insert(_ identity: LinkedIdentity, limit: Int) async throws -> Bool {
        try await database.write { db in
            guard try Self.count(db, identity.userID) < limit else { return false }
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO linked_identities
                        (id, issuer, subject, user_id, provider, label, created_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    identity.id, identity.issuer, identity.subject, identity.userID, identity.provider,
                    identity.label, identity.createdAtMs,
                ])
            return db.changesCount == 1
        }
    }

    public func remove(_ id: String, of userID: String, keepsLast: Bool) async throws -> Bool {
        try await database.write { db in
            if keepsLast, try Self.count(db, userID) <= 1 { return false }
            try db.execute(
                sql: "DELETE FROM linked_identities WHERE id = ? AND user_id = ?", arguments: [id, userID])
            return db.changesCount == 1
        }
    }

    private static func count(_ db: Database, _ userID: String) throws -> Int {
        try Int.fetchOne(
            db, sql: "SELECT count(*) FROM linked_identities WHERE user_id = ?", arguments: [userID]) ?? 0
    }

    private static func identity(_ row: Row) throws -> LinkedIdentity {
        LinkedIdentity(
            id: try row.text("id"), issuer: try row.text("issuer"), subject: try row.text("subject"),
            userID: try row.text("user_id"), provider: try row.text("provider"),
            label: try row.optionalText("label"), createdAtMs: try row.integer("created_at_ms"))
    }
}
