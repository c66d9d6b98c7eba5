import Identity
import Rooms
import StorageSQLite
import Testing

/// Chat archive, blocks, bans, and open rooms that come and go.
@Suite struct PeopleStoreTests {
    private func line(_ number: Int, _ text: String) -> ChatLine {
        ChatLine(
            id: "m\(number)", author: ChatPerson(id: "ann", handle: "Ann"), text: text,
            at: "2026-01-01T00:00:00.000Z")
    }

    @Test func theArchiveKeepsOrderAndTheLastWord() async throws {
        let scratch = Scratch()
        let archive = ChatArchiveSQLite(try scratch.open())
        let lines = (0..<120).map { line($0, "line \($0)") }
        try await archive.store(Array(lines[..<50]), document: "chat", room: "r")
        try await archive.store(lines, document: "chat", room: "r")
        try await archive.store([line(7, "elsewhere")], document: "chat-watchers", room: "r")
        var got: [ChatLine] = []
        while true {
            let page = try await archive.lines(room: "r", document: "chat", before: got.last?.id, limit: 50)
            if page.isEmpty { break }
            got += page
        }
        #expect(got == lines.reversed())
        let deleted = lines[3].deleted(by: ChatPerson(id: "mod", handle: "Mod"), reason: "rude")
        #expect(try await archive.replace(deleted, room: "r", document: "chat"))
        #expect(try await archive.line("m3", room: "r", document: "chat") == deleted)
        #expect(try await archive.line("m7", room: "r", document: "chat-watchers")?.text == "elsewhere")
        #expect(try await !archive.replace(line(999, "x"), room: "r", document: "chat"))
        #expect(try await archive.lines(room: "other", document: "chat", before: nil, limit: 9).isEmpty)
    }

    @Test func blocksAreBoundedAndOnesOwn() async throws {
        let scratch = Scratch()
        let blocks = BlockStoreSQLite(try scratch.open())
        for number in 0..<3 {
            #expect(try await blocks.block("u\(number)", by: "ann", limit: 3, atMs: Int64(number)))
        }
        #expect(try await blocks.block("u1", by: "ann", limit: 3, atMs: 9), "blocked already")
        #expect(try await !blocks.block("u9", by: "ann", limit: 3, atMs: 9))
        #expect(try await blocks.blocked(by: "ann").map(\.userID) == ["u2", "u1", "u0"])
        #expect(try await blocks.isBlocked("u1", by: "ann"))
        #expect(try await !blocks.isBlocked("ann", by: "u1"))
        try await blocks.unblock("u1", by: "ann")
        #expect(try await !blocks.isBlocked("u1", by: "ann"))
    }

    @Test func aBanHoldsUntilItExpiresOrIsLifted() async throws {
        let scratch = Scratch()
        let bans = BanStoreSQLite(try scratch.open())
        func ban(_ id: String, until: Int64?) -> Ban {
            Ban(id: id, userID: "eve", reason: id, bannedBy: "mod", createdAtMs: 100, expiresAtMs: until)
        }
        #expect(try await bans.liveBan(of: "eve", atMs: 100) == nil)
        try await bans.insert(ban("b1", until: 200))
        try await bans.insert(ban("b2", until: 300))
        #expect(try await bans.liveBan(of: "eve", atMs: 150)?.id == "b2")
        #expect(try await bans.liveBan(of: "eve", atMs: 300) == nil)
        try await bans.insert(ban("b3", until: nil))
        #expect(try await bans.liveBan(of: "eve", atMs: 150)?.id == "b3", "for good outlasts all others")
        #expect(try await bans.lift(userID: "eve", atMs: 250))
        #expect(try await bans.liveBan(of: "eve", atMs: 250) == nil)
        #expect(try await !bans.lift(userID: "eve", atMs: 250))
        #expect(try await bans.bans(of: "eve").map(\.id) == ["b3", "b2", "b1"])
        #expect(try await bans.bans(of: "eve").map(\.liftedAtMs) == [250, 250, nil])
    }

    @Test func quietOpenRoomsAreFoundAndRemoved() async throws {
        let scratch = Scratch()
        try scratch.open().close()
        let log = try RoomLogSQLite(folder: scratch.folder)
        func write(_ room: String, _ count: Int, atMs: Int64) async throws {
            let records = (1...count).map {
                LogRecord(
                    sequence: Int64($0), kind: .update, document: "main", author: "", committedAtMs: atMs,
                    payload: [UInt8](repeating: 7, count: 10))
            }
            try await withCheckedThrowingContinuation { continuation in
                log.append(records, room: room) { continuation.resume(with: $0) }
            }
        }
        try await write("open/a", 30, atMs: 100)
        try await write("open/b", 20, atMs: 200)
        try await write("open/é", 1, atMs: 50)
        try await write("other", 5, atMs: 1)
        // Of an open room with a snapshot there may be no record any more.
        let state = RoomSnapshot.DocumentState(name: "main", state: [0, 0], owners: [:])
        for sequence in [Int64(2), 3] {
            try await log.save(
                RoomSnapshot(roomID: "open/é", sequence: sequence, committedAtMs: 60, documents: [state]),
                trimsLog: true)
        }
        #expect(try await log.roomCount(prefix: "open/") == 3)
        #expect(try await log.quietRooms(prefix: "open/", beforeMs: 200, limit: 9) == ["open/a", "open/é"])
        try await log.remove(room: "open/a")
        #expect(try await log.roomCount(prefix: "open/") == 2)
        let history = try await log.history(of: "open/b", delayedDocuments: [], notesSinceMs: 0)
        #expect(history.logBytes == 200)
        #expect(try await log.history(of: "open/a", delayedDocuments: [], notesSinceMs: 0).tail.isEmpty)
    }
}
