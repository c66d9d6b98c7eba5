import Dispatch
import GRDB
import Rooms

/// What one transaction settled.
struct SettledChunk {
    var rooms = 0
}

// Moving records from the journal to the log.
extension RoomLogSQLite {
    /// What the journal has from before: after a crash, records that were committed and not settled.
    static func readJournal(_ pool: DatabasePool) throws -> (records: UnsettledRecords, damagedRows: Int) {
        var records = UnsettledRecords()
        var damaged: [Int64] = []
        try pool.read { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT position, records FROM journal ORDER BY position")
            while let row = try rows.next() {
                let position = try row.integer("position")
                let (parts, isWhole) = JournalRow.decode(try row.bytes("records"))
                for part in parts { records.add([part.entry], of: part.room, row: position) }
                if !isWhole { damaged.append(position) }
            }
        }
        guard !damaged.isEmpty else { return (records, 0) }
        try pool.write { db in
            for position in damaged {
                try db.execute(
                    sql: """
                        INSERT INTO lost_records (room, sequence, found_at, reason, payload)
                        SELECT '', position, 0, 'a row of the journal cannot be read to its end', records
                        FROM journal WHERE position = ?
                        """, arguments: [position])
            }
        }
        return (records, damaged.count)
    }

    /// Settling failed for so long that nothing more may wait. The next try is the next commit's.
    func hasSpaceForUnsettled() throws -> Bool {
        guard unsettled.withLock({ $0.bytes }) >= Limits.unsettledBytesAtMost else { return true }
        do {
            try settleEverything()
            return true
        } catch {
            if StorageError(error).code == .diskFull { return false }
            throw error
        }
    }

    /// A few rooms, if it is time, within the transaction of a commit: they cost no sync of their own.
    func settleChunk(in db: Database) throws -> SettledChunk {
        guard unsettled.withLock({ $0.isDue }) else { return SettledChunk() }
        return try settleChunk(Limits.settledWithCommit, in: db)
    }

    private func settleChunk(_ records: Int, in db: Database) throws -> SettledChunk {
        let chunk = unsettled.withLock { $0.next(records) }
        for (room, entries) in chunk {
            for entry in entries { try Self.insert(entry, of: room, in: db) }
        }
        return SettledChunk(rooms: chunk.count)
    }

    /// After the commit of a chunk.
    func forget(_ chunk: SettledChunk) {
        guard chunk.rooms > 0, let row = unsettled.withLock({ $0.settled(rooms: chunk.rooms) }) else {
            return
        }
        // Rows that stay are settled again, which changes nothing.
        try? pool.write { db in
            try db.execute(sql: "DELETE FROM journal WHERE position <= ?", arguments: [row])
        }
    }

    /// Settles all there is; on `writer`.
    ///
    /// - Throws: what SQLite says, above all that the disk is full.
    func settleEverything() throws {
        while !unsettled.withLock({ $0.isEmpty }) {
            let chunk = try pool.write { db in try settleChunk(Limits.settledAtOnce, in: db) }
            forget(chunk)
        }
    }

    /// For those who change or count what is in the log itself.
    func settleAll() async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            writer.async { done.resume(with: Result { try self.settleEverything() }) }
        }
    }

    /// Settles once nothing was written for a while.
    func settleWhenIdle() {
        guard !unsettled.withLock({ $0.isEmpty }) else { return }
        let seen = unsettled.withLock { $0.version }
        writer.asyncAfter(deadline: .now() + Limits.settlePause) { [weak self] in
            guard let self, self.unsettled.withLock({ $0.version }) == seen else { return }
            // Where it fails, the records stay in the journal, and the next commit sets another time.
            try? self.settleEverything()
        }
    }

    static func insert(_ entry: UnsettledRecords.Entry, of room: String, in db: Database) throws {
        let record = entry.record
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO log
                (room, sequence, kind, document, author, committed_at, payload, note, checksum)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            room, record.sequence, Int(record.kind.rawValue), record.document, record.author,
            record.committedAtMs, Blob.data(record.payload), record.note, Int64(entry.checksum),
        ])
    }
}
