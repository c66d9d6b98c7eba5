import CRDT
import Rooms
import SyncProtocol
import Testing

/// What happens to open sockets when a room, its members or an account change.
@Suite struct AccessChangeTests {
    private func change(_ host: Host, _ change: RoomChange) {
        host.act { room, atMs in room.apply(change, atMs: atMs) }
    }

    @Test func whoIsRemovedIsClosedAndHeardNoMore() throws {
        let host = try Host(.pair())
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        let chat = try host.open(.user("bob"), "chat")
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        change(host, .participantRemoved(userID: "bob"))
        #expect(host.sockets[bob.socket]?.closed?.code == .notFound)
        #expect(host.sockets[chat]?.closed?.code == .notFound)
        #expect(host.sockets[ann.socket]?.closed == nil)
        let before = host.log.records.count
        try bob.type("too late")
        host.say(#"{"type":"chat.post","nonce":"1","text":"too late"}"#, from: chat)
        #expect(host.log.records.count == before, "nothing of a closed socket is taken")
        #expect(host.committedDocument("state").map("players").keys.sorted() == ["ann"])
        #expect(throws: DoorRefusal.self) { try host.open(.user("bob"), "main") }
        change(host, .participantRemoved(userID: "ann"))
        #expect(host.room.specification.participants.map(\.userID) == ["ann"], "an owner stays")
    }

    @Test func whoIsInvitedMayWriteOnTheSameSocket() throws {
        let host = try Host(.pair(.public))
        let eve = try host.open(.user("eve"), "main")
        #expect(host.sockets[eve]?.tier == .readers)
        change(host, .participantAdded(.init(userID: "eve", handle: "eve", language: "python")))
        #expect(host.sockets[eve]?.tier == .writers)
        guard case .step1? = host.sockets[eve]?.heard.last else {
            Issue.record("a writer is asked for what the room lacks")
            return
        }
        let players = host.committedDocument("state").map("players")
        #expect(players["eve"]?["connected"] == true)
        host.close(eve)
        #expect(host.committedDocument("state").map("players")["eve"]?["connected"] == false)
    }

    @Test func aRoomThatBecomesPrivateClosesStrangers() throws {
        let host = try Host(.pair(.public))
        let sockets = try ["main", "chat", "state"].map { try host.open(.user("eve"), $0) }
        let judge = try host.open(.moderator("mod"), "main")
        let ann = try host.open(.user("ann"), "main")
        change(host, .visibility(.unlisted))
        #expect(host.sockets[sockets[0]]?.closed?.code == .forbidden, "the text is not a stranger's any more")
        #expect(host.sockets[sockets[1]]?.closed == nil, "the room may still be known")
        change(host, .visibility(.private))
        for socket in sockets.dropFirst() { #expect(host.sockets[socket]?.closed?.code == .notFound) }
        #expect(host.sockets[judge]?.closed == nil && host.sockets[ann]?.closed == nil)
    }

    @Test func anArchivedRoomIsReadOnly() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        change(host, .archived(atMs: host.nowMs))
        for client in [ann, bob] {
            #expect(host.denials(of: client.socket) == ["reset:read_only"])
            #expect(host.sockets[client.socket]?.tier == .readers)
        }
        let before = host.log.records.count
        try ann.type("refused")
        #expect(host.log.records.count == before)
        host.say(#"{"type":"chat.post","nonce":"1","text":"hi"}"#, from: ann.socket)
        #expect(host.messages(to: ann.socket).last?["reason"] == "archived")
        host.say(#"{"type":"submit","nonce":"2","language":"python"}"#, from: ann.socket)
        #expect(host.taken.isEmpty)
        change(host, .archived(atMs: nil))
        #expect(try host.open(.user("ann"), "main") > 0)
        #expect(host.room.policy.access(to: "main", for: .user("ann")) == .write)
    }

    @Test func battlesKeepTheirPlayers() throws {
        let host = try Host(.battle())
        for one: RoomChange in [
            .participantRemoved(userID: "ann"), .visibility(.private), .archived(atMs: 1),
            .participantAdded(.init(userID: "eve", handle: "eve", language: "python")),
        ] {
            change(host, one)
            #expect(host.room.specification == .battle())
        }
    }

    @Test func anEndedSessionIsHeardNoMore() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        host.act { room, _ in room.endSession("session-ann") }
        #expect(host.sockets[ann.socket]?.closed?.code == .unauthenticated)
        let before = host.log.records.count
        try ann.type("too late")
        #expect(host.log.records.count == before)
    }

    @Test func aMinuteOfSubmissionsCountsOnSockets() throws {
        let ports = RoomPorts(fileNames: RoomPorts.test.fileNames) { userID, _ in
            userID == "bob" ? 1_500 : nil
        }
        let host = try Host(.pair(), ports: ports)
        for (name, expected) in [("ann", "submit.accepted"), ("bob", "submit.refused")] {
            let socket = try host.open(.user(name), "main")
            host.say(#"{"type":"submit","nonce":"1","language":"python"}"#, from: socket)
            let answer = host.messages(to: socket).last
            #expect(answer?["type"]?.string == expected)
            if name == "bob" {
                #expect(answer?["reason"] == "too_fast" && answer?["retry_after_ms"] == 1_500)
            }
        }
    }

    @Test func aLogHasAQuota() throws {
        var limits = RoomLimits.standard
        limits.logBytes = 4_000
        let host = try Host(.pair(), limits: limits)
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        for _ in 0..<200 where host.denials(of: ann.socket).isEmpty { try ann.type("twenty letters here.") }
        #expect(host.denials(of: ann.socket) == ["reset:document_full"])
        #expect(host.log.records.reduce(0) { $0 + $1.payload.count } <= 4_000 + 200)
    }
}
