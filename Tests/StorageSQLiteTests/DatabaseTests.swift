import Foundation
import GRDB
import Identity
import StorageSQLite
import Testing

@Suite struct DatabaseTests {
    @Test func theWriterSyncsFully() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        let (synchronous, journal, foreignKeys) = try await database.write { db in
            (
                try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try String.fetchOne(db, sql: "PRAGMA journal_mode"),
                try Int.fetchOne(db, sql: "PRAGMA foreign_keys")
            )
        }
        #expect(synchronous == 2)
        #expect(journal == "wal")
        #expect(foreignKeys == 1)
        try database.close()
    }

    @Test func onlyTheOwnerCanReadTheFiles() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        _ = try await AccountStoreSQLite(database).insert(
            Account(id: "1", handle: "alice", email: nil, roles: [.user], createdAtMs: 1), passwordHash: nil)
        #expect(try scratch.mode("") == 0o700)
        for name in ["coduel.db", "coduel.db-wal", "coduel.db-shm"] {
            #expect(try scratch.mode(name) == 0o600)
        }
        try database.close()

        // A file that was opened up is closed again.
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: scratch.folder + "/coduel.db")
        try scratch.open().close()
        #expect(try scratch.mode("coduel.db") == 0o600)
    }

    @Test func openingAgainChangesNothing() async throws {
        let scratch = Scratch()
        func schema() async throws -> [String] {
            let database = try scratch.open()
            let lines = try await database.read { db in
                try String.fetchAll(
                    db, sql: "SELECT name || coalesce(sql, '') FROM sqlite_master ORDER BY name")
                    + String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
            }
            try database.close()
            return lines
        }
        let first = try await schema()
        #expect(try await schema() == first)
        #expect(first.contains { $0.hasPrefix("settled_battles") })
    }

    @Test func twoConnectionsShareOneFile() async throws {
        let scratch = Scratch()
        let here = try scratch.open()
        let there = try scratch.open()
        let account = Account(
            id: "1", handle: "alice", email: "a@example.org", roles: [.user], createdAtMs: 1,
            emailVerifiedAtMs: 2)
        #expect(try await AccountStoreSQLite(here).insert(account, passwordHash: nil) == nil)
        #expect(try await AccountStoreSQLite(there).account("1") == account)
        try here.close()
        #expect(try await AccountStoreSQLite(there).account("1") == account)
        try there.close()
    }

    @Test func aNewerSchemaIsRefused() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        try await database.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('accounts-999')")
        }
        try database.close()
        #expect(await code { try scratch.open() } == .schemaTooNew)
    }

    @Test func whatIsNoDatabaseIsRefused() async throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(atPath: scratch.folder, withIntermediateDirectories: true)
        let noise = Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try noise.write(to: URL(fileURLWithPath: scratch.folder + "/coduel.db"))
        #expect(await code { try scratch.open() } == .corrupt)
    }

    @Test func aFolderThatCannotBeIsRefused() async throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(atPath: scratch.folder, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: scratch.folder + "/file"))
        #expect(await code { try CoduelDatabase.open(folder: scratch.folder + "/file/deep") } == .openFailed)
        #expect(await code { try CoduelDatabase.open(folder: "/proc/none/here") } == .openFailed)
        #expect(await code { try CoduelDatabase.open(folder: "") } == .openFailed)
        try CoduelDatabase.open(folder: scratch.folder + "/a//b/c/").close()
    }

    /// A full disk is an error with a code, and what was there stays readable.
    @Test func aFullDiskIsAnError() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        let accounts = AccountStoreSQLite(database)
        let account = Account(id: "0", handle: "first", email: nil, roles: [.user], createdAtMs: 1)
        _ = try await accounts.insert(account, passwordHash: nil)
        try await database.write { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        let failed = await code {
            for index in 1..<1000 {
                _ = try await accounts.insert(
                    Account(
                        id: "\(index)", handle: "user\(index)", email: nil, roles: [.user], createdAtMs: 1),
                    passwordHash: String(repeating: "x", count: 500))
            }
        }
        #expect(failed == .diskFull)
        #expect(try await accounts.account("0") == account)
        try database.close()
    }

    @Test func aForeignRowIsAnErrorAndNoTrap() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO accounts VALUES ('1', 'a', 'a', NULL, 'emperor', NULL, 0, NULL);
                    INSERT INTO tickets VALUES
                        ('1', 'u', 'h', 'duel', '{', '[]', 1, 'open', '{}', 0, 'waiting', NULL);
                    """)
        }
        #expect(await code { try await AccountStoreSQLite(database).account("1") } == .corrupt)
        #expect(await code { try await MatchmakingStoreSQLite(database).waitingTickets() } == .corrupt)
        try database.close()
    }

    @Test func aClosedDatabaseIsAnError() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        try database.close()
        #expect(await code { try await AccountStoreSQLite(database).account("1") } != nil)
        #expect(
            await code {
                try await AccountStoreSQLite(database).setPasswordHash("x", of: "1")
            } != nil)
    }

    @Test func aWriteOutlivesItsCaller() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await AccountStoreSQLite(database).insert(
                Account(id: "1", handle: "alice", email: nil, roles: [.user], createdAtMs: 1),
                passwordHash: nil)
        }
        #expect(try await task.value == nil)
        #expect(try await AccountStoreSQLite(database).account("1") != nil)
        try database.close()
    }
}
