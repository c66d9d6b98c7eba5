import Battles
import CRDT
import Rooms
import SyncProtocol
import TestSupport
import Testing

/// Who may read and write what, and what delayed readers see and when.
@Suite struct AccessTests {
    private func access(
        _ specification: RoomSpecification, _ user: String, _ document: String, isOver: Bool = false
    ) -> DocumentAccess? {
        AccessPolicy(specification: specification, battleIsOver: isOver).access(
            to: document, for: .user(user))
    }

    @Test func pairRooms() {
        for visibility in [RoomVisibility.private, .unlisted, .public] {
            let pair = RoomSpecification.pair(visibility)
            #expect(access(pair, "ann", "main") == .write)
            #expect(access(pair, "ann", "state") == .read && access(pair, "ann", "chat") == .read)
            #expect(access(pair, "ann", "chat-watchers") == nil && access(pair, "ann", "player-ann") == nil)
            let stranger: [DocumentAccess?] = ["main", "state", "chat"].map { access(pair, "eve", $0) }
            switch visibility {
            case .private:
                #expect(stranger == [DocumentAccess.none, DocumentAccess.none, DocumentAccess.none])
            case .unlisted: #expect(stranger == [DocumentAccess.none, .read, .read])
            case .public: #expect(stranger == [.read, .read, .read])
            }
        }
    }

    @Test func battles() {
        let battle = RoomSpecification.battle()
        let documents = ["player-ann", "player-bob", "state", "chat", "chat-watchers"]
        #expect(
            documents.map { access(battle, "ann", $0) }
                == [.write, DocumentAccess.none, .read, .read, DocumentAccess.none])
        #expect(
            documents.map { access(battle, "eve", $0) }
                == [.delayedRead, .delayedRead, .read, DocumentAccess.none, .read])
        #expect(
            documents.map { access(battle, "ann", $0, isOver: true) } == [.write, .read, .read, .read, .read])
        #expect(
            documents.map { access(battle, "eve", $0, isOver: true) } == [.read, .read, .read, .read, .read])
        let hidden = RoomSpecification.battle(.private)
        #expect(documents.allSatisfy { access(hidden, "eve", $0) == DocumentAccess.none })
        #expect(access(battle, "eve", "player-eve") == nil && access(battle, "eve", "main") == nil)
    }

    @Test func theDoorFollowsTheRules() throws {
        let host = try Host(.battle(.private))
        #expect(throws: DoorRefusal.self) { try host.open(.user("eve"), "state") }
        let battle = try Host(.battle())
        #expect(throws: DoorRefusal(.forbidden, "this document is not yours to read")) {
            try battle.open(.user("ann"), "player-bob")
        }
        #expect(throws: DoorRefusal(.notFound, "no such room or document")) {
            try battle.open(.user("ann"), "player-eve")
        }
        #expect(battle.room.subscriberCount == 0)
    }

    // MARK: Delay

    @Test(arguments: Scale.seeds(12, offset: 29))
    func delayedReadersSeeExactlyThePast(seed: UInt64) throws {
        let note = Comment(rawValue: Scale.rerun(seed, "delayedReadersSeeExactlyThePast"))
        var random = SplitMix64(seed: seed)
        let host = try Host(.battle())
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        let eve = try Client(host, .user("eve"), "player-ann", clientID: 9_000)
        host.commitsAtOnce = false
        for step in 0..<150 {
            try ann.scribble(&random)
            if step == 40 {
                // A file's name is content too.
                let path = SharedPath("files")
                let update = try ann.edit { transaction throws(EditError) in
                    try transaction.set("secret.py", to: .text, in: path)
                }
                try host.send(update, from: ann.socket)
            }
            if random.chance(60) { host.commit() }
            if random.chance(50) { host.pass(Int64(random.below(2_500))) }
            guard random.chance(20) else { continue }
            eve.take()
            let nowMs = host.nowMs
            let past = host.log.document("player-ann") { $0.committedAtMs + 15_000 <= nowMs }
            #expect(eve.document.encodeStateAsUpdate() == past.encodeStateAsUpdate(), note)
            let late = try Client(host, .user("joe"), "player-ann", clientID: 9_001)
            #expect(late.document.encodeStateAsUpdate() == past.encodeStateAsUpdate(), note)
            host.close(late.socket)
        }
        host.settle()
        // The end brings them level, and they read live from then on.
        host.act { room, atMs in room.forfeit("bob", atMs: atMs) }
        host.settle()
        #expect(host.room.battle?.phase == .finished, note)
        eve.take()
        #expect(
            eve.document.encodeStateAsUpdate() == host.log.document("player-ann").encodeStateAsUpdate(), note)
        #expect(host.sockets[eve.socket]?.tier == .readers)
        try ann.scribble(&random)
        host.settle()
        eve.take()
        #expect(
            eve.document.encodeStateAsUpdate() == host.log.document("player-ann").encodeStateAsUpdate(), note)
    }

    @Test func delayUntilTheEndShowsNothing() throws {
        let host = try Host(.battle(delay: .end))
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        let eve = try Client(host, .user("eve"), "player-ann", clientID: 9_000)
        try ann.type("print(1)")
        host.pass(60_000)
        eve.take()
        #expect(eve.document.encodeStateAsUpdate() == [0, 0])
        host.act { room, atMs in room.forfeit("ann", atMs: atMs) }
        eve.take()
        #expect(eve.text() == "print(1)")
    }

    /// A refusal must not tell what the delay hides.
    @Test func refusalsTellDelayedReadersNothing() throws {
        let host = try Host(.battle())
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        try ann.type("print(1)")
        let eve = try host.open(.user("eve"), "player-ann")
        try host.send(host.log.document("player-ann").encodeStateAsUpdate(), from: eve, isStep2: true)
        #expect(host.denials(of: eve) == ["reset:read_only"])
        // Nor a submission that waits for a state vector.
        host.act { room, atMs in
            room.request(
                SubmissionRequest(
                    requestID: 7, newID: "s", caller: .user("eve"), language: "python",
                    document: "player-ann",
                    file: nil, stateVector: StateVector([1_000: 99]), deadlineMs: atMs + 2_000), atMs: atMs)
        }
        #expect(host.refusedRequests[7] == .notAllowed)
    }

    @Test func theLogIsReadByTheSameRule() throws {
        let policy = AccessPolicy(specification: .battle(), battleIsOver: false)
        let record = LogRecord(
            sequence: 1, kind: .update, document: "player-ann", author: "ann", committedAtMs: 100_000,
            payload: [])
        #expect(!policy.sees(record, .user("eve"), atMs: 114_999))
        #expect(policy.sees(record, .user("eve"), atMs: 115_000))
        #expect(!policy.sees(record, .user("bob"), atMs: .max))
        var wild = record
        wild.committedAtMs = .max
        #expect(!policy.sees(wild, .user("eve"), atMs: 0))
        let endless = AccessPolicy(specification: .battle(delay: .seconds(.max)), battleIsOver: false)
        #expect(!endless.sees(record, .user("eve"), atMs: 200_000))
    }
}
