import Foundation
import GRDB
import Rooms
import StorageSQLite
import Synchronization
import Testing

@Suite struct RoomLogTests {
    private func record(
        _ sequence: Int64, _ kind: LogRecord.Kind = .update, document: String = "main", atMs: Int64 = 1_000,
        payload: [UInt8] = [1, 2, 3], note: String? = nil
    ) -> LogRecord {
        LogRecord(
            sequence: sequence, kind: kind, document: document, author: "ann", committedAtMs: atMs,
            payload: payload, note: note)
    }

    private func snapshot(_ sequence: Int64, state: [UInt8] = [0, 0]) -> RoomSnapshot {
        RoomSnapshot(
            roomID: "r", sequence: sequence, committedAtMs: 5,
            documents: [
                .init(name: "main", state: state, owners: [1_000: "ann", .max: "a name with spaces"])
            ])
    }

    private func open(_ scratch: Scratch) throws -> RoomLogSQLite {
        try FileManager.default.createDirectory(atPath: scratch.folder, withIntermediateDirectories: true)
        return try RoomLogSQLite(folder: scratch.folder)
    }

    private func append(_ records: [LogRecord], room: String = "r", to log: RoomLogSQLite) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            log.append(records, room: room) { done.resume(with: $0) }
        }
    }

    private func other(_ scratch: Scratch) throws -> DatabaseQueue {
        try DatabaseQueue(path: scratch.folder + "/log.db")
    }

    @Test func recordsComeBackAsTheyWere() async throws {
        let scratch = Scratch()
        let written = [
            record(1, payload: []), record(2, .submission, document: ""), record(3, .verdict),
            record(4, .battle, atMs: .max, payload: Array(0...255), note: "line\nline 😀"),
        ]
        do {
            let log = try open(scratch)
            try await append(Array(written[..<2]), to: log)
            try await append(Array(written[2...]), to: log)
            #expect(try scratch.mode("log.db") == 0o600)
        }
        let log = try open(scratch)
        #expect(try await log.records(of: "r", after: 0, limit: 100) == written)
        #expect(try await log.records(of: "r", after: 1, limit: 2) == Array(written[1...2]))
        #expect(try await log.records(of: "none", after: 0, limit: 100).isEmpty)
        try await append([record(5)], to: log)
    }

    /// What a power cut would leave of the files after an append was answered.
    @Test func anAnsweredAppendIsInTheFiles() async throws {
        let scratch = Scratch()
        let log = try open(scratch)
        #expect(try scratch.mode("log.db-wal") == 0o600)
        for sequence in 1...20 {
            try await append([record(Int64(sequence))], to: log)
            let copy = Scratch()
            try FileManager.default.createDirectory(atPath: copy.folder, withIntermediateDirectories: true)
            for name in ["log.db", "log.db-wal"] {
                try FileManager.default.copyItem(
                    atPath: scratch.folder + "/" + name, toPath: copy.folder + "/" + name)
            }
            let found = try await open(copy).records(of: "r", after: 0, limit: 100)
            #expect(found == (1...sequence).map { record(Int64($0)) })
        }
    }

    @Test func appendsAreAnsweredInTheirOrder() async throws {
        let log = try open(Scratch())
        let answered = Mutex<[Int64]>([])
        for sequence in 1...500 as ClosedRange<Int64> {
            log.append([record(sequence)], room: "r") { result in
                if case .success = result { answered.withLock { $0.append(sequence) } }
            }
        }
        log.drain()
        #expect(answered.withLock { $0 } == Array(1...500))
        #expect(try await log.records(of: "r", after: 0, limit: 1_000).map(\.sequence) == Array(1...500))
    }

    /// Whatever is committed together, an append that does not fit takes nothing else with it.
    @Test func aConflictFailsAlone() async throws {
        let log = try open(Scratch())
        try await append([record(1), record(2)], to: log)
        let outcomes = Mutex<[String: Bool]>([:])
        func hand(_ name: String, _ records: [LogRecord], _ room: String) {
            log.append(records, room: room) { result in
                outcomes.withLock {
                    if case .success = result { $0[name] = true } else { $0[name] = false }
                }
            }
        }
        for round in 0..<50 {
            hand("fine-\(round)", [record(1), record(2)], "other-\(round)")
            hand("taken-\(round)", [record(2)], "r")
            hand("half-\(round)", [record(3), record(5)], "r")
            hand("hole-\(round)", [record(4)], "r")
            hand("zero-\(round)", [record(0)], "new")
            hand("low-\(round)", [record(.min)], "new")
        }
        hand("next", [record(3)], "r")
        log.drain()
        let found = outcomes.withLock { $0 }
        #expect(found.count == 301)
        for (name, isFine) in found { #expect(isFine == (name.hasPrefix("fine") || name == "next")) }
        #expect(try await log.records(of: "r", after: 0, limit: 10).map(\.sequence) == [1, 2, 3])
        #expect(try await log.records(of: "other-49", after: 0, limit: 10).count == 2)
        #expect(try await log.records(of: "new", after: 0, limit: 10).isEmpty)
    }

    @Test func anOlderSnapshotNeverReplacesANewer() async throws {
        let log = try open(Scratch())
        try await log.save(snapshot(10, state: [10]), trimsLog: false)
        try await log.save(snapshot(9, state: [9]), trimsLog: false)
        try await log.save(snapshot(10, state: [11]), trimsLog: false)
        var kept = try await log.history(of: "r", delayedDocuments: [], notesSinceMs: 0).snapshot
        #expect(kept == snapshot(10, state: [10]))
        try await log.save(snapshot(12, state: [12]), trimsLog: false)
        kept = try await log.history(of: "r", delayedDocuments: [], notesSinceMs: 0).snapshot
        #expect(kept == snapshot(12, state: [12]))
    }

    @Test func historySplitsAtTheSnapshot() async throws {
        let log = try open(Scratch())
        let records = [
            record(1, document: "player-ann", atMs: 100),
            record(2, .submission, document: "player-ann", atMs: 200),
            record(3, document: "chat", atMs: 300, note: "old"), record(4, .verdict, document: "", atMs: 400),
            record(5, document: "player-bob", atMs: 500), record(6, document: "chat", atMs: 600, note: "new"),
            record(7, .battle, document: "", atMs: 700), record(8, document: "player-ann", atMs: 800),
        ]
        try await append(records, to: log)
        try await append([record(1, note: "another room's")], room: "q", to: log)
        func sequences(_ records: [LogRecord]) -> [Int64] { records.map(\.sequence) }

        var history = try await log.history(
            of: "r", delayedDocuments: ["player-ann", "player-bob"], notesSinceMs: 301)
        #expect(history.snapshot == nil && history.tail == records)
        #expect(history.story.isEmpty && history.delayed.isEmpty && sequences(history.notes) == [6])

        try await log.save(snapshot(5), trimsLog: false)
        history = try await log.history(
            of: "r", delayedDocuments: ["player-ann", "player-bob"], notesSinceMs: 300)
        #expect(history.snapshot == snapshot(5))
        #expect(sequences(history.tail) == [6, 7, 8])
        #expect(sequences(history.story) == [2, 4])
        #expect(sequences(history.delayed) == [1, 5])
        #expect(sequences(history.notes) == [3, 6])
        history = try await log.history(of: "r", delayedDocuments: [], notesSinceMs: 0)
        #expect(history.delayed.isEmpty)
    }

    @Test func theLogSyncsFully() async throws {
        // The log refuses to open where it does not; what its writer says is read from a statement it runs itself.
        let scratch = Scratch()
        let log = try open(scratch)
        try await append([record(1)], to: log)
        let journal = try await other(scratch).read { db in
            try String.fetchOne(db, sql: "PRAGMA journal_mode")
        }
        #expect(journal == "wal")
        #expect(try await log.writerSynchronous() == 2)
    }

    @Test func aBattleTakesNoOtherPlayers() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        let store = RoomStoreSQLite(database)
        func room(_ kind: RoomKind) -> RoomSpecification {
            RoomSpecification(
                id: kind.rawValue, kind: kind, visibility: .private, ownerID: "ann", language: "python",
                participants: [.init(userID: "ann", handle: "ann", language: "python")], createdAtMs: 1)
        }
        for kind in [RoomKind.pair, .battle] {
            try await store.create(room(kind))
            let eve = Participant(userID: "eve", handle: "eve", language: "c")
            #expect(try await store.apply(.participantAdded(eve), to: kind.rawValue) == (kind == .pair))
            #expect(try await !store.apply(.participantAdded(eve), to: kind.rawValue))
            #expect(try await store.room(kind.rawValue)?.participants.count == (kind == .pair ? 2 : 1))
        }
        #expect(try await store.unsettledBattles() == ["battle"])
        #expect(try await store.markSettled("battle"))
        #expect(try await !store.markSettled("battle"))
        #expect(try await store.unsettledBattles().isEmpty)

        try await store.createInvite(code: "c", roomID: "pair", createdBy: "ann", expiresAtMs: 100)
        #expect(try await store.acceptInvite(code: "c", userID: "eve", atMs: 100) == nil)
        #expect(try await store.acceptInvite(code: "c", userID: "eve", atMs: 99) == "pair")
        #expect(try await store.acceptInvite(code: "c", userID: "joe", atMs: 99) == nil)
        #expect(try await store.acceptInvite(code: "c", userID: "eve", atMs: 99) == "pair")
        try database.close()
    }
}
