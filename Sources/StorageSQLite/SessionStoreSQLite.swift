import Foundation
import GRDB
import Identity

@Sendable func registerSessionMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("sessions-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE sessions (
                    id TEXT NOT NULL PRIMARY KEY,
                    user_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
                    created_at_ms INTEGER NOT NULL,
                    expires_at_ms INTEGER NOT NULL,
                    ended_at_ms INTEGER
                ) STRICT;
                CREATE INDEX sessions_of_user ON sessions (user_id, created_at_ms) WHERE ended_at_ms IS NULL;
                CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);
                CREATE INDEX sessions_by_end ON sessions (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

                CREATE TABLE refresh_tokens (
                    hash BLOB NOT NULL PRIMARY KEY,
                    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
                    expires_at_ms INTEGER NOT NULL,
                    rotated_at_ms INTEGER,
                    reissues INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
                CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at_ms);

                CREATE TABLE signing_keys (
                    id TEXT NOT NULL PRIMARY KEY,
                    seed BLOB NOT NULL,
                    created_at_ms INTEGER NOT NULL
                ) STRICT;
                """)
    }
}

/// Sessions and refresh tokens in `coduel.db`.
public struct SessionStoreSQLite: SessionStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func create(_ session: Session, token: RefreshToken, limit: Int) async throws -> [String] {
        try await database.write { db in
            let surplus = try String.fetchAll(
                db,
                sql: """
                    SELECT id FROM sessions WHERE user_id = ? AND ended_at_ms IS NULL AND expires_at_ms > ?
                    ORDER BY created_at_ms DESC, id DESC LIMIT -1 OFFSET ?
                    """, arguments: [session.userID, session.createdAtMs, max(0, limit - 1)])
            for id in surplus { try Self.end(db, id, atMs: session.createdAtMs) }
            try db.execute(
                sql: """
                    INSERT INTO sessions (id, user_id, created_at_ms, expires_at_ms, ended_at_ms)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    session.id, session.userID, session.createdAtMs, session.expiresAtMs, session.endedAtMs,
                ])
            try Self.insert(db, token)
            return surplus
        }
    }

    public func rotate(presented: [UInt8], replacement: [UInt8], atMs: Int64) async throws -> RotationOutcome
    {
        try await database.write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM refresh_tokens WHERE hash = ?", arguments: [Data(presented)])
            guard let token = try row.map(Self.token) else { return .unknown }
            guard let session = try Self.session(db, token.sessionID) else { return .unknown }
            let decision = RefreshRule.decide(token: token, session: session, atMs: atMs)
            switch decision {
            case .refuseExpired: return .expired
            case .refuseEnded: return .ended
            case .revokeFamily:
                try Self.end(db, session.id, atMs: atMs)
                return .reused(session)
            case .rotate(let newExpiryMs):
                try db.execute(
                    sql: "UPDATE refresh_tokens SET rotated_at_ms = ? WHERE hash = ?",
                    arguments: [atMs, Data(presented)])
                try Self.insert(
                    db, RefreshToken(hash: replacement, sessionID: session.id, expiresAtMs: newExpiryMs))
            case .reissue(let newExpiryMs):
                try db.execute(
                    sql: "UPDATE refresh_tokens SET reissues = reissues + 1 WHERE hash = ?",
                    arguments: [Data(presented)])
                try Self.insert(
                    db, RefreshToken(hash: replacement, sessionID: session.id, expiresAtMs: newExpiryMs))
            }
            return .rotated(session)
        }
    }

    public func end(_ id: String, atMs: Int64) async throws -> Bool {
        try await database.write { db in
            try Self.end(db, id, atMs: atMs)
            return db.changesCount == 1
        }
    }

    public func endAll(of userID: String, atMs: Int64) async throws -> [String] {
        try await database.write { db in
            let ids = try String.fetchAll(
                db, sql: "SELECT id FROM sessions WHERE user_id = ? AND ended_at_ms IS NULL",
                arguments: [userID])
            try db.execute(
                sql: "UPDATE sessions SET ended_at_ms = ? WHERE user_id = ? AND ended_at_ms IS NULL",
                arguments: [atMs, userID])
            return ids
        }
    }

    public func session(_ id: String) async throws -> SessionRecord? {
        try await database.read { db in
            guard let session = try Self.session(db, id) else { return nil }
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM accounts WHERE id = ?", arguments: [session.userID])
            guard let account = try row.map(AccountStoreSQLite.account) else { return nil }
            return SessionRecord(session: session, account: account)
        }
    }

    public func purge(beforeMs: Int64, limit: Int) async throws -> Int {
        try await database.write { db in
            try db.execute(
                sql: """
                    DELETE FROM refresh_tokens WHERE hash IN
                        (SELECT hash FROM refresh_tokens WHERE expires_at_ms < ? LIMIT ?)
                    """, arguments: [beforeMs, limit])
            var gone = db.changesCount
            for column in ["expires_at_ms", "ended_at_ms"] {
                try db.execute(
                    sql: """
                        DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE \(column) < ? LIMIT ?)
                        """, arguments: [beforeMs, limit])
                gone += db.changesCount
            }
            return gone
        }
    }

    private static func insert(_ db: Database, _ token: RefreshToken) throws {
        try db.execute(
            sql: """
                INSERT INTO refresh_tokens (hash, session_id, expires_at_ms, rotated_at_ms, reissues)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                Data(token.hash), token.sessionID, token.expiresAtMs, token.rotatedAtMs, token.reissues,
            ])
    }

    private static func end(_ db: Database, _ id: String, atMs: Int64) throws {
        try db.execute(
            sql: "UPDATE sessions SET ended_at_ms = ? WHERE id = ? AND ended_at_ms IS NULL",
            arguments: [atMs, id])
    }

    private static func session(_ db: Database, _ id: String) throws -> Session? {
        let row = try Row.fetchOne(db, sql: "SELECT * FROM sessions WHERE id = ?", arguments: [id])
        return try row.map {
            Session(
                id: try $0.text("id"), userID: try $0.text("user_id"),
                createdAtMs: try $0.integer("created_at_ms"), expiresAtMs: try $0.integer("expires_at_ms"),
                endedAtMs: try $0.optionalInteger("ended_at_ms"))
        }
    }

    private static func token(_ row: Row) throws -> RefreshToken {
        RefreshToken(
            hash: try row.bytes("hash"), sessionID: try row.text("session_id"),
            expiresAtMs: try row.integer("expires_at_ms"),
            rotatedAtMs: try row.optionalInteger("rotated_at_ms"),
            reissues: Int(try row.integer("reissues")))
    }
}

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
            try db.execute(
                sql: "INSERT INTO signing_keys (id, seed, created_at_ms) VALUES (?, ?, ?)",
                arguments: [key.id, Data(key.seed), key.createdAtMs])
            return [key]
        }
    }

    private static func keys(_ db: Database) throws -> [SigningKey] {
        try Row.fetchAll(db, sql: "SELECT * FROM signing_keys ORDER BY created_at_ms, id").map {
            SigningKey(
                id: try $0.text("id"), seed: try $0.bytes("seed"),
                createdAtMs: try $0.integer("created_at_ms"))
        }
    }
}
