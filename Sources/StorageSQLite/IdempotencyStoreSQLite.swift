import Foundation
import GRDB
import Identity

@Sendable func registerIdempotencyMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("idempotency-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE idempotency_keys (
                    user_id TEXT NOT NULL,
                    route TEXT NOT NULL,
                    key TEXT NOT NULL,
                    body_hash BLOB NOT NULL,
                    claimed_at_ms INTEGER NOT NULL,
                    status INTEGER,
                    body BLOB,
                    PRIMARY KEY (user_id, route, key)
                ) STRICT;
                CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at_ms);
                CREATE INDEX idempotency_keys_of_user ON idempotency_keys (user_id, claimed_at_ms);
                """)
    }
}

/// Answers of creating calls in `coduel.db`.
public struct IdempotencyStoreSQLite: IdempotencyStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func claim(
        _ key: IdempotencyKey, bodyHash: [UInt8], atMs: Int64
    ) async throws -> IdempotencyClaim {
        try await database.write { db in
            try Self.prune(db, userID: key.userID, atMs: atMs)
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM idempotency_keys WHERE user_id = ? AND route = ? AND key = ?",
                arguments: [key.userID, key.route, key.key])
            if let row, let held = try Self.held(row, bodyHash: bodyHash, atMs: atMs) { return held }
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO idempotency_keys (user_id, route, key, body_hash, claimed_at_ms)
                    VALUES (?, ?, ?, ?, ?)
                    """, arguments: [key.userID, key.route, key.key, Data(bodyHash), atMs])
            return .claimed
        }
    }

    public func complete(_ key: IdempotencyKey, status: Int, body: [UInt8], atMs: Int64) async throws {
        guard body.count <= IdempotencyLimits.bodyBytes else { return try await release(key) }
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE idempotency_keys SET status = ?, body = ?, claimed_at_ms = ?
                    WHERE user_id = ? AND route = ? AND key = ? AND status IS NULL
                    """, arguments: [status, Data(body), atMs, key.userID, key.route, key.key])
        }
    }

    public func release(_ key: IdempotencyKey) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    DELETE FROM idempotency_keys WHERE user_id = ? AND route = ? AND key = ? AND status IS NULL
                    """, arguments: [key.userID, key.route, key.key])
        }
    }

    /// What a row that is there already means; nil when it is too old to mean anything.
    private static func held(_ row: Row, bodyHash: [UInt8], atMs: Int64) throws -> IdempotencyClaim? {
        let (age, overflow) = atMs.subtractingReportingOverflow(try row.integer("claimed_at_ms"))
        guard !overflow, age < IdempotencyLimits.keptMs else { return nil }
        let status = try row.optionalInteger("status")
        guard status != nil || age < IdempotencyLimits.abandonedMs else { return nil }
        guard try row.bytes("body_hash") == bodyHash else { return .mismatch }
        guard let status else { return .inProgress }
        return .completed(status: Int(status), body: try row.bytes("body"))
    }

    /// Removes some of the keys that are too old, and the oldest of a user that has too many.
    private static func prune(_ db: Database, userID: String, atMs: Int64) throws {
        let (oldest, overflow) = atMs.subtractingReportingOverflow(IdempotencyLimits.keptMs)
        guard !overflow else { return }
        try db.execute(
            sql: """
                DELETE FROM idempotency_keys WHERE rowid IN
                    (SELECT rowid FROM idempotency_keys WHERE claimed_at_ms <= ? LIMIT ?)
                """, arguments: [oldest, Limits.prunedKeys])
        try db.execute(
            sql: """
                DELETE FROM idempotency_keys WHERE rowid IN
                    (SELECT rowid FROM idempotency_keys WHERE user_id = ?
                     ORDER BY claimed_at_ms DESC, rowid DESC LIMIT ? OFFSET ?)
                """, arguments: [userID, Limits.prunedKeys, IdempotencyLimits.keysPerUser - 1])
    }
}
