import GRDB
import Rooms

// Reading a room's records: those in its place of the log, and behind them those that wait in the journal.
extension RoomLogSQLite {
    public func history(
        of room: String, delayedDocuments: [String], notesSinceMs: Int64
    ) async throws -> RoomHistory {
        // Taken before the database is read: what is settled meanwhile is found there.
        let waiting = unsettled.withLock { $0.entries(of: room) }
        return try await pool.read { db in
            let (snapshot, damagedSnapshots) = try Self.snapshot(of: room, in: db)
            let from = snapshot?.sequence ?? 0
            var records = RecordReading(room: room, waiting: try Self.behindLog(waiting, of: room, in: db))
            let delayed = Set(delayedDocuments)
            let marks = databaseQuestionMarks(count: delayedDocuments.count)
            var history = RoomHistory(
                snapshot: snapshot,
                tail: try records.all(in: db, "sequence > ?", [from]) { $0.sequence > from },
                story: from == 0
                    ? []
                    : try records.all(in: db, "sequence <= ? AND kind <> 0", [from], index: "log_story") {
                        $0.sequence <= from && $0.kind != .update
                    },
                delayed: from == 0 || delayed.isEmpty
                    ? []
                    : try records.all(
                        in: db, "sequence <= ? AND kind = 0 AND document IN (\(marks))",
                        [from] + StatementArguments(delayedDocuments)
                    ) { $0.sequence <= from && $0.kind == .update && delayed.contains($0.document) },
                notes: try records.all(
                    in: db, "note IS NOT NULL AND committed_at >= ?", [notesSinceMs], index: "log_notes"
                ) { $0.note != nil && $0.committedAtMs >= notesSinceMs })
            history.damage = damagedSnapshots + records.damageInOrder
            history.logBytes =
                try Self.bytes(of: room, in: db)
                + records.waiting.reduce(0) { $0 + $1.record.payload.count }
            return history
        }
    }

    public func records(of room: String, after sequence: Int64, limit: Int) async throws -> [LogRecord] {
        let waiting = unsettled.withLock { $0.entries(of: room) }
        return try await pool.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT * FROM log WHERE room = ? AND sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [room, sequence, limit])
            var records: [LogRecord] = []
            var bytes = 0
            func isFull() -> Bool { records.count >= limit || bytes >= Limits.recordPageBytes }
            while !isFull(), let row = try rows.next() {
                let record = try Self.record(row)
                bytes += record.payload.count
                records.append(record)
            }
            for entry in try Self.behindLog(waiting, of: room, in: db) where entry.record.sequence > sequence
            {
                if isFull() { break }
                let record = Self.record(entry, of: room)
                bytes += record.payload.count
                records.append(record)
            }
            return records
        }
    }

    /// Those of the waiting records that the log does not have. A room's records are settled in their order.
    private static func behindLog(
        _ waiting: [UnsettledRecords.Entry], of room: String, in db: Database
    ) throws -> ArraySlice<UnsettledRecords.Entry> {
        guard !waiting.isEmpty else { return [] }
        let last = try Int64.fetchOne(
            db, sql: "SELECT max(sequence) FROM log WHERE room = ?", arguments: [room])
        return waiting.drop { $0.record.sequence <= last ?? 0 }
    }

    /// Rooms in which something was written.
    public func roomIDs() async throws -> [String] {
        try await settleAll()
        return try await pool.read { db in
            try String.fetchAll(
                db, sql: "SELECT room FROM log UNION SELECT room FROM room_snapshots ORDER BY room")
        }
    }
}

/// Reads records of one room by several conditions, and gathers what is damaged.
private struct RecordReading {
    let room: String
    let waiting: ArraySlice<UnsettledRecords.Entry>
    private var damage: [Int64: String] = [:]

    init(room: String, waiting: ArraySlice<UnsettledRecords.Entry>) {
        self.room = room
        self.waiting = waiting
    }

    var damageInOrder: [LogDamage] {
        damage.sorted { $0.key < $1.key }.map { LogDamage(.record, sequence: $0.key, reason: $0.value) }
    }

    /// The sound records that meet a condition, which is given for the table and for what waits.
    mutating func all(
        in db: Database, _ condition: String, _ arguments: StatementArguments, index: String? = nil,
        _ isWanted: (LogRecord) -> Bool
    ) throws -> [LogRecord] {
        let table = "log" + (index.map { " INDEXED BY \($0)" } ?? "")
        var found: [LogRecord] = []
        let rows = try Row.fetchCursor(
            db, sql: "SELECT * FROM \(table) WHERE room = ? AND \(condition) ORDER BY sequence",
            arguments: [room] + arguments)
        while let row = try rows.next() {
            switch RoomLogSQLite.read(row) {
            case .success(let record): found.append(record)
            case .failure(let error): damage[try row.integer("sequence")] = error.message
            }
        }
        for entry in waiting where isWanted(entry.record) {
            switch RoomLogSQLite.read(entry, of: room) {
            case .success(let record): found.append(record)
            case .failure(let error): damage[entry.record.sequence] = error.message
            }
        }
        return found
    }
}
