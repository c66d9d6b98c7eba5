import CRDT
import Rooms
import SyncProtocol
import Testing

/// A room under which the disk is full: readers go on, writers are told, and nobody loses anything when there is space.
@Suite struct ReadOnlyTests {
    /// A room whose batch on its way has found no space.
    private func full() throws -> (Host, Client, Client) {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        host.commitsAtOnce = false
        try ann.type("a")
        host.act { room, _ in room.suspendWrites() }
        host.forget()
        return (host, ann, bob)
    }

    @Test func writesAreRefusedAndReadsGoOn() throws {
        let (host, ann, bob) = try full()
        #expect(host.room.isReadOnly)
        try bob.type("b")
        try bob.type("c", at: 1)
        #expect(host.denials(of: bob.socket) == ["reset:disk_full"], "the reason is told once")
        #expect(host.refusedWrites[bob.socket] == 2, "and every write has its answer")
        let late = try host.open(.user("bob"), "main")
        host.send(.step1(StateVector()), from: late)
        #expect(host.heard(by: late).contains { if case .step2 = $0 { true } else { false } })
        host.say(#"{"type":"chat.post","nonce":"n","text":"hi"}"#, from: ann.socket)
        host.say(#"{"type":"submit","nonce":"m","language":"python"}"#, from: ann.socket)
        #expect(host.messages(to: ann.socket).map { $0["reason"]?.string } == ["disk_full", "disk_full"])
        host.pass(60_000)
        #expect(host.sockets.values.allSatisfy { $0.closed == nil })
    }

    @Test func whatWasRefusedIsAskedForWhenThereIsSpace() throws {
        let (host, ann, bob) = try full()
        try bob.type("b")
        bob.take()
        host.commit()
        #expect(!host.room.isReadOnly)
        host.commitsAtOnce = true
        bob.take()
        ann.take()
        bob.take()
        #expect(ann.text() == bob.text() && ann.text().count == 2)
        #expect(host.committedDocument("main").textInMap("files", "main.py") == ann.text())
        host.forget()
        try bob.type("c")
        #expect(host.denials(of: bob.socket).isEmpty)
    }

    /// What lacked its dependencies when the disk became full would come too late for its five seconds.
    @Test func aGapIsNoFaultOfTheWriter() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let path = ann.file()
        _ = try ann.edit { transaction throws(EditError) in
            try transaction.insertText("x", at: 0, in: path)
        }
        host.commitsAtOnce = false
        try ann.type("y", at: 1)
        host.act { room, _ in room.suspendWrites() }
        #expect(host.refusedWrites[ann.socket] == 1)
        host.pass(60_000)
        #expect(host.denials(of: ann.socket) == ["reset:disk_full"])
        host.act { room, _ in room.suspendWrites() }
        host.commitsAtOnce = true
        host.commit()
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        try bob.type("b")
        ann.take()
        #expect(host.denials(of: ann.socket) == ["reset:disk_full"])
    }

    @Test func theSpectatorsCountIsWrittenAfterwards() throws {
        let host = try Host(.pair(.public))
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        host.commitsAtOnce = false
        try ann.type("a")
        host.act { room, _ in room.suspendWrites() }
        for each in 0..<20 {
            _ = try host.open(.user("watcher-\(each)"), "state")
            host.pass(2_000)
        }
        #expect(host.room.uncommittedBytes < 1_000, "nothing piles up")
        host.commitsAtOnce = true
        host.commit()
        #expect(host.committedDocument("state").mapValue("room", "spectators")?.integer == 20)
    }
}
