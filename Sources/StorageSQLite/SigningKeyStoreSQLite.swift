import Foundation
import GRDB
import Identity

/// Signing keys in `coduel.db`, which only its owner can read.
public struct SigningKeyStoreSQLite: SigningKeyStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func signingKeys() async throws -> [SigningKey] {
        try await database.read { db in try Self.keys(db) }
    }

    public func addFirst(_ key: SigningKey) async throws -> [SigningKey] {
        try await database.write { db in
            let present = try Self.keys(db)
            guard present.isEmpty else { return present }
            try Self.insert(db, key)
            return [key]
        }
    }

    public func add(_ key: SigningKey, after newest: String) async throws -> [SigningKey] {
        try await database.write { db in
            if try Self.keys(db).last?.id == newest { try Self.insert(db, key) }
            return try Self.keys(db)
        }
    }

    public func remove(_ ids: [String]) async throws {
        try await database.write { db in
            for id in ids {
                try db.execute(sql: "DELETE FROM signing_keys WHERE id = ?", arguments: [id])
            }
        }
    }

    private static func insert(_ db: Database, _ key: SigningKey) throws {
        try db.execute(
            sql: "INSERT INTO signing_keys (id, seed, created_at_ms, active_from_ms) VALUES (?, ?, ?, ?)",
            arguments: [key.id, Data(key.seed), key.createdAtMs, key.activeFromMs])
    }

    private static func keys(_ db: Database) throws -> [SigningKey] {
        try Row.fetchAll(db, sql: "SELECT * FROM signing_keys ORDER BY created_at_ms, id").map {
            SigningKey(
                id: try $0.text("id"), seed: try $0.bytes("seed"),
                createdAtMs: try $0.integer("created_at_ms"), activeFromMs: try $0.integer("active_from_ms"))
        }
    }
}
