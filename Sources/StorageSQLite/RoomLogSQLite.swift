import Dispatch
import GRDB
import Glibc
import Rooms
import Synchronization

/// The log of all rooms in one SQLite file of its own (`log.db`), so that a keystroke never waits for a problem
/// being imported.
///
/// Group commit: whatever was handed in while a commit was being synced goes into the next one. WAL with
/// `synchronous=FULL` on the writing connection: a commit returns after fdatasync of the write-ahead log. Records and
/// snapshots carry CRC-32C checksums, which are checked whenever they are read.
public final class RoomLogSQLite: RoomLog {
    private struct Append: Sendable {
        var room: String
        var records: [LogRecord]
        var completion: @Sendable (Result<Void, RoomLogError>) -> Void
    }

    private struct Pending {
        var appends: [Append] = []
        var isScheduled = false
        /// When the next commit may begin, as `DispatchTime` counts.
        var nextCommitAt: UInt64 = 0
    }

    let pool: DatabasePool
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

    package static var migrator: DatabaseMigrator { RoomLogSchema.migrator }

    // MARK: Writing

    public func append(
        _ records: [LogRecord], room: String,
        completion: @escaping @Sendable (Result<Void, RoomLogError>) -> Void
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
            // A commit costs the same for one record and for a hundred: those of a busy server gather.
            let pause = pending.withLock { pending in
                let now = DispatchTime.now().uptimeNanoseconds
                let start = max(now, pending.nextCommitAt)
                pending.nextCommitAt = start + Limits.commitSpacingNanoseconds
                return start - now
            }
            if pause > 0 { usleep(UInt32(pause / 1_000)) }
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
        var failures: [Int: RoomLogError] = [:]
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
                        failures[index] = .refused(error.message)
                    }
                }
            }
        } catch {
            let failure = Self.failure(StorageError(error))
            for append in batch { append.completion(.failure(failure)) }
            return
        }
        for (index, append) in batch.enumerated() {
            append.completion(failures[index].map { .failure($0) } ?? .success(()))
        }
    }

    /// SQLite says `FULL` only of a write that found no space: the transaction is rolled back, and nothing of it comes
    /// back. Of anything else (a failed sync above all) nobody knows what is on disk.
    private static func failure(_ error: StorageError) -> RoomLogError {
        error.code == .diskFull ? .full : .failed(error.description)
    }

    /// One writer a room, and no holes: whoever does not go on where the log ends has lost the room to another.
    private static func checkSequences(of append: Append, in db: Database) throws {
        var last = try Self.lastSequence(of: append.room, in: db)
        for record in append.records {
            guard record.sequence > 0, record.sequence - 1 == last else {
                throw StorageError(
                    code: .invalidValue,
                    message: "room \(append.room): record \(record.sequence) does not follow \(last)")
            }
            last = record.sequence
        }
    }

    private static func lastSequence(of room: String, in db: Database) throws -> Int64 {
        let log = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT max(sequence) FROM log WHERE room = ?"), arguments: [room])
        // All that the snapshots say may be trimmed.
        return try log
            ?? Int64.fetchOne(
                db.cachedStatement(sql: "SELECT max(sequence) FROM room_snapshots WHERE room = ?"),
                arguments: [room]) ?? 0
    }

    static func insert(_ record: LogRecord, of room: String, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO log (room, sequence, kind, document, author, committed_at, payload, note, checksum)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            room, record.sequence, Int(record.kind.rawValue), record.document, record.author,
            record.committedAtMs, Blob.data(record.payload), record.note,
            Int64(record.checksum(in: room)),
        ])
    }

    public func save(_ snapshot: RoomSnapshot, trimsLog: Bool) async throws {
        try await pool.write { db in
            let room = snapshot.roomID
            let kept = try Int64.fetchOne(
                db, sql: "SELECT max(sequence) FROM room_snapshots WHERE room = ?", arguments: [room])
            // A room that was loaded again meanwhile may have saved a newer one.
            guard (kept ?? 0) < snapshot.sequence else { return }
            try db.execute(
                sql: "DELETE FROM room_snapshots WHERE room = ? AND sequence < ?", arguments: [room, kept])
            try Self.insert(snapshot, in: db)
            if trimsLog, let kept { try Self.trim(room, through: kept, in: db) }
        }
    }

    private static func insert(_ snapshot: RoomSnapshot, in db: Database) throws {
        try db.execute(
            sql: "INSERT INTO room_snapshots (room, sequence, committed_at, checksum) VALUES (?, ?, ?, ?)",
            arguments: [
                snapshot.roomID, snapshot.sequence, snapshot.committedAtMs, Int64(snapshot.checksum),
            ])
        for document in snapshot.documents {
            try db.execute(
                sql: """
                    INSERT INTO room_snapshot_documents (room, sequence, document, state, owners)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    snapshot.roomID, snapshot.sequence, document.name, Blob.data(document.state),
                    document.owners.map { "\($0.key) \($0.value)" }.sorted().joined(separator: "\n"),
                ])
        }
    }

    /// Forgets the oldest records that the older of two snapshots covers; some at a time, so that nobody waits.
    private static func trim(_ room: String, through sequence: Int64, in db: Database) throws {
        guard
            let first = try Int64.fetchOne(
                db, sql: "SELECT min(sequence) FROM log WHERE room = ?", arguments: [room])
        else { return }
        try db.execute(
            sql: "DELETE FROM log WHERE room = ? AND sequence <= ? AND sequence < ?",
            arguments: [room, sequence, first + Limits.trimmedRecords])
    }

    // MARK: Reading

    public func history(
        of room: String, delayedDocuments: [String], notesSinceMs: Int64
    ) async throws -> RoomHistory {
        try await pool.read { db in
            let (snapshot, damagedSnapshots) = try Self.snapshot(of: room, in: db)
            let from = snapshot?.sequence ?? 0
            var damage: [Int64: String] = [:]
            func records(
                _ condition: String, _ arguments: StatementArguments, index: String? = nil
            ) throws -> [LogRecord] {
                let table = "log" + (index.map { " INDEXED BY \($0)" } ?? "")
                return try Row.fetchAll(
                    db, sql: "SELECT * FROM \(table) WHERE room = ? AND \(condition) ORDER BY sequence",
                    arguments: [room] + arguments
                ).compactMap { row in
                    switch Self.read(row) {
                    case .success(let record): return record
                    case .failure(let error):
                        damage[try row.integer("sequence")] = error.message
                        return nil
                    }
                }
            }
            let marks = databaseQuestionMarks(count: delayedDocuments.count)
            var history = RoomHistory(
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
            history.damage =
                damagedSnapshots
                + damage.sorted { $0.key < $1.key }.map {
                    LogDamage(.record, sequence: $0.key, reason: $0.value)
                }
            history.logBytes = try Self.bytes(of: room, in: db)
            return history
        }
    }

    public func records(of room: String, after sequence: Int64, limit: Int) async throws -> [LogRecord] {
        try await pool.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT * FROM log WHERE room = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [room, sequence, limit])
            var records: [LogRecord] = []
            var bytes = 0
            while bytes < Limits.recordPageBytes, let row = try rows.next() {
                let record = try Self.record(row)
                bytes += record.payload.count
                records.append(record)
            }
            return records
        }
    }

    /// Rooms in which something was written.
    public func roomIDs() async throws -> [String] {
        try await pool.read { db in
            try String.fetchAll(
                db, sql: "SELECT room FROM log UNION SELECT room FROM room_snapshots ORDER BY room")
        }
    }
}
