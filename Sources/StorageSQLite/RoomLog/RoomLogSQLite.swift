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
///
/// A commit is one row of the journal, whatever rooms it is of; records are settled into the table that is ordered by room
/// later, many of a room at once. Without it a commit of 500 rooms would write 500 pages. Until then they are kept in
/// memory too, where readers find them.
public final class RoomLogSQLite: RoomLog {
    struct Append: Sendable {
        var room: String
        var records: [LogRecord]
        var completion: @Sendable (Result<Void, RoomLogError>) -> Void
    }

    struct Pending {
        var appends: [Append] = []
        var isScheduled = false
        /// When the next commit may begin, as `DispatchTime` counts.
        var nextCommitAt: UInt64 = 0
    }

    let pool: DatabasePool
    let pending = Mutex(Pending())
    let writer = DispatchQueue(label: "coduel.room-log")
    /// Changed on `writer` alone.
    let unsettled: Mutex<UnsettledRecords>
    let isSettlingArmed = Mutex(false)
    /// Where rooms' logs end, as far as that is known. Used on `writer` alone.
    let ends = Mutex<[String: Int64]>([:])
    /// Rows of the journal that could not be read when the log was opened; they are kept in `lost_records`.
    public let damagedRows: Int

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
            try db.execute(sql: "PRAGMA cache_size = -\(Limits.logCacheKiB)")
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
        let (records, damagedRows) = try Self.readJournal(pool)
        unsettled = Mutex(records)
        self.damagedRows = damagedRows
        writer.async { self.settleWhenIdle() }
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

    /// Returns after everything that was handed in is on disk, and in its room's place if there is space, or has failed.
    /// Blocks; for the end of the process.
    public func drain() {
        writer.sync {
            // What cannot be settled now will be when the log is opened again.
            try? settleEverything()
        }
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
}
