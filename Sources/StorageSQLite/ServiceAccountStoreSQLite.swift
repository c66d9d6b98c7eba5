import GRDB
import Identity

@Sendable func registerServiceAccountMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("service-accounts-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE service_accounts (
                    id TEXT NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    quotas TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE service_keys (
                    id TEXT NOT NULL PRIMARY KEY,
                    account_id TEXT NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
                    scopes TEXT NOT NULL,
                    secret_hash BLOB NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    revoked_at_ms INTEGER
                ) STRICT;
                CREATE INDEX service_keys_of_account ON service_keys (account_id, created_at_ms);
                """)
    }
}

/// Service accounts in `coduel.db`.
public struct ServiceAccountStoreSQLite: ServiceAccountStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ account: ServiceAccount, _ key: ServiceKey) async throws -> Bool {
        let quotas = try jsonText(account.quotas)
        return try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO service_accounts (id, name, quotas, created_at_ms) VALUES (?, ?, ?, ?)
                    ON CONFLICT (name) DO NOTHING
                    """, arguments: [account.id, account.name, quotas, account.createdAtMs])
            guard db.changesCount == 1 else { return false }
            try Self.insert(key, in: db)
            return true
        }
    }

    public func addKey(_ key: ServiceKey) async throws {
        try await database.write { db in try Self.insert(key, in: db) }
    }

    public func account(_ id: String) async throws -> ServiceAccount? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM service_accounts WHERE id = ?", arguments: [id])
                .map(Self.account)
        }
    }

    public func account(named name: String) async throws -> ServiceAccount? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM service_accounts WHERE name = ?", arguments: [name])
                .map(Self.account)
        }
    }

    public func accounts(after id: String?, limit: Int) async throws -> [ServiceAccount] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM service_accounts WHERE id > ? ORDER BY id LIMIT ?",
                arguments: [id ?? "", min(limit, Limits.pageRows)]
            ).map(Self.account)
        }
    }

    public func keys(of accountID: String) async throws -> [ServiceKey] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM service_keys WHERE account_id = ? ORDER BY created_at_ms, id",
                arguments: [accountID]
            ).map(Self.key)
        }
    }

    public func key(_ id: String) async throws -> (key: ServiceKey, account: ServiceAccount)? {
        try await database.read { db in
            guard
                let key = try Row.fetchOne(
                    db, sql: "SELECT * FROM service_keys WHERE id = ?", arguments: [id]
                )
                .map(Self.key),
                let account = try Row.fetchOne(
                    db, sql: "SELECT * FROM service_accounts WHERE id = ?", arguments: [key.accountID]
                ).map(Self.account)
            else { return nil }
            return (key, account)
        }
    }

    public func revokeKey(_ id: String, of accountID: String, atMs: Int64) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE service_keys SET revoked_at_ms = ?
                    WHERE id = ? AND account_id = ? AND revoked_at_ms IS NULL
                    """, arguments: [atMs, id, accountID])
            return db.changesCount == 1
        }
    }

    public func setQuotas(_ quotas: ServiceQuotas, of accountID: String) async throws -> Bool {
        let text = try jsonText(quotas)
        return try await database.write { db in
            try db.execute(
                sql: "UPDATE service_accounts SET quotas = ? WHERE id = ?", arguments: [text, accountID])
            return db.changesCount == 1
        }
    }

    private static func insert(_ key: ServiceKey, in db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO service_keys (id, account_id, scopes, secret_hash, created_at_ms, revoked_at_ms)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                key.id, key.accountID, key.scopes.map(\.rawValue).sorted().joined(separator: " "),
                Blob.data(key.secretHash), key.createdAtMs, key.revokedAtMs,
            ])
    }

    private static func account(_ row: Row) throws -> ServiceAccount {
        ServiceAccount(
            id: try row.text("id"), name: try row.text("name"), quotas: try row.json("quotas"),
            createdAtMs: try row.integer("created_at_ms"))
    }

    private static func key(_ row: Row) throws -> ServiceKey {
        ServiceKey(
            id: try row.text("id"), accountID: try row.text("account_id"),
            scopes: Set(
                try row.text("scopes").split(separator: " ").compactMap { ServiceScope(rawValue: String($0)) }
            ),
            secretHash: try row.bytes("secret_hash"), createdAtMs: try row.integer("created_at_ms"),
            revokedAtMs: try row.optionalInteger("revoked_at_ms"))
    }
}
