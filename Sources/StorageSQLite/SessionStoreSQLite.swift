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
    migrator.registerMigration("sessions-2") { db in
        try db.execute(
            sql: """
                ALTER TABLE sessions ADD COLUMN used_at_ms INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
                ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
                ALTER TABLE refresh_tokens ADD COLUMN rotated_by TEXT;
                ALTER TABLE signing_keys ADD COLUMN active_from_ms INTEGER NOT NULL DEFAULT 0;
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
                    INSERT INTO sessions
                        (id, user_id, created_at_ms, expires_at_ms, ended_at_ms, used_at_ms, agent, address)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    session.id, session.userID, session.createdAtMs, session.expiresAtMs, session.endedAtMs,
                    session.usedAtMs, session.client.agent, session.client.address,
                ])
            try Self.insert(db, token)
            return surplus
        }
    }

    public func rotate(
        presented: [UInt8], replacement: [UInt8], client: SessionClient, atMs: Int64
    ) async throws -> RotationOutcome {
        try await database.write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM refresh_tokens WHERE hash = ?", arguments: [Data(presented)])
            guard let token = try row.map(Self.token) else { return .unknown }
            guard let session = try Self.session(db, token.sessionID) else { return .unknown }
            let decision = RefreshRule.decide(
                token: token, session: session, client: client, atMs: atMs)
            switch decision {
            case .refuseExpired: return .expired
            case .refuseEnded: return .ended
            case .revokeFamily:
                try Self.end(db, session.id, atMs: atMs)
                return .reused(session)
            case .rotate(let newExpiryMs):
                try db.execute(
                    sql: "UPDATE refresh_tokens SET rotated_at_ms = ?, rotated_by = ? WHERE hash = ?",
                    arguments: [atMs, client.fingerprint, Data(presented)])
                try Self.insert(
                    db, RefreshToken(hash: replacement, sessionID: session.id, expiresAtMs: newExpiryMs))
            case .reissue(let newExpiryMs):
                try db.execute(
                    sql: "UPDATE refresh_tokens SET reissues = reissues + 1 WHERE hash = ?",
                    arguments: [Data(presented)])
                try Self.insert(
                    db, RefreshToken(hash: replacement, sessionID: session.id, expiresAtMs: newExpiryMs))
            }
            try db.execute(
                sql: "UPDATE sessions SET used_at_ms = ?, agent = ?, address = ? WHERE id = ?",
                arguments: [atMs, client.agent, client.address, session.id])
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
        try await end(of: userID, keeping: nil, atMs: atMs)
    }

    public func endOthers(of userID: String, keeping id: String, atMs: Int64) async throws -> [String] {
        try await end(of: userID, keeping: id, atMs: atMs)
    }

    private func end(of userID: String, keeping id: String?, atMs: Int64) async throws -> [String] {
        // No id is null, so that `IS NOT NULL` keeps none.
        let others = "user_id = ? AND id IS NOT ? AND ended_at_ms IS NULL"
        return try await database.write { db in
            let ids = try String.fetchAll(
                db, sql: "SELECT id FROM sessions WHERE \(others)", arguments: [userID, id])
            try db.execute(
                sql: "UPDATE sessions SET ended_at_ms = ? WHERE \(others)", arguments: [atMs, userID, id])
            return ids
        }
    }

    public func sessions(of userID: String, atMs: Int64) async throws -> [Session] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM sessions WHERE user_id = ? AND ended_at_ms IS NULL AND expires_at_ms > ?
                    ORDER BY created_at_ms DESC, id DESC LIMIT ?
                    """, arguments: [userID, atMs, Identity.Limits.sessionsPerAccount]
            ).map(Self.session)
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
        return try row.map(Self.session)
    }

    private static func session(_ row: Row) throws -> Session {
        Session(
            id: try row.text("id"), userID: try row.text("user_id"),
            createdAtMs: try row.integer("created_at_ms"), expiresAtMs: try row.integer("expires_at_ms"),
            endedAtMs: try row.optionalInteger("ended_at_ms"), usedAtMs: try row.integer("used_at_ms"),
            client: SessionClient(agent: try row.text("agent"), address: try row.text("address")))
    }

    private static func token(_ row: Row) throws -> RefreshToken {
        RefreshToken(
            hash: try row.bytes("hash"), sessionID: try row.text("session_id"),
            expiresAtMs: try row.integer("expires_at_ms"),
            rotatedAtMs: try row.optionalInteger("rotated_at_ms"),
            reissues: Int(try row.integer("reissues")), rotatedBy: try row.optionalText("rotated_by"))
    }
}
