import Battles
import CRDT
import Rooms
import Testing

/// Submissions and their place in the log, verdicts, the battle's course.
@Suite struct SubmissionTests {
    /// A battle that has started, with both players in it.
    static func running(_ specification: RoomSpecification = .battle()) throws -> (
        Host, ann: Client, bob: Client
    ) {
        let host = try Host(specification)
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        let bob = try Client(host, .user("bob"), "player-bob", clientID: 2_000)
        host.pass(3_001)
        #expect(host.room.phase == .running)
        return (host, ann, bob)
    }

    @Test func theTextIsThatOfTheSubmissionsPlace() throws {
        let (host, ann, _) = try Self.running()
        host.commitsAtOnce = false
        try ann.type("one")
        host.say(#"{"type":"submit","nonce":"n","language":"python"}"#, from: ann.socket, newID: "s1")
        try ann.type("two")
        host.settle()
        #expect(host.taken.map(\.source) == ["one"])
        #expect(host.taken.first?.sequence == host.log.records.first { $0.kind == .submission }?.sequence)
        #expect(host.committedDocument("player-ann").textInMap("files", "main.py") == "twoone")
        #expect(host.messages(to: ann.socket).last?["id"] == "s1")
    }

    @Test func aRepeatedNonceIsOneSubmission() throws {
        let (host, ann, _) = try Self.running()
        try ann.type("x")
        host.commitsAtOnce = false
        let ask = #"{"type":"submit","nonce":"n","language":"python"}"#
        host.say(ask, from: ann.socket, newID: "s1")
        host.say(ask, from: ann.socket, newID: "s2")
        #expect(host.messages(to: ann.socket).isEmpty, "nothing is answered before it is on disk")
        host.settle()
        host.say(ask, from: ann.socket, newID: "s3")
        host.settle()
        #expect(host.taken.map(\.id) == ["s1"])
        #expect(host.messages(to: ann.socket).allSatisfy { $0["id"] == "s1" })
        // Also after a restart, from the tail and from the story before a snapshot.
        for usesSnapshot in [false, true] {
            if usesSnapshot { host.saveSnapshot() }
            try host.crash()
            let again = try host.open(.user("ann"), "player-ann")
            host.say(ask, from: again, newID: "s4")
            host.settle()
            #expect(host.messages(to: again).last?["id"] == "s1")
            #expect(host.log.records.count { $0.kind == .submission } == 1)
        }
    }

    @Test func refusals() throws {
        let host = try Host(.battle())
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        _ = try Client(host, .user("bob"), "player-bob", clientID: 2_000)
        func reason(_ fields: String = "", from socket: SubscriberID? = nil) -> String? {
            let socket = socket ?? ann.socket
            host.say(#"{"type":"submit","nonce":"\#(host.newID())"\#(fields)}"#, from: socket)
            return host.messages(to: socket).last?["reason"]?.string
        }
        let python = #","language":"python""#
        #expect(reason(python) == "not_started")
        host.pass(3_001)
        #expect(reason() == "malformed")
        #expect(reason(#","language":"brainfuck""#) == "invalid_file")
        #expect(reason(python + #","file":"../x""#) == "invalid_file")
        #expect(reason(python + #","file":"none.py""#) == "invalid_file")
        let path = SharedPath("files")
        let update = try ann.edit { transaction throws(EditError) in
            try transaction.set("odd.py", to: .string("no text"), in: path)
        }
        try host.send(update, from: ann.socket)
        #expect(reason(python + #","file":"odd.py""#) == "invalid_file")
        #expect(reason(python, from: try host.open(.user("eve"), "player-ann")) == "not_allowed")
        #expect(reason(python, from: try host.open(.user("ann"), "state")) != nil)
        #expect(host.taken.isEmpty)
        #expect(reason(python) == nil)
        #expect(reason(python) == "submission_unfinished")
        #expect(host.taken.count == 1)
    }

    @Test func aRequestWaitsForItsStateVector() throws {
        let (host, ann, _) = try Self.running()
        func request(_ id: UInt64, _ vector: StateVector) {
            host.act { room, atMs in
                room.request(
                    SubmissionRequest(
                        requestID: id, newID: "s\(id)", caller: .user("ann"), language: "python",
                        document: nil,
                        file: nil, stateVector: vector, deadlineMs: atMs + 2_000), atMs: atMs)
            }
        }
        request(1, StateVector([1_000: 3]))
        host.pass(1_999)
        #expect(host.refusedRequests.isEmpty)
        try ann.type("abc")
        #expect(host.taken.map(\.source) == ["abc"])
        request(2, StateVector([1_000: 4]))
        host.pass(2_000)
        #expect(host.refusedRequests == [2: .documentBehind])
    }

    @Test func theFirstReceivedWins() throws {
        let (host, ann, bob) = try Self.running()
        for (client, id) in [(ann, "a"), (bob, "b")] {
            try client.type("x")
            host.say(#"{"type":"submit","nonce":"n","language":"python"}"#, from: client.socket, newID: id)
        }
        func judge(_ id: String) {
            host.act { room, atMs in
                room.judged(submissionID: id, verdict: "AC", testsPassed: 1, testsTotal: 1, atMs: atMs)
            }
        }
        judge("b")
        judge("b")
        #expect(host.room.phase == .deciding)
        judge("a")
        #expect(host.results.map(\.winner) == ["ann"])
        let state = host.committedDocument("state")
        #expect(state.mapValue("room", "winner") == "ann" && state.mapValue("room", "phase") == "finished")
        let events = state.array("events").compactMap { $0["type"]?.string }
        #expect(events.count { $0 == "submission_finished" } == 2 && events.last == "finished")
    }

    /// Progress is no record: it must not move the battle past its deadline unseen.
    @Test func progressDoesNotEndABattle() throws {
        let (host, ann, _) = try Self.running()
        try ann.type("x")
        host.say(#"{"type":"submit","nonce":"n","language":"python"}"#, from: ann.socket, newID: "a")
        host.nowMs += 1_800_001
        host.act { room, atMs in
            room.progress(submissionID: "a", testsPassed: 1, testsTotal: 3, atMs: atMs)
        }
        host.pass(1)
        #expect(host.room.phase == .deciding)
        host.act { room, atMs in
            room.judged(submissionID: "a", verdict: "WA", testsPassed: 1, testsTotal: 3, atMs: atMs)
        }
        #expect(host.results.map(\.outcome) == [.draw])
        #expect(host.committedDocument("state").mapValue("room", "phase") == "finished")
    }

    @Test func attendanceIsCounted() throws {
        let host = try Host(.battle())
        let watchers = try (0..<5).map { try host.open(.user("w\($0 / 2)"), "state") }
        host.pass(1_500)
        #expect(host.committedDocument("state").mapValue("room", "spectators") == 3)
        for watcher in watchers { host.close(watcher) }
        host.pass(1_500)
        #expect(host.committedDocument("state").mapValue("room", "spectators") == 0)
        let first = try host.open(.user("ann"), "player-ann")
        let second = try host.open(.user("ann"), "state")
        func connected() -> Value? {
            host.committedDocument("state").mapValue("players", "ann")?["connected"]
        }
        #expect(connected() == true)
        host.close(first)
        #expect(connected() == true)
        host.close(second)
        #expect(connected() == false)
    }

    @Test func whoIsInvitedLeavesAsTheWatcherTheyCameAs() throws {
        let host = try Host(.pair(.public))
        let eve = try host.open(.user("eve"), "state")
        host.pass(1_500)
        host.act { room, atMs in
            room.apply(
                .participantAdded(Participant(userID: "eve", handle: "eve", language: "python")), atMs: atMs)
        }
        let writing = try Client(host, .user("eve"), "main", clientID: 5_000)
        try writing.type("x")
        #expect(host.denials(of: writing.socket).isEmpty)
        host.close(eve)
        host.pass(1_500)
        let state = host.committedDocument("state")
        #expect(state.mapValue("room", "spectators") == 0)
        #expect(state.mapValue("players", "eve")?["connected"] == true)
    }

    @Test func unjudgedSubmissionsAreBounded() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        try ann.type("x")
        for batch in 0..<20 {
            host.commitsAtOnce = batch % 2 == 0
            for index in 0..<5 {
                host.say(
                    #"{"type":"submit","nonce":"\#(batch)-\#(index)","language":"python"}"#, from: ann.socket)
            }
            host.settle()
        }
        #expect(host.taken.count == Rooms.Limits.unjudgedSubmissions)
        #expect(host.messages(to: ann.socket).last?["reason"] == "submission_unfinished")
        host.commitsAtOnce = true
        let first = try #require(host.taken.first)
        host.act { room, atMs in
            room.judged(submissionID: first.id, verdict: "WA", testsPassed: 0, testsTotal: 1, atMs: atMs)
        }
        host.say(#"{"type":"submit","nonce":"again","language":"python"}"#, from: ann.socket)
        host.settle()
        #expect(host.taken.count == Rooms.Limits.unjudgedSubmissions + 1)
    }

    @Test func aBattleRunsByTheClockAlone() throws {
        let (host, _, _) = try Self.running()
        host.pass(1_800_000)
        #expect(host.results.map(\.outcome) == [.draw])
        #expect(host.room.nextWakeMs == nil || !host.room.hasUnfinishedBattle)
        let records = host.log.records.count
        host.pass(600_000)
        #expect(host.log.records.count == records, "a finished battle is still")
    }
}
