import Foundation
import GRDB
import Identity

/// Personal tokens in `coduel.db`.
public struct PersonalTokenStoreSQLite: PersonalTokenStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ token: PersonalToken, limit: Int) async throws -> Bool {
        try await database.write { db in
            let present = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM personal_tokens WHERE user_id = ?", arguments: [token.userID])
            guard (present ?? 0) < limit else { return false }
            try db.execute(
                sql: """
                    INSERT INTO personal_tokens
                        (id, user_id, name, scopes, secret_hash, created_at_ms, expires_at_ms, used_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    token.id, token.userID, token.name,
                    token.scopes.map(\.rawValue).sorted().joined(separator: ","), Data(token.secretHash),
                    token.createdAtMs, token.expiresAtMs, token.usedAtMs,
                ])
            return true
        }
    }

    public func token(_ id: String) async throws -> PersonalToken? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM personal_tokens WHERE id = ?", arguments: [id])
                .map(Self.token)
        }
    }

    public func tokens(of userID: String) async throws -> [PersonalToken] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM personal_tokens WHERE user_id = ? ORDER BY created_at_ms DESC, id DESC LIMIT ?
                    """, arguments: [userID, Limits.pageRows]
            ).map(Self.token)
        }
    }

    public func remove(_ id: String, of userID: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM personal_tokens WHERE id = ? AND user_id = ?", arguments: [id, userID])
            return db.changesCount == 1
        }
    }

    public func noteUse(of id: String, atMs: Int64) async throws {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE personal_tokens SET used_at_ms = ? WHERE id = ?", arguments: [atMs, id])
        }
    }

    private static func token(_ row: Row) throws -> PersonalToken {
        let scopes = try row.text("scopes").split(separator: ",").map { name in
            guard let scope = TokenScope(rawValue: String(name)) else {
                throw StorageError(code: .corrupt, message: "unknown scope in personal_tokens")
            }
            return scope
        }
        return PersonalToken(
            id: try row.text("id"), userID: try row.text("user_id"), name: try row.text("name"),
            scopes: Set(scopes), secretHash: try row.bytes("secret_hash"),
            createdAtMs: try row.integer("created_at_ms"),
            expiresAtMs: try row.optionalInteger("expires_at_ms"),
            usedAtMs: try row.optionalInteger("used_at_ms"))
    }
}
