import Dispatch
import GRDB
import Rooms

// Moving records from the journal to the log.
extension RoomLogSQLite {
    /// What the journal has from before: after a crash, records that were committed and not settled.
    static func readJournal(_ pool: DatabasePool) throws -> (records: UnsettledRecords, damagedRows: Int) {
        var records = UnsettledRecords()
        var damaged: [(position: Int64, sound: [JournalRow.Part])] = []
        try pool.read { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT position, records FROM journal ORDER BY position")
            while let row = try rows.next() {
                let position = try row.integer("position")
                let (parts, isWhole) = JournalRow.decode(try row.bytes("records"))
                for part in parts { records.add([part.entry], of: part.room, row: position) }
                if !isWhole { damaged.append((position, parts)) }
            }
        }
        guard !damaged.isEmpty else { return (records, 0) }
        try pool.write { db in
            for (position, sound) in damaged {
                try db.execute(
                    sql: """
                        INSERT INTO lost_records (room, sequence, found_at, reason, payload)
                        SELECT '', position, 0, 'a row of the journal cannot be read to its end', records
                        FROM journal WHERE position = ?
                        """, arguments: [position])
                // What is left is whole, and told once.
                try db.execute(
                    sql: "UPDATE journal SET records = ? WHERE position = ?",
                    arguments: [
                        Blob.data(JournalRow.encode(sound.map { ($0.room, [$0.entry]) })), position,
                    ])
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
    ///
    /// - Returns: how many rooms, for `forget` once it is committed.
    func settleChunk(in db: Database) throws -> Int {
        guard unsettled.withLock({ $0.isDue }) else { return 0 }
        return try settleChunk(Limits.settledWithCommit, in: db)
    }

    private func settleChunk(_ records: Int, in db: Database) throws -> Int {
        let chunk = unsettled.withLock { $0.next(records) }
        for (room, entries) in chunk {
            for entry in entries { try Self.insert(entry, of: room, in: db) }
        }
        return chunk.count
    }

    /// After the commit of a chunk of so many rooms.
    func forget(rooms: Int) {
        guard rooms > 0, let row = unsettled.withLock({ $0.settled(rooms: rooms) }) else { return }
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
            forget(rooms: try pool.write { db in try settleChunk(Limits.settledAtOnce, in: db) })
        }
    }

    /// For those who count what is in the log itself.
    func settleAll() async throws {
        try await onWriter { try self.settleEverything() }
    }

    /// For those who take something out of the log: it must not come back from the journal after a crash, so the journal
    /// is emptied in the same transaction. Commits wait meanwhile.
    func change(_ body: @escaping @Sendable (Database) throws -> Void) async throws {
        try await onWriter {
            try self.settleEverything()
            try self.pool.write { db in
                try db.execute(sql: "DELETE FROM journal")
                try body(db)
            }
        }
    }

    private func onWriter(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            writer.async { done.resume(with: Result(catching: body)) }
        }
    }

    /// Settles once nothing was written for a while. One timer, however often the writer comes to rest.
    func settleWhenIdle() {
        guard !unsettled.withLock({ $0.isEmpty }) else { return }
        let isArmed = isSettlingArmed.withLock { armed in
            defer { armed = true }
            return armed
        }
        if !isArmed { armSettling() }
    }

    private func armSettling() {
        let seen = unsettled.withLock { $0.version }
        writer.asyncAfter(deadline: .now() + Limits.settlePause) { [weak self] in
            guard let self else { return }
            guard self.unsettled.withLock({ $0.version }) == seen else { return self.armSettling() }
            self.isSettlingArmed.withLock { $0 = false }
            // Where it fails, the records stay in the journal, and the next commit arms it again.
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
