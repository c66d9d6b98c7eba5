import CRDT
import Rooms
import TestSupport
import Testing

@Suite struct LogRecoveryTests {
    /// The check value of CRC-32C (RFC 3720, B.4, and every catalogue of checksums).
    @Test func theChecksumIsCRC32C() {
        var sum = CRC32C()
        sum.add(Array("123456789".utf8))
        #expect(sum.value == 0xE306_9283)
        var zeros = CRC32C()
        zeros.add([UInt8](repeating: 0, count: 32))
        #expect(zeros.value == 0x8A91_36AA)
    }

    @Test func everyFieldCounts() {
        let record = LogRecord(
            sequence: 1, kind: .update, document: "main", author: "ann", committedAtMs: 5, payload: [1, 2],
            note: nil)
        var sums: Set<UInt32> = [record.checksum(in: "r"), record.checksum(in: "s")]
        let changes: [(inout LogRecord) -> Void] = [
            { $0.sequence = 2 }, { $0.kind = .battle }, { $0.document = "mai" }, { $0.author = "nann" },
            { $0.committedAtMs = 6 }, { $0.payload = [2, 1] }, { $0.payload = [] }, { $0.note = "" },
            {
                $0.document = "mainann"; $0.author = ""
            },
        ]
        for change in changes {
            var other = record
            change(&other)
            sums.insert(other.checksum(in: "r"))
        }
        #expect(sums.count == changes.count + 2)
    }

    /// A history of three words by three clients, the third behind the second.
    private func history() throws -> RoomHistory {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        try ann.type("a")
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        try bob.type("b", at: 1)
        ann.take()
        try ann.type("c", at: 2)
        return host.log.history(of: .pair(), atMs: host.nowMs)
    }

    @Test func aSoundHistoryIsSound() throws {
        #expect(try history().isSound)
    }

    @Test func whatBuildsOnALostRecordIsLostToo() throws {
        var history = try history()
        let last = try #require(history.tail.lastIndex { $0.author == "ann" })
        let middle = try #require(history.tail.lastIndex { $0.author == "bob" })
        let gone = history.tail.remove(at: middle)
        #expect(!history.isSound)
        let recovery = try LogRecovery(of: history)
        #expect(recovery.lost[gone.sequence] == "it is missing")
        #expect(recovery.lost[history.tail[last - 1].sequence] == "it builds on a record that is lost")
        #expect(recovery.lost.count == 2 && recovery.losesState)
    }

    /// What this version cannot read is no damage: nothing may be dropped for it.
    @Test func aSoundRecordThatCannotBeReadIsAnError() throws {
        var history = try history()
        history.tail[1].payload = [0xFF]
        history.damage = [LogDamage(.record, sequence: 99, reason: "checksum")]
        #expect(throws: RoomLoadError.self) { try LogRecovery(of: history) }
        #expect(throws: RoomLoadError.self) {
            try Room(loading: history, of: .pair(), ports: .test, atMs: RoomSpecification.createdAtMs)
        }
    }

    @Test func wildNumbersAreErrorsAndNeverTraps() throws {
        for sequence in [Int64.min, -1, .max] {
            var history = try history()
            history.snapshot = RoomSnapshot(roomID: "r", sequence: sequence, committedAtMs: 0, documents: [])
            #expect(throws: RoomLoadError.self) { try LogRecovery(of: history) }
        }
        for sequence in [Int64.min, 0, .max] {
            var history = try history()
            history.tail.append(history.tail[0])
            history.tail[history.tail.count - 1].sequence = sequence
            #expect(!history.isSound)
            #expect(throws: RoomLoadError.self) { try LogRecovery(of: history) }
        }
        for sequence in [Int64.min, 0, .max] {
            var history = try history()
            history.damage = [LogDamage(.record, sequence: sequence, reason: "checksum")]
            #expect(try LogRecovery(of: history).strays == [sequence])
        }
    }

    /// A room whose first record is gone gets its first file again.
    @Test func theFirstFileIsMadeAgain() throws {
        var log = MemoryLog()
        log.records = [
            LogRecord(
                sequence: 1, kind: .lost, document: "", author: "", committedAtMs: 0, payload: Array("x".utf8)
            )
        ]
        let at = RoomSpecification.createdAtMs
        var room = try Room(loading: log.history(of: .pair(), atMs: at), of: .pair(), ports: .test, atMs: at)
        let written = room.takeActions().compactMap { action -> [LogRecord]? in
            if case .append(let records) = action { records } else { nil }
        }.flatMap(\.self)
        #expect(written.contains { $0.document == "main" && $0.sequence == 2 })
    }
}
