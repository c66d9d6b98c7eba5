import Foundation
import GRDB
import Rooms
import StorageSQLite
import TestSupport
import Testing

/// Records on their way from the journal to the log: wherever they are, they read the same.
@Suite struct RoomLogJournalTests {
    private func record(_ sequence: Int64, _ random: inout SplitMix64) -> LogRecord {
        let kinds: [LogRecord.Kind] = [.update, .update, .update, .submission, .verdict]
        return LogRecord(
            sequence: sequence, kind: kinds[Int(random.next() % 5)],
            document: ["main", "chat", "player-ann"][Int(random.next() % 3)], author: "ann",
            committedAtMs: 1_000 + sequence,
            payload: (0..<random.next() % 40).map { UInt8(truncatingIfNeeded: $0) },
            note: random.next() % 4 == 0 ? "note \(sequence) ä" : nil)
    }

    private func open(_ scratch: Scratch) throws -> RoomLogSQLite {
        try FileManager.default.createDirectory(atPath: scratch.folder, withIntermediateDirectories: true)
        return try RoomLogSQLite(folder: scratch.folder)
    }

    private func append(_ records: [LogRecord], room: String, to log: RoomLogSQLite) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            log.append(records, room: room) { done.resume(with: $0) }
        }
    }

    /// What a crash would leave: the files as they are.
    private func crashed(_ scratch: Scratch) throws -> Scratch {
        let copy = Scratch()
        try FileManager.default.createDirectory(atPath: copy.folder, withIntermediateDirectories: true)
        for name in ["log.db", "log.db-wal"] {
            try FileManager.default.copyItem(
                atPath: scratch.folder + "/" + name, toPath: copy.folder + "/" + name)
        }
        return copy
    }

    private func rows(_ table: String, _ scratch: Scratch) async throws -> Int {
        try await DatabaseQueue(path: scratch.folder + "/log.db").read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? -1
        }
    }

    private func expect(_ log: RoomLogSQLite, has written: [String: [LogRecord]], seed: UInt64) async throws {
        for (room, records) in written {
            let again: Comment = "seed \(seed), room \(room)"
            let half = Int64(records.count / 2)
            #expect(try await log.records(of: room, after: 0, limit: 100_000) == records, again)
            #expect(
                try await log.records(of: room, after: half, limit: 7)
                    == Array(records.dropFirst(Int(half)).prefix(7)), again)
            let history = try await log.history(
                of: room, delayedDocuments: ["player-ann"], notesSinceMs: 1_000 + half)
            #expect(history.isSound && history.tail == records, again)
            #expect(
                history.notes == records.filter { $0.note != nil && $0.committedAtMs >= 1_000 + half }, again)
            #expect(history.logBytes == records.reduce(0) { $0 + $1.payload.count }, again)
        }
    }

    /// More records than the journal keeps, so that generations are settled while others are written.
    @Test(arguments: [1, 2] as [UInt64])
    func recordsReadTheSameWhileTheyAreSettled(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let scratch = Scratch()
        let log = try open(scratch)
        var written: [String: [LogRecord]] = [:]
        for step in 0..<500 {
            let room = "room-\(random.next() % 17)"
            let from = Int64(written[room]?.count ?? 0)
            let records = (1...Int64(1 + random.next() % 60)).map { record(from + $0, &random) }
            try await append(records, room: room, to: log)
            written[room, default: []] += records
            if step % 100 == 99 {
                try await expect(log, has: written, seed: seed)
                try await expect(open(crashed(scratch)), has: written, seed: seed)
            }
        }
        log.drain()
        #expect(try await rows("journal", scratch) == 0)
        let total = written.values.reduce(0) { $0 + $1.count }
        #expect(try await rows("log", scratch) == total)
        try await expect(open(scratch), has: written, seed: seed)
    }

    @Test func aRoomThatWasRemovedDoesNotComeBack() async throws {
        var random = SplitMix64(seed: 3)
        let scratch = Scratch()
        let log = try open(scratch)
        try await append([record(1, &random), record(2, &random)], room: "open/a", to: log)
        try await append([record(1, &random)], room: "open/b", to: log)
        #expect(try await log.roomCount(prefix: "open/") == 2)
        try await log.remove(room: "open/a")
        #expect(try await log.roomCount(prefix: "open/") == 1)
        let again = try open(crashed(scratch))
        #expect(try await again.records(of: "open/a", after: 0, limit: 9).isEmpty)
        #expect(try await again.roomIDs() == ["open/b"])
        try await append([record(1, &random)], room: "open/a", to: log)
    }

    @Test func aDamagedRowOfTheJournalIsKeptAsideAndTold() async throws {
        let records = (1...4 as ClosedRange<Int64>).map { sequence in
            LogRecord(
                sequence: sequence, kind: .update, document: "main", author: "ann",
                committedAtMs: 1_000 + sequence, payload: [0, 0])
        }
        var copy = Scratch()
        // On a slow machine the log may have settled them meanwhile.
        for _ in 0..<20 {
            let scratch = Scratch()
            let log = try open(scratch)
            for record in records { try await append([record], room: "r", to: log) }
            copy = try crashed(scratch)
            if try await rows("journal", copy) == 4 { break }
        }
        let other = try DatabaseQueue(path: copy.folder + "/log.db")
        try await other.write { db in
            // The third commit loses its end, a byte of the second is another.
            try db.execute(
                sql: """
                    UPDATE journal SET records = substr(records, 1, length(records) - 1) WHERE position = 3;
                    UPDATE journal SET records = CAST(replace(records, 'ann', 'eve') AS BLOB)
                    WHERE position = 2;
                    """)
        }
        try other.close()
        let again = try open(copy)
        #expect(again.damagedRows == 1)
        let history = try await again.history(of: "r", delayedDocuments: [], notesSinceMs: 0)
        #expect(history.tail == [records[0], records[3]])
        #expect(history.damage.map(\.sequence) == [2])
        let recovery = try LogRecovery(of: history)
        try await again.repair(recovery, of: "r", atMs: 77)
        let repaired = try await again.history(of: "r", delayedDocuments: [], notesSinceMs: 0)
        #expect(repaired.isSound && repaired.tail.map(\.sequence) == [1, 2, 3, 4])
        #expect(repaired.tail[1].kind == .lost && repaired.tail[2].kind == .lost)
        #expect(try await rows("lost_records WHERE room = ''", copy) == 1)
        let onceMore = try open(copy)
        #expect(onceMore.damagedRows == 0)
        #expect(try await rows("lost_records WHERE room = ''", copy) == 1)
    }
}
