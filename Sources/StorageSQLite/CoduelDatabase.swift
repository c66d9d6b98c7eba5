import GRDB

/// The database of the embedded default: one SQLite file, `coduel.db`, for everything but the rooms' log. One
/// writer connection, several readers, write-ahead log. A write that was answered is on disk: the writer runs with
/// `synchronous=FULL`, so that every commit syncs the log before it returns.
public final class CoduelDatabase: Sendable {
    package let pool: DatabasePool

    private init(pool: DatabasePool) {
        self.pool = pool
    }

    /// Opens or creates `coduel.db` in `folder` (made when missing, for the owner alone) and brings it to the
    /// schema of this version. The file is readable by its owner only: it holds the signing keys.
    public static func open(folder: String) throws(StorageError) -> CoduelDatabase {
        guard !folder.isEmpty else {
            throw StorageError(code: .openFailed, message: "no data folder is named")
        }
        let path = folder + "/coduel.db"
        try OwnerFile.makeFolder(folder)
        try OwnerFile.make(path, in: folder)
        do {
            var configuration = Configuration()
            configuration.foreignKeysEnabled = true
            configuration.busyMode = .timeout(Limits.busyTimeoutSeconds)
            configuration.maximumReaderCount = Limits.readers
            configuration.label = "coduel.db"
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA trusted_schema = OFF")
                try db.execute(sql: "PRAGMA journal_size_limit = \(Limits.walBytes)")
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try makeDurable(pool)
            try migrate(pool)
            return CoduelDatabase(pool: pool)
        } catch {
            throw StorageError(error)
        }
    }

    /// Closes all connections; the last one folds the write-ahead log into the file.
    public func close() throws(StorageError) {
        do { try pool.close() } catch { throw StorageError(error) }
    }

    /// Runs a read in a snapshot of its own.
    package func read<Value: Sendable>(
        _ body: @Sendable (Database) throws -> Value
    ) async throws(StorageError) -> Value {
        do { return try await pool.read(body) } catch { throw StorageError(error) }
    }

    /// Runs a write in one transaction; when it returns, the transaction is on disk, when it throws, nothing of it
    /// is there. It runs to its end even when the caller's task is cancelled: a log-out whose client has hung up is
    /// still a log-out.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StorageError) -> Value {
        let pool = pool
        do { return try await Task { try await pool.write(body) }.value } catch { throw StorageError(error) }
    }

    /// GRDB sets `synchronous=NORMAL` when it turns the write-ahead log on, and then a power cut can take commits
    /// that were answered. So FULL is set afterwards, and read back.
    private static func makeDurable(_ pool: DatabasePool) throws {
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
            let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode")
            guard synchronous == 2, journal == "wal" else {
                throw StorageError(
                    code: .notDurable,
                    message:
                        "synchronous=\(synchronous ?? -1) and journal_mode=\(journal ?? "?") instead of 2 and wal"
                )
            }
        }
    }

    private static func migrate(_ pool: DatabasePool) throws {
        var migrator = DatabaseMigrator()
        for register in DomainMigrations.all { register(&migrator) }
        let complete = migrator
        guard try !pool.read({ db in try complete.hasBeenSuperseded(db) }) else {
            throw StorageError(
                code: .schemaTooNew,
                message: "coduel.db was written by a newer version of coduel; start that version")
        }
        try complete.migrate(pool)
    }
}
