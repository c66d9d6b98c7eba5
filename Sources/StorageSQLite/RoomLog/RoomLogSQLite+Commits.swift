import Dispatch
import GRDB
import Glibc
import Rooms

// Commits: one after the other, on the log's own thread.
extension RoomLogSQLite {
    func commitPending() {
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
            if batch.isEmpty { return settleWhenIdle() }
            commit(batch)
        }
    }

    /// One transaction for all; an append that does not fit (its first sequence is not the room's next) fails alone.
    private func commit(_ batch: [Append]) {
        var failures: [Int: RoomLogError] = [:]
        var parts: [(room: String, entries: [UnsettledRecords.Entry])] = []
        var row: Int64 = 0
        var settledRooms = 0
        do {
            guard try hasSpaceForUnsettled() else { return answer(batch, [:], otherwise: .failure(.full)) }
            (failures, parts) = try fitting(batch)
            guard !parts.isEmpty else { return answer(batch, failures, otherwise: .success(())) }
            try pool.write { db in
                row = try Self.insert(JournalRow.encode(parts), in: db)
                settledRooms = try settleChunk(in: db)
            }
        } catch {
            // Nobody knows where the rooms of this batch end now; and the disk may have no space to settle.
            ends.withLock { ends in for append in batch { ends[append.room] = nil } }
            return answer(batch, failures, otherwise: .failure(Self.failure(StorageError(error))))
        }
        unsettled.withLock { unsettled in
            for part in parts { unsettled.add(part.entries, of: part.room, row: row) }
        }
        forget(rooms: settledRooms)
        answer(batch, failures, otherwise: .success(()))
    }

    private func answer(
        _ batch: [Append], _ failures: [Int: RoomLogError], otherwise outcome: Result<Void, RoomLogError>
    ) {
        for (index, append) in batch.enumerated() {
            append.completion(failures[index].map { .failure($0) } ?? outcome)
        }
    }

    /// SQLite says `FULL` only of a write that found no space: the transaction is rolled back, and nothing of it comes
    /// back. Of anything else (a failed sync above all) nobody knows what is on disk.
    private static func failure(_ error: StorageError) -> RoomLogError {
        error.code == .diskFull ? .full : .failed(error.description)
    }

    private static func insert(_ journalRow: [UInt8], in db: Database) throws -> Int64 {
        try db.cachedStatement(sql: "INSERT INTO journal (records) VALUES (?)")
            .execute(arguments: [Blob.data(journalRow)])
        return db.lastInsertedRowID
    }

    // MARK: Order

    /// One writer a room, and no holes: whoever does not go on where the log ends has lost the room to another.
    private func fitting(
        _ batch: [Append]
    ) throws -> (failures: [Int: RoomLogError], parts: [(room: String, entries: [UnsettledRecords.Entry])]) {
        var failures: [Int: RoomLogError] = [:]
        var parts: [(room: String, entries: [UnsettledRecords.Entry])] = []
        for (index, append) in batch.enumerated() {
            let end = try end(of: append.room)
            var last = end
            let misfit = append.records.first { record in
                guard record.sequence > 0, record.sequence - 1 == last else { return true }
                last = record.sequence
                return false
            }
            if let misfit {
                failures[index] = .refused(
                    "room \(append.room): record \(misfit.sequence) does not follow \(last)")
            } else {
                parts.append((append.room, append.records.map { .init($0, in: append.room) }))
                ends.withLock { $0[append.room] = last }
            }
        }
        return (failures, parts)
    }

    private func end(of room: String) throws -> Int64 {
        if let known = ends.withLock({ $0[room] }) { return known }
        let waiting = unsettled.withLock { $0.entries(of: room).last?.record.sequence }
        let end = try waiting ?? pool.read { db in try Self.lastSequence(of: room, in: db) }
        ends.withLock { ends in
            if ends.count >= Limits.knownEnds { ends = [:] }
            ends[room] = end
        }
        return end
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
}
