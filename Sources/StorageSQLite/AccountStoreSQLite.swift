import GRDB
import Identity

@Sendable func registerAccountMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("accounts-1") { db in
        // `handle_key` is the handle in lower case: handles differ by more than case.
        try db.execute(
            sql: """
                CREATE TABLE accounts (
                    id TEXT NOT NULL PRIMARY KEY,
                    handle TEXT NOT NULL,
                    handle_key TEXT NOT NULL UNIQUE,
                    email TEXT UNIQUE,
                    roles TEXT NOT NULL,
                    password_hash TEXT,
                    created_at_ms INTEGER NOT NULL
                ) STRICT
                """)
    }
    migrator.registerMigration("accounts-2") { db in
        try db.execute(sql: "ALTER TABLE accounts ADD COLUMN email_verified_at_ms INTEGER")
    }
}

/// Accounts in `coduel.db`.
public struct AccountStoreSQLite: AccountStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ account: Account, passwordHash: String?) async throws -> AccountConflict? {
        try await database.write { db in
            let conflict = try Self.conflict(db, handle: account.handle, email: account.email)
            guard !conflict.handle, !conflict.email else { return conflict }
            try db.execute(
                sql: """
                    INSERT INTO accounts
                        (id, handle, handle_key, email, roles, password_hash, created_at_ms, email_verified_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    account.id, account.handle, account.handle.lowercased(), account.email,
                    Self.text(of: account.roles), passwordHash, account.createdAtMs,
                    account.emailVerifiedAtMs,
                ])
            return nil
        }
    }

    public func conflict(handle: String, email: String?) async throws -> AccountConflict {
        try await database.read { db in try Self.conflict(db, handle: handle, email: email) }
    }

    public func account(_ id: String) async throws -> Account? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM accounts WHERE id = ?", arguments: [id])
                .map(Self.account)
        }
    }

    public func accounts(_ ids: [String]) async throws -> [Account] {
        try await database.read { db in
            var found: [Account] = []
            var rest = ids[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(Limits.variables))
                rest = rest.dropFirst(Limits.variables)
                let rows = try Row.fetchAll(
                    db, sql: "SELECT * FROM accounts WHERE id IN (\(placeholders(part.count)))",
                    arguments: StatementArguments(part))
                found += try rows.map(Self.account)
            }
            return found
        }
    }

    public func credentials(handle: String) async throws -> AccountCredentials? {
        try await credentials(where: "handle_key", is: handle.lowercased())
    }

    public func credentials(email: String) async throws -> AccountCredentials? {
        try await credentials(where: "email", is: email)
    }

    public func setPasswordHash(_ hash: String, of id: String) async throws {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE accounts SET password_hash = ? WHERE id = ?", arguments: [hash, id])
        }
    }

    public func setRoles(_ roles: Set<Role>, of id: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE accounts SET roles = ? WHERE id = ?", arguments: [Self.text(of: roles), id])
            return db.changesCount == 1
        }
    }

    public func search(_ query: AccountQuery, atMs: Int64) async throws -> [AccountRecord] {
        var conditions = ["handle_key > ?"]
        var values: [(any DatabaseValueConvertible)?] = [query.after ?? ""]
        if let text = query.text?.lowercased(), !text.isEmpty {
            // By range, so that the indexes serve and no character is a pattern.
            let end = text + "\u{10FFFF}"
            conditions.append(
                "(handle_key >= ? AND handle_key < ? OR email >= ? AND email < ? OR accounts.id = ?)")
            values += [text, end, text, end, text]
        }
        if let role = query.role {
            conditions.append("',' || roles || ',' LIKE ?")
            values.append("%,\(role.rawValue),%")
        }
        let banned = "EXISTS (SELECT 1 FROM bans WHERE user_id = accounts.id AND \(BanStoreSQLite.isLive))"
        if query.bannedOnly {
            conditions.append(banned)
            values.append(atMs)
        }
        let sql = """
            SELECT accounts.*, \(banned) AS is_banned FROM accounts
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY handle_key LIMIT ?
            """
        values = [atMs] + values + [min(max(1, query.limit), Limits.pageRows)]
        let arguments = StatementArguments(values)
        return try await database.read { db in
            try Row.fetchAll(db, sql: sql, arguments: arguments).map {
                AccountRecord(account: try Self.account($0), isBanned: try $0.flag("is_banned"))
            }
        }
    }

    public func credentials(id: String) async throws -> AccountCredentials? {
        try await credentials(where: "id", is: id)
    }

    public func setVerifiedEmail(_ email: String, atMs: Int64, of id: String) async throws -> Bool {
        try await database.write { db in
            let isTaken = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM accounts WHERE email = ? AND id <> ?)",
                arguments: [email, id])
            guard isTaken == false else { return false }
            try db.execute(
                sql: "UPDATE accounts SET email = ?, email_verified_at_ms = ? WHERE id = ?",
                arguments: [email, atMs, id])
            return db.changesCount == 1
        }
    }

    public func erase(_ id: String, handle: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE accounts SET handle = ?, handle_key = ?, email = NULL, email_verified_at_ms = NULL,
                        password_hash = NULL, roles = ? WHERE id = ?
                    """,
                arguments: [handle, handle.lowercased(), Self.text(of: Role.guest.granted), id])
            return db.changesCount == 1
        }
    }

    private func credentials(where column: String, is value: String) async throws -> AccountCredentials? {
        try await database.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM accounts WHERE \(column) = ?", arguments: [value])
            return try row.map {
                AccountCredentials(
                    account: try Self.account($0), passwordHash: try $0.optionalText("password_hash"))
            }
        }
    }

    private static func conflict(_ db: Database, handle: String, email: String?) throws -> AccountConflict {
        let handleTaken = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM accounts WHERE handle_key = ?)",
            arguments: [handle.lowercased()])
        let emailTaken = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM accounts WHERE email = ?)", arguments: [email])
        return AccountConflict(handle: handleTaken ?? false, email: emailTaken ?? false)
    }

    static func account(_ row: Row) throws -> Account {
        Account(
            id: try row.text("id"), handle: try row.text("handle"), email: try row.optionalText("email"),
            roles: try roles(row.text("roles")), createdAtMs: try row.integer("created_at_ms"),
            emailVerifiedAtMs: try row.optionalInteger("email_verified_at_ms"))
    }

    private static func text(of roles: Set<Role>) -> String {
        roles.map(\.rawValue).sorted().joined(separator: ",")
    }

    private static func roles(_ text: String) throws -> Set<Role> {
        var roles: Set<Role> = []
        for name in text.split(separator: ",") {
            guard let role = Role(rawValue: String(name)) else {
                throw StorageError(code: .corrupt, message: "unknown role in accounts")
            }
            roles.insert(role)
        }
        return roles
    }
}
