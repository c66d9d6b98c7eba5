import Battles
import CRDT
import Rooms
import TestSupport
import Testing

/// A process that dies at any moment: what was acknowledged is there again, and nothing else than the log says.
@Suite struct ReloadTests {
    /// One life of a room, with clients that keep their documents over crashes.
    private struct Life {
        let host: Host
        var clients: [Client]
        var random: SplitMix64
        /// Submissions that a client or the judge was told of.
        var promised: Set<String> = []
        /// The text each submission had when it was first taken.
        var sources: [String: String] = [:]
        var nextNonce = 0

        init(_ specification: RoomSpecification, seed: UInt64) throws {
            random = SplitMix64(seed: seed)
            let host = try Host(specification)
            self.host = host
            let isBattle = specification.kind == .battle
            clients = try specification.participants.enumerated().map { place, participant in
                try Client(
                    host, .user(participant.userID), isBattle ? "player-\(participant.userID)" : "main",
                    clientID: 1_000 + UInt64(place))
            }
            host.commitsAtOnce = false
            if isBattle {
                host.settle()
                host.pass(3_100)
            }
        }

        mutating func step() throws {
            let client = clients[random.below(clients.count)]
            switch random.below(100) {
            case 0..<45: try client.scribble(&random)
            case 45..<55: submit(from: client)
            case 55..<63: judge()
            case 63..<70: chat(from: client)
            case 70..<80: host.commit()
            case 80..<88: host.pass(Int64(random.below(4_000)))
            case 88..<90:
                host.close(client.socket)
                try client.reconnect()
            case 90..<93: host.saveSnapshot()
            default: host.settle()
            }
            note()
        }

        /// What was told outside by now.
        private mutating func note() {
            for taken in host.taken where sources[taken.id] == nil { sources[taken.id] = taken.source }
            for client in clients {
                for message in host.messages(to: client.socket) where message["type"] == "submit.accepted" {
                    if let id = message["id"]?.string { promised.insert(id) }
                }
            }
        }

        private mutating func submit(from client: Client) {
            nextNonce += 1
            host.say(#"{"type":"submit","nonce":"s\#(nextNonce)","language":"python"}"#, from: client.socket)
        }

        private mutating func judge() {
            guard let id = sources.keys.sorted().randomElement(using: &random) else { return }
            let verdict = ["WA", "TLE", "CE", "AC"][random.below(30) == 0 ? 3 : random.below(3)]
            host.act { room, atMs in
                room.judged(submissionID: id, verdict: verdict, testsPassed: 1, testsTotal: 2, atMs: atMs)
            }
        }

        private mutating func chat(from client: Client) {
            nextNonce += 1
            host.say(
                #"{"type":"chat.post","nonce":"c\#(nextNonce)","text":"line \#(nextNonce)"}"#,
                from: client.socket)
        }

        /// Dies and comes back; checks what was loaded.
        mutating func crash(_ comment: Comment) throws {
            note()
            try host.crash(losesBatch: random.chance(60))
            let specification = host.room.specification
            let judged = Set(records(.verdict).compactMap { JSONParser.parse($0)?["id"]?.string })
            let received = records(.submission).compactMap { JSONParser.parse($0)?["id"]?.string }
            #expect(promised.isSubset(of: received), comment)
            #expect(Set(host.missingVerdicts) == Set(received).subtracting(judged), comment)
            for taken in host.taken {
                #expect(sources[taken.id] == nil || sources[taken.id] == taken.source, comment)
            }
            let loaded = try #require(host.room.snapshot())
            for document in loaded.documents {
                #expect(document.state == host.log.document(document.name).encodeStateAsUpdate(), comment)
            }
            // The same from the log alone.
            var whole = host.log
            whole.snapshot = nil
            let other = try Room(
                loading: whole.history(of: specification, atMs: host.nowMs), of: specification,
                ports: .test, atMs: host.nowMs)
            #expect(other.battle == host.room.battle, comment)
            #expect(other.snapshot()?.documents == loaded.documents, comment)
            for client in clients { try client.reconnect() }
            note()
        }

        private func records(_ kind: LogRecord.Kind) -> [String] {
            host.log.records.filter { $0.kind == kind }.map { String(decoding: $0.payload, as: UTF8.self) }
        }

        /// In the end everyone has the same, and the state document tells the whole story.
        func checkTheEnd(_ comment: Comment) {
            host.settle()
            for client in clients {
                client.sync()
                host.settle()
                client.take()
            }
            for client in clients {
                client.take()
                #expect(
                    client.text() == host.log.document(client.name).textInMap("files", "main.py"), comment)
                #expect(host.denials(of: client.socket).isEmpty, comment)
            }
            let events = host.log.document("state").array("events")
            let started = events.filter { $0["type"] == "submission_started" }
            let finished = events.filter { $0["type"] == "submission_finished" }
            let verdicts = records(.verdict).compactMap { JSONParser.parse($0)?["id"]?.string }
            let known = Set(started.compactMap { $0["submission_id"]?.string })
            #expect(known.count == started.count, comment)
            #expect(
                finished.compactMap { $0["submission_id"]?.string } == verdicts.filter(known.contains),
                comment)
            let state = host.log.document("state")
            if let battle = host.room.battle {
                #expect(state.mapValue("room", "phase")?.string == battle.phase.rawValue, comment)
                #expect(Set(battle.submissions.map(\.id)) == known, comment)
            }
        }
    }

    private func live(_ specification: RoomSpecification, _ seed: UInt64, _ test: String) throws {
        let comment = Comment(rawValue: Scale.rerun(seed, test))
        var life = try Life(specification, seed: seed)
        for _ in 0..<250 {
            try life.step()
            if life.random.chance(4) { try life.crash(comment) }
        }
        try life.crash(comment)
        life.checkTheEnd(comment)
    }

    @Test(arguments: Scale.seeds(12, offset: 29))
    func pairRoomsSurvive(seed: UInt64) throws {
        try live(.pair(), seed, "pairRoomsSurvive")
    }

    @Test(arguments: Scale.seeds(12, offset: 29))
    func battlesSurvive(seed: UInt64) throws {
        try live(.battle(), seed, "battlesSurvive")
    }

    // MARK: Damage

    /// What loading a short history says after `edit` damaged it.
    private func loading(_ edit: (inout RoomHistory) -> Void) throws -> RoomLoadError? {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        for word in ["a", "b", "c"] { try ann.type(word) }
        host.say(#"{"type":"submit","nonce":"n","language":"python"}"#, from: ann.socket, newID: "s")
        host.act { room, atMs in
            room.judged(submissionID: "s", verdict: "WA", testsPassed: 0, testsTotal: 1, atMs: atMs)
        }
        var history = host.log.history(of: .pair(), atMs: host.nowMs)
        edit(&history)
        do {
            _ = try Room(loading: history, of: .pair(), ports: .test, atMs: host.nowMs)
            return nil
        } catch {
            return error
        }
    }

    @Test func damageIsAnErrorAndNeverATrap() throws {
        #expect(try loading { _ in } == nil)
        #expect(try loading { $0.tail.remove(at: 2) }?.code == .hole)
        #expect(try loading { $0.tail.swapAt(1, 2) }?.code == .hole)
        #expect(try loading { $0.tail.removeFirst() }?.code == .hole)
        for junk in [[], [0xFF], [0, 0, 1], Array(repeating: 7, count: 40)] as [[UInt8]] {
            for place in 0..<6 {
                #expect(try loading { $0.tail[place].payload = junk }?.code == .corruptRecord)
            }
        }
        for time in [Int64.min, -1, .max] {
            #expect(try loading { $0.tail[2].committedAtMs = time }?.code == .corruptRecord)
        }
        let wild = try loading { history in
            history.snapshot = RoomSnapshot(
                roomID: "pair-1", sequence: .max, committedAtMs: .max, documents: [])
        }
        #expect(wild?.code == .corruptSnapshot)
        let torn = try loading { history in
            let update = Document(clientID: 1_000).edit { transaction in
                try? transaction.insertText("ab", at: 0, in: SharedPath("r"))
            }
            let late = Document(clientID: 1_000)
            try? late.applyUpdate(update ?? [])
            let after = late.edit { transaction in
                try? transaction.insertText("c", at: 2, in: SharedPath("r"))
            }
            history = RoomHistory(
                snapshot: RoomSnapshot(
                    roomID: "pair-1", sequence: 3, committedAtMs: 0,
                    documents: [.init(name: "main", state: after ?? [], owners: [:])]), tail: [], story: [],
                delayed: [], notes: [])
        }
        #expect(torn?.code == .corruptSnapshot)
    }

    /// A notice whose record made it to disk and whose entry in `events` did not is written after the restart.
    @Test func noticesAreMadeUpFor() throws {
        let (host, ann, _) = try SubmissionTests.running()
        try ann.type("x")
        host.commitsAtOnce = false
        host.say(#"{"type":"submit","nonce":"n","language":"python"}"#, from: ann.socket, newID: "s")
        host.commit()
        try host.crash(losesBatch: true)
        host.settle()
        let events = host.log.document("state").array("events")
        #expect(events.count { $0["type"] == "submission_started" && $0["submission_id"] == "s" } == 1)
    }
}
