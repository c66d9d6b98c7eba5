import Dispatch
import GRDB
import Rooms
import Synchronization

/// The log of all rooms in one SQLite file of its own (`log.db`), so that a keystroke never waits for a problem
/// being imported.
///
/// Group commit: whatever was handed in while a commit was being synced goes into the next one. WAL with
/// `synchronous=FULL` on the writing connection: a commit returns after fdatasync of the write-ahead log.
public final class RoomLogSQLite: RoomLog {
    private struct Append: Sendable {
        var room: String
        var records: [LogRecord]
        var completion: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct Pending {
        var appends: [Append] = []
        var isScheduled = false
    }

    private let pool: DatabasePool
    private let pending = Mutex(Pending())
    private let writer = DispatchQueue(label: "coduel.room-log")

    /// Opens or creates `log.db` in a folder.
    ///
    /// - Throws: when the file cannot be opened, or the connection does not sync fully.
    public init(folder: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = "coduel.log"
        try OwnerFile.make(folder + "/log.db", in: folder)
        pool = try DatabasePool(path: folder + "/log.db", configuration: configuration)
        try pool.writeWithoutTransaction { db in
            // The pool sets NORMAL, under which a committed record may be lost with the machine.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2,
                try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal"
            else { throw StorageError(code: .notDurable, message: "log.db does not sync fully") }
        }
        let migrator = Self.migrator
        guard try !pool.read({ db in try migrator.hasBeenSuperseded(db) }) else {
            throw StorageError(
                code: .schemaTooNew,
                message: "log.db was written by a newer version of coduel; start that version")
        }
        try migrator.migrate(pool)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("log-1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE log (
                        room TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL,
                        document TEXT NOT NULL, author TEXT NOT NULL, committed_at INTEGER NOT NULL,
                        payload BLOB NOT NULL, note TEXT,
                        PRIMARY KEY (room, sequence)
                    ) WITHOUT ROWID;
                    CREATE TABLE snapshots (
                        room TEXT PRIMARY KEY NOT NULL, sequence INTEGER NOT NULL, committed_at INTEGER NOT NULL
                    );
                    CREATE TABLE snapshot_documents (
                        room TEXT NOT NULL REFERENCES snapshots(room) ON DELETE CASCADE,
                        document TEXT NOT NULL, state BLOB NOT NULL, owners TEXT NOT NULL,
                        PRIMARY KEY (room, document)
                    ) WITHOUT ROWID;
                    """)
        }
        // Loading reads what was written beside the documents without reading the documents' history.
        migrator.registerMigration("log-2") { db in
            try db.execute(
                sql: """
                    CREATE INDEX log_story ON log (room, sequence) WHERE kind <> 0;
                    CREATE INDEX log_notes ON log (room, committed_at) WHERE note IS NOT NULL;
                    """)
        }
        return migrator
    }

    // MARK: Writing

    public func append(
        _ records: [LogRecord], room: String,
        completion: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) {
        let schedules = pending.withLock { pending in
            pending.appends.append(Append(room: room, records: records, completion: completion))
            defer { pending.isScheduled = true }
            return !pending.isScheduled
        }
        if schedules { writer.async { self.commitPending() } }
    }

    /// `PRAGMA synchronous` of the connection that writes: 2, FULL.
    package func writerSynchronous() async throws -> Int? {
        try await pool.writeWithoutTransaction { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
    }

    /// Returns after everything that was handed in is on disk or has failed. Blocks; for the end of the process.
    public func drain() {
        writer.sync {}
    }

    private func commitPending() {
        while true {
            let batch = pending.withLock { pending in
                let batch = pending.appends
                pending.appends = []
                if batch.isEmpty { pending.isScheduled = false }
                return batch
            }
            if batch.isEmpty { return }
            commit(batch)
        }
    }

    /// One transaction for all; an append that does not fit (its first sequence is not the room's next) fails alone.
    private func commit(_ batch: [Append]) {
        var failures: [Int: any Error] = [:]
        do {
            try pool.write { db in
                for (index, append) in batch.enumerated() {
                    do {
                        try db.inSavepoint {
                            try Self.checkSequences(of: append, in: db)
                            for record in append.records { try Self.insert(record, of: append.room, in: db) }
                            return .commit
                        }
                    } catch let error as StorageError {
                        failures[index] = error
                    }
                }
            }
        } catch {
            for append in batch { append.completion(.failure(error)) }
            return
        }
        for (index, append) in batch.enumerated() {
            append.completion(failures[index].map { .failure($0) } ?? .success(()))
        }
    }

    /// One writer a room, and no holes: whoever does not go on where the log ends has lost the room to another.
    private static func checkSequences(of append: Append, in db: Database) throws {
        var last =
            try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT max(sequence) FROM log WHERE room = ?"),
                arguments: [append.room]) ?? 0
        for record in append.records {
            guard record.sequence > 0, record.sequence - 1 == last else {
                throw StorageError(
                    code: .invalidValue,
                    message: "room \(append.room): record \(record.sequence) does not follow \(last)")
            }
            last = record.sequence
        }
    }

    private static func insert(_ record: LogRecord, of room: String, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO log (room, sequence, kind, document, author, committed_at, payload, note)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            room, record.sequence, Int(record.kind.rawValue), record.document, record.author,
            record.committedAtMs, Blob.data(record.payload), record.note,
        ])
    }

    public func save(_ snapshot: RoomSnapshot) async throws {
        try await pool.write { db in
            let kept = try Int64.fetchOne(
                db, sql: "SELECT sequence FROM snapshots WHERE room = ?", arguments: [snapshot.roomID])
            // A room that was loaded again meanwhile may have saved a newer one.
            guard (kept ?? 0) < snapshot.sequence else { return }
            try db.execute(sql: "DELETE FROM snapshots WHERE room = ?", arguments: [snapshot.roomID])
            try db.execute(
                sql: "INSERT INTO snapshots (room, sequence, committed_at) VALUES (?, ?, ?)",
                arguments: [snapshot.roomID, snapshot.sequence, snapshot.committedAtMs])
            for document in snapshot.documents {
                try db.execute(
                    sql: "INSERT INTO snapshot_documents (room, document, state, owners) VALUES (?, ?, ?, ?)",
                    arguments: [
                        snapshot.roomID, document.name, Blob.data(document.state),
                        document.owners.map { "\($0.key) \($0.value)" }.sorted().joined(separator: "\n"),
                    ])
            }
        }
    }

    // MARK: Reading

    public func history(
        of room: String, delayedDocuments: [String], notesSinceMs: Int64
    ) async throws -> RoomHistory {
        try await pool.read { db in
            let snapshot = try Self.snapshot(of: room, in: db)
            let from = snapshot?.sequence ?? 0
            func records(
                _ condition: String, _ arguments: StatementArguments, index: String? = nil
            ) throws -> [LogRecord] {
                let table = "log" + (index.map { " INDEXED BY \($0)" } ?? "")
                return try Row.fetchAll(
                    db, sql: "SELECT * FROM \(table) WHERE room = ? AND \(condition) ORDER BY sequence",
                    arguments: [room] + arguments
                ).map(Self.record)
            }
            let marks = databaseQuestionMarks(count: delayedDocuments.count)
            return RoomHistory(
                snapshot: snapshot,
                tail: try records("sequence > ?", [from]),
                story: from == 0
                    ? [] : try records("sequence <= ? AND kind <> 0", [from], index: "log_story"),
                delayed: from == 0 || delayedDocuments.isEmpty
                    ? []
                    : try records(
                        "sequence <= ? AND kind = 0 AND document IN (\(marks))",
                        [from] + StatementArguments(delayedDocuments)),
                notes: try records(
                    "note IS NOT NULL AND committed_at >= ?", [notesSinceMs], index: "log_notes"))
        }
    }

    public func records(of room: String, after sequence: Int64, limit: Int) async throws -> [LogRecord] {
        try await pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM log WHERE room = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [room, sequence, limit]
            ).map(Self.record)
        }
    }

    private static func snapshot(of room: String, in db: Database) throws -> RoomSnapshot? {
        guard
            let head = try Row.fetchOne(db, sql: "SELECT * FROM snapshots WHERE room = ?", arguments: [room])
        else { return nil }
        let documents = try Row.fetchAll(
            db, sql: "SELECT * FROM snapshot_documents WHERE room = ?", arguments: [room])
        return RoomSnapshot(
            roomID: room, sequence: try head.integer("sequence"),
            committedAtMs: try head.integer("committed_at"),
            documents: try documents.map { row in
                RoomSnapshot.DocumentState(
                    name: try row.text("document"), state: try row.bytes("state"),
                    owners: try owners(row.text("owners")))
            })
    }

    private static func owners(_ text: String) throws -> [UInt64: String] {
        var owners: [UInt64: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let client = UInt64(parts[0]) else {
                throw StorageError(
                    code: .corrupt, message: "log.db holds a snapshot with an owner that is none")
            }
            owners[client] = String(parts[1])
        }
        return owners
    }

    private static func record(_ row: Row) throws -> LogRecord {
        guard let number = UInt8(exactly: try row.integer("kind")),
            let kind = LogRecord.Kind(rawValue: number)
        else { throw StorageError(code: .corrupt, message: "log.db holds a record of an unknown kind") }
        return LogRecord(
            sequence: try row.integer("sequence"), kind: kind, document: try row.text("document"),
            author: try row.text("author"), committedAtMs: try row.integer("committed_at"),
            payload: try row.bytes("payload"), note: try row.optionalText("note"))
    }
}
