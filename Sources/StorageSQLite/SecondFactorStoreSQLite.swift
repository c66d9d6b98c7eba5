import Foundation
import GRDB
import Identity

/// Second factors in `coduel.db`, their secrets sealed by whoever stores them.
public struct SecondFactorStoreSQLite: SecondFactorStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func factor(of userID: String) async throws -> SecondFactor? {
        try await database.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM second_factors WHERE user_id = ?", arguments: [userID])
            guard let row else { return nil }
            let hashes = try Data.fetchAll(
                db, sql: "SELECT hash FROM recovery_codes WHERE user_id = ?", arguments: [userID])
            return SecondFactor(
                userID: userID, sealedSecret: try row.text("sealed_secret"),
                confirmedAtMs: try row.optionalInteger("confirmed_at_ms"),
                lastStep: try row.optionalInteger("last_step"), recoveryHashes: hashes.map { Array($0) })
        }
    }

    public func set(_ factor: SecondFactor?, of userID: String) async throws {
        try await database.write { db in
            for table in ["second_factors", "recovery_codes"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE user_id = ?", arguments: [userID])
            }
            guard let factor else { return }
            try db.execute(
                sql: """
                    INSERT INTO second_factors (user_id, sealed_secret, confirmed_at_ms, last_step)
                    VALUES (?, ?, ?, ?)
                    """,
                arguments: [userID, factor.sealedSecret, factor.confirmedAtMs, factor.lastStep])
            for hash in factor.recoveryHashes {
                try db.execute(
                    sql: "INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)",
                    arguments: [userID, Data(hash)])
            }
        }
    }

    public func useStep(_ step: Int64, of userID: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE second_factors SET last_step = ?
                    WHERE user_id = ? AND (last_step IS NULL OR last_step < ?)
                    """, arguments: [step, userID, step])
            return db.changesCount == 1
        }
    }

    public func useRecovery(_ hash: [UInt8], of userID: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM recovery_codes WHERE user_id = ? AND hash = ?",
                arguments: [userID, Data(hash)])
            return db.changesCount == 1
        }
    }

    /// Brings all secrets under the first key of the box; answers how many were changed.
    public func rewrap(with box: SecretBox) async throws -> Int {
        try await database.write { db in
            var changed = 0
            for row in try Row.fetchAll(db, sql: "SELECT user_id, sealed_secret FROM second_factors") {
                guard let sealed = try box.rewrap(try row.text("sealed_secret")) else { continue }
                try db.execute(
                    sql: "UPDATE second_factors SET sealed_secret = ? WHERE user_id = ?",
                    arguments: [sealed, try row.text("user_id")])
                changed += 1
            }
            return changed
        }
    }
}
