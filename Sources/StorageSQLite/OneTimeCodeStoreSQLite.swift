import Foundation
import GRDB
import Identity

/// One-time codes in `coduel.db`.
public struct OneTimeCodeStoreSQLite: OneTimeCodeStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ code: OneTimeCode, limit: Int, atMs: Int64) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    DELETE FROM one_time_codes WHERE hash IN
                        (SELECT hash FROM one_time_codes WHERE expires_at_ms <= ? LIMIT ?)
                    """, arguments: [atMs, Limits.prunedKeys])
            try db.execute(
                sql: """
                    DELETE FROM one_time_codes WHERE hash IN
                        (SELECT hash FROM one_time_codes WHERE user_id = ? AND purpose = ?
                        ORDER BY expires_at_ms DESC LIMIT -1 OFFSET ?)
                    """, arguments: [code.userID, code.purpose.rawValue, max(0, limit - 1)])
            try db.execute(
                sql: """
                    INSERT INTO one_time_codes (hash, user_id, purpose, subject, expires_at_ms)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Data(code.hash), code.userID, code.purpose.rawValue, code.subject, code.expiresAtMs,
                ])
        }
    }

    public func take(hash: [UInt8], purpose: CodePurpose, atMs: Int64) async throws -> OneTimeCode? {
        try await database.write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM one_time_codes WHERE hash = ? AND purpose = ? AND expires_at_ms > ?",
                arguments: [Data(hash), purpose.rawValue, atMs])
            guard let row else { return nil }
            try db.execute(sql: "DELETE FROM one_time_codes WHERE hash = ?", arguments: [Data(hash)])
            return OneTimeCode(
                hash: hash, userID: try row.text("user_id"), purpose: purpose,
                subject: try row.text("subject"), expiresAtMs: try row.integer("expires_at_ms"))
        }
    }

    public func removeAll(of userID: String, purpose: CodePurpose?) async throws {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM one_time_codes WHERE user_id = ? AND (? IS NULL OR purpose = ?)",
                arguments: [userID, purpose?.rawValue, purpose?.rawValue])
        }
    }
}
