import Foundation
import GRDB
import Rooms
import StorageSQLite
import Testing

/// A log with rows that are not what was written: what is sound is read, and the rest is told, marked and set aside.
@Suite struct RoomLogRecoveryTests {
    private func record(_ sequence: Int64, _ kind: LogRecord.Kind = .update, note: String? = nil) -> LogRecord
    {
        LogRecord(
            sequence: sequence, kind: kind, document: "main", author: "ann", committedAtMs: 1_000 + sequence,
            payload: [0, 0], note: note)
    }

    private func snapshot(_ sequence: Int64) -> RoomSnapshot {
        RoomSnapshot(
            roomID: "r", sequence: sequence, committedAtMs: 5,
            documents: [.init(name: "main", state: [0, 0], owners: [1_000: "ann"])])
    }

    private func open(_ scratch: Scratch) throws -> RoomLogSQLite {
        try FileManager.default.createDirectory(atPath: scratch.folder, withIntermediateDirectories: true)
        return try RoomLogSQLite(folder: scratch.folder)
    }

    private func append(_ records: [LogRecord], to log: RoomLogSQLite) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            log.append(records, room: "r") { done.resume(with: $0) }
        }
        // These tests damage the log's table.
        log.drain()
    }

    private func change(_ scratch: Scratch, _ sql: String) async throws {
        let other = try DatabaseQueue(path: scratch.folder + "/log.db")
        try await other.write { db in try db.execute(sql: sql) }
    }

    private func history(_ log: RoomLogSQLite) async throws -> RoomHistory {
        try await log.history(of: "r", delayedDocuments: ["main"], notesSinceMs: 0)
    }

    @Test(arguments: [
        "kind = 9", "kind = -1", "kind = 'x'", "kind = 9000000000000", "kind = 1", "document = x'FF'",
        "document = 'mail'", "author = 'eve'", "author = 7", "committed_at = 'noon'", "committed_at = 1",
        "committed_at = -9223372036854775808", "payload = x'0001'", "payload = 'text'", "note = 'n'",
        "checksum = 5", "checksum = 'x'",
    ])
    func aDamagedRowIsFoundMarkedAndSetAside(damage: String) async throws {
        let scratch = Scratch()
        let log = try open(scratch)
        try await append((1...5).map { record($0) }, to: log)
        #expect(try await history(log).isSound)
        try await change(scratch, "UPDATE log SET \(damage) WHERE sequence = 3")

        let found = try await history(log)
        #expect(found.damage.map(\.sequence) == [3] && !found.isSound)
        #expect(found.tail.map(\.sequence) == [1, 2, 4, 5])
        let page = try await log.records(of: "r", after: 0, limit: 10)
        #expect(page.map(\.sequence) == [1, 2, 3, 4, 5] && page[2].kind == .lost)

        let recovery = try LogRecovery(of: found)
        #expect(Set(recovery.lost.keys) == [3] && recovery.losesState)
        try await log.repair(recovery, of: "r", atMs: 77)
        let repaired = try await history(log)
        #expect(repaired.isSound && repaired.tail.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(repaired.tail[2].kind == .lost && repaired.tail[2].committedAtMs == 1_002)
        try await append([record(6)], to: log)
        let aside = try await setAside(scratch)
        #expect(aside == [3, 77])
    }

    /// Number of the one row that was set aside, and when.
    private func setAside(_ scratch: Scratch) async throws -> [Int64] {
        let other = try DatabaseQueue(path: scratch.folder + "/log.db")
        return try await other.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT sequence, found_at FROM lost_records")
            return rows.flatMap { row -> [Int64] in [row["sequence"], row["found_at"]] }
        }
    }

    @Test func missingRowsAreMarked() async throws {
        let scratch = Scratch()
        let log = try open(scratch)
        try await append((1...6).map { record($0) }, to: log)
        try await change(scratch, "DELETE FROM log WHERE sequence IN (1, 4)")
        let recovery = try LogRecovery(of: try await history(log))
        #expect(Set(recovery.lost.keys) == [1, 4] && recovery.losesState)
        try await log.repair(recovery, of: "r", atMs: 77)
        #expect(try await history(log).isSound)
        try await append([record(7)], to: log)
    }

    /// A row whose number was damaged leaves a hole, and lies where no record is.
    @Test func aStrayRowIsTakenOut() async throws {
        let scratch = Scratch()
        let log = try open(scratch)
        try await append((1...3).map { record($0) }, to: log)
        try await change(scratch, "UPDATE log SET sequence = 4611686018427387904 WHERE sequence = 2")
        let recovery = try LogRecovery(of: try await history(log))
        #expect(recovery.strays == [4_611_686_018_427_387_904] && Set(recovery.lost.keys) == [2])
        try await log.repair(recovery, of: "r", atMs: 77)
        #expect(try await history(log).isSound)
        try await append([record(4)], to: log)
    }

    @Test(arguments: [
        "room_snapshot_documents SET state = x'00'", "room_snapshot_documents SET owners = 'no owner'",
        "room_snapshot_documents SET owners = '1000 eve'", "room_snapshots SET committed_at = 6",
        "room_snapshots SET checksum = 1",
    ])
    func theOlderSnapshotStandsInForADamagedOne(damage: String) async throws {
        let scratch = Scratch()
        let log = try open(scratch)
        try await append((1...9).map { record($0) }, to: log)
        for sequence in [3, 6, 8] as [Int64] { try await log.save(snapshot(sequence), trimsLog: false) }
        try await change(scratch, "UPDATE \(damage) WHERE sequence = 8")
        let found = try await history(log)
        #expect(found.snapshot == snapshot(6) && found.tail.map(\.sequence) == [7, 8, 9])
        #expect(found.damage == [LogDamage(.snapshot, sequence: 8, reason: found.damage[0].reason)])
        let recovery = try LogRecovery(of: found)
        #expect(recovery.snapshots == [8] && recovery.lost.isEmpty && !recovery.losesState)
        try await log.repair(recovery, of: "r", atMs: 77)
        #expect(try await history(log).isSound)
        // Both gone: the log alone.
        try await change(scratch, "UPDATE \(damage) WHERE sequence = 6")
        let alone = try await history(log)
        #expect(alone.snapshot == nil && alone.tail.map(\.sequence) == Array(1...9))
    }

    @Test func trimmingForgetsWhatTheOlderSnapshotCovers() async throws {
        let log = try open(Scratch())
        try await append((1...9).map { record($0) }, to: log)
        try await log.save(snapshot(4), trimsLog: true)
        #expect(try await log.records(of: "r", after: 0, limit: 20).first?.sequence == 1)
        try await log.save(snapshot(9), trimsLog: true)
        #expect(try await log.records(of: "r", after: 0, limit: 20).map(\.sequence) == Array(5...9))
        try await log.save(snapshot(10), trimsLog: true)
        #expect(try await log.records(of: "r", after: 0, limit: 20).isEmpty)
        #expect(try await history(log).isSound)
    }

    @Test func afterATrimmedLogTheNumbersGoOn() async throws {
        let scratch = Scratch()
        var log = try open(scratch)
        try await append((1...4).map { record($0) }, to: log)
        for sequence in [3, 4] as [Int64] { try await log.save(snapshot(sequence), trimsLog: true) }
        try await append([record(5)], to: log)
        try await log.save(snapshot(5), trimsLog: true)
        try await log.save(snapshot(6), trimsLog: true)
        log = try open(scratch)
        await #expect(throws: RoomLogError.self) { try await append([record(2)], to: log) }
        try await append([record(7)], to: log)
    }

    /// Files of versions without checksums are read as they are.
    @Test func recordsFromBeforeChecksumsAreRead() async throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(atPath: scratch.folder, withIntermediateDirectories: true)
        let old = try DatabaseQueue(path: scratch.folder + "/log.db")
        try RoomLogSQLite.migrator.migrate(old, upTo: "log-2")
        try await old.write { db in
            try db.execute(
                sql: """
                    INSERT INTO log VALUES ('r', 1, 0, 'main', 'ann', 5, x'0000', NULL), ('r', 2, 0, 'main', '', 6, x'0000', 'n');
                    INSERT INTO snapshots VALUES ('r', 1, 5);
                    INSERT INTO snapshot_documents VALUES ('r', 'main', x'0000', '1000 ann');
                    """)
        }
        try old.close()
        let log = try open(scratch)
        let found = try await history(log)
        #expect(found.isSound && found.snapshot == snapshot(1) && found.tail.map(\.note) == ["n"])
        try await append([record(3)], to: log)
        try await log.save(snapshot(3), trimsLog: false)
        #expect(try await history(log).isSound)
    }
}
