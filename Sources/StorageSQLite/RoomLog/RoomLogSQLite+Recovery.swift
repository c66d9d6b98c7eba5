import GRDB
import Rooms

// Checking what is read against its checksum, and taking out what is damaged.
extension RoomLogSQLite {
    /// A row of the log, if it is what was written.
    static func read(_ row: Row) -> Result<LogRecord, StorageError> {
        do {
            let record = try decoded(row)
            guard let checksum = try row.optionalInteger("checksum") else { return .success(record) }
            guard checksum == Int64(record.checksum(in: try row.text("room"))) else {
                return .failure(StorageError(code: .corrupt, message: "its checksum does not fit"))
            }
            return .success(record)
        } catch {
            return .failure(StorageError(error))
        }
    }

    /// A waiting record, if it is what was written.
    static func read(_ entry: UnsettledRecords.Entry, of room: String) -> Result<LogRecord, StorageError> {
        entry.checksum == entry.record.checksum(in: room)
            ? .success(entry.record)
            : .failure(StorageError(code: .corrupt, message: "its checksum does not fit"))
    }

    /// A waiting record for replay, as `record(_ row:)`.
    static func record(_ entry: UnsettledRecords.Entry, of room: String) -> LogRecord {
        switch read(entry, of: room) {
        case .success(let record): record
        case .failure(let error): lostRecord(at: entry.record.sequence, error.message, committedAtMs: 0)
        }
    }

    /// A row for replay: a damaged one is a place where something was lost.
    static func record(_ row: Row) throws -> LogRecord {
        switch read(row) {
        case .success(let record): return record
        case .failure(let error):
            return lostRecord(at: try row.integer("sequence"), error.message, committedAtMs: 0)
        }
    }

    private static func lostRecord(
        at sequence: Int64, _ reason: String, committedAtMs: Int64
    ) -> LogRecord {
        LogRecord(
            sequence: sequence, kind: .lost, document: "", author: "", committedAtMs: committedAtMs,
            payload: Array(reason.utf8))
    }

    private static func decoded(_ row: Row) throws -> LogRecord {
        guard let number = UInt8(exactly: try row.integer("kind")),
            let kind = LogRecord.Kind(rawValue: number)
        else { throw StorageError(code: .corrupt, message: "its kind is unknown") }
        return LogRecord(
            sequence: try row.integer("sequence"), kind: kind, document: try row.text("document"),
            author: try row.text("author"), committedAtMs: try row.integer("committed_at"),
            payload: try row.bytes("payload"), note: try row.optionalText("note"))
    }

    /// The newest snapshot that is what was written, and those that are not.
    static func snapshot(of room: String, in db: Database) throws -> (RoomSnapshot?, [LogDamage]) {
        var damage: [LogDamage] = []
        let heads = try Row.fetchAll(
            db, sql: "SELECT * FROM room_snapshots WHERE room = ? ORDER BY sequence DESC", arguments: [room])
        for head in heads {
            let sequence = try head.integer("sequence")
            do {
                let snapshot = try snapshot(of: room, head, in: db)
                let checksum = try head.optionalInteger("checksum")
                if checksum == nil || checksum == Int64(snapshot.checksum) { return (snapshot, damage) }
                damage.append(LogDamage(.snapshot, sequence: sequence, reason: "its checksum does not fit"))
            } catch let error as StorageError {
                damage.append(LogDamage(.snapshot, sequence: sequence, reason: error.message))
            }
        }
        return (nil, damage)
    }

    private static func snapshot(of room: String, _ head: Row, in db: Database) throws -> RoomSnapshot {
        let sequence = try head.integer("sequence")
        let documents = try Row.fetchAll(
            db, sql: "SELECT * FROM room_snapshot_documents WHERE room = ? AND sequence = ?",
            arguments: [room, sequence])
        return RoomSnapshot(
            roomID: room, sequence: sequence, committedAtMs: try head.integer("committed_at"),
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
                throw StorageError(code: .corrupt, message: "an owner in it is none")
            }
            owners[client] = String(parts[1])
        }
        return owners
    }

    // MARK: Repairing

    public func repair(_ recovery: LogRecovery, of room: String, atMs: Int64) async throws {
        try await change { db in
            for sequence in recovery.strays.sorted() {
                try Self.setAside(sequence, of: room, "no record has this number", atMs: atMs, in: db)
            }
            for (sequence, reason) in recovery.lost.sorted(by: { $0.key < $1.key }) {
                try Self.setAside(sequence, of: room, reason, atMs: atMs, in: db)
                let before = try Int64.fetchOne(
                    db,
                    sql: """
                        SELECT committed_at FROM log WHERE room = ? AND sequence < ?
                        ORDER BY sequence DESC LIMIT 1
                        """, arguments: [room, sequence])
                let lost = Self.lostRecord(at: sequence, reason, committedAtMs: before ?? 0)
                try Self.insert(.init(lost, in: room), of: room, in: db)
            }
            for sequence in recovery.snapshots {
                try db.execute(
                    sql: "DELETE FROM room_snapshots WHERE room = ? AND sequence = ?",
                    arguments: [room, sequence])
            }
        }
    }

    /// Moves a row out of the log, as it is. Nothing is deleted that somebody might still make sense of.
    private static func setAside(
        _ sequence: Int64, of room: String, _ reason: String, atMs: Int64, in db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO lost_records
                SELECT room, sequence, ?, ?, kind, document, author, committed_at, payload, note, checksum
                FROM log WHERE room = ? AND sequence = ?
                """, arguments: [atMs, reason, room, sequence])
        try db.execute(
            sql: "DELETE FROM log WHERE room = ? AND sequence = ?", arguments: [room, sequence])
    }
}
