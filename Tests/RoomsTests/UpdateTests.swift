import CRDT
import Rooms
import SyncProtocol
import Testing

/// Acceptance and refusal of updates, and who is told what and when.
@Suite struct UpdateTests {
    @Test func nothingIsSentBeforeItIsOnDisk() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        host.commitsAtOnce = false
        host.forget()
        try ann.type("print(1)")
        #expect(host.heard(by: ann.socket).isEmpty && host.heard(by: bob.socket).isEmpty)
        host.commit()
        // The same frame to all, the sender's echo included.
        #expect(host.sockets[ann.socket]?.frames.count == 1)
        #expect(host.sockets[ann.socket]?.frames == host.sockets[bob.socket]?.frames)
        bob.take()
        #expect(bob.text() == "print(1)")
    }

    @Test func anUpdateSentAgainIsNotAcknowledgedBeforeItIsOnDisk() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let path = ann.file()
        let update = try ann.edit { transaction throws(EditError) in
            try transaction.insertText("x", at: 0, in: path)
        }
        host.commitsAtOnce = false
        host.forget()
        try host.send(update, from: ann.socket)
        try host.send(update, from: ann.socket)
        #expect(host.heard(by: ann.socket).isEmpty)
        host.settle()
        #expect(host.heard(by: ann.socket).contains { $0.update == update })
        // On disk, it is told at once that it is known, and nothing is written.
        let count = host.log.records.count
        host.forget()
        try host.send(update, from: ann.socket)
        #expect(host.heard(by: ann.socket).contains { $0.update == update })
        #expect(host.log.records.count == count)
    }

    /// Every write of a socket is acknowledged or refused, once, and not before its record is on disk.
    @Test func everyWriteIsAnsweredOnce() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let bob = try Client(host, .user("bob"), "main", clientID: 2_000)
        let before = host.acknowledged[ann.socket, default: 0]
        host.commitsAtOnce = false
        try ann.type("a")
        try ann.type("b")
        let state = ann.document.encodeStateAsUpdate()
        try host.send(state, from: ann.socket)
        try host.send(state, from: ann.socket, isStep2: true)
        #expect(host.acknowledged[ann.socket, default: 0] == before)
        host.settle()
        #expect(host.acknowledged[ann.socket, default: 0] == before + 4)
        try host.send(state, from: ann.socket)
        #expect(host.acknowledged[ann.socket, default: 0] == before + 5)
        #expect(host.refusedWrites.isEmpty)
        host.send(.refusedWrite(.malformed), from: bob.socket)
        try host.send(state, from: bob.socket)
        #expect(host.refusedWrites == [bob.socket: 2])
    }

    @Test func aRedundantStep2IsNoWrite() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        try ann.type("print(1)")
        try ann.delete(at: 0, 3)
        ann.take()
        let count = host.log.records.count
        host.forget()
        try host.send(ann.document.encodeStateAsUpdate(), from: ann.socket, isStep2: true)
        #expect(host.log.records.count == count)
        #expect(host.denials(of: ann.socket).isEmpty)
    }

    @Test func readersMayNotWrite() throws {
        let host = try Host(.pair(.public))
        let eve = try Client(host, .user("eve"), "main", clientID: 3_000)
        #expect(!host.heard(by: eve.socket).contains { if case .step1 = $0 { true } else { false } })
        try eve.type("x")
        try eve.type("y")
        #expect(host.denials(of: eve.socket) == ["reset:read_only", "reset:read_only"])
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        try ann.type("still told")
        #expect(host.heard(by: eve.socket).contains { $0.update != nil })
        #expect(host.committedDocument("main").textInMap("files", "main.py") == "still told")
    }

    @Test func serverWrittenDocumentsTakeNoWrites() throws {
        let host = try Host(.battle())
        for (name, document) in [("ann", "state"), ("ann", "chat"), ("eve", "chat-watchers")] {
            let client = try Client(host, .user(name), document, clientID: 4_000)
            let update = try client.edit { transaction throws(EditError) in
                try transaction.insert([.string("forged")], at: 0, in: SharedPath("messages"))
            }
            try host.send(update, from: client.socket)
            #expect(host.denials(of: client.socket) == ["reset:read_only"])
        }
    }

    @Test func aClientIDBelongsToWhoBroughtIt() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        try ann.type("mine")
        let bob = try Client(host, .user("bob"), "main", clientID: 1_000)
        try bob.type("forged")
        #expect(host.denials(of: bob.socket) == ["reset:foreign_client"])
        #expect(host.committedDocument("main").textInMap("files", "main.py") == "mine")
        // In quarantine, everything of the socket is refused, whatever its client id.
        let other = Document(clientID: 2_000)
        try other.applyUpdate(host.committedDocument("main").encodeStateAsUpdate())
        let update = other.edit { transaction in
            try? transaction.insertText("x", at: 0, in: SharedPath("files").key("main.py"))
        }
        try host.send(try #require(update), from: bob.socket)
        #expect(host.denials(of: bob.socket) == ["reset:foreign_client", "reset:foreign_client"])
        // Also after the room was loaded again, from the log and from a snapshot.
        for usesSnapshot in [false, true] {
            if usesSnapshot { host.saveSnapshot() }
            try host.crash()
            let again = try Client(host, .user("bob"), "main", clientID: 1_000)
            try again.type("forged")
            #expect(host.denials(of: again.socket) == ["reset:foreign_client"])
        }
    }

    @Test(arguments: [0, 1, 7, 255] as [UInt64])
    func reservedIDsAreTheServers(client: UInt64) throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "main")
        let document = Document(clientID: client)
        let update = document.edit { transaction in
            try? transaction.insertText("x", at: 0, in: SharedPath("r"))
        }
        let known = try Update(decodingV1: try #require(update))
        host.send(.update(known, isStep2: false), from: ann)
        // Client 1 has one clock of its own already, so its forged text is known or foreign; never written.
        #expect(host.committedDocument("main").text("r").isEmpty)
        if client != 1 { #expect(host.denials(of: ann) == ["reset:foreign_client"]) }
    }

    @Test func openRoomsTakeAnyClientID() throws {
        let host = try Host(.open)
        let first = try Client(host, .anonymous, "main", clientID: 1)
        let update = try first.edit { transaction throws(EditError) in
            try transaction.insertText("x", at: 0, in: SharedPath("r"))
        }
        try host.send(update, from: first.socket)
        #expect(host.committedDocument("main").text("r") == "x")
        // A client with an own id that other rooms reserve may know more than the room.
        let second = try Client(host, .anonymous, "main", clientID: 1, syncs: false)
        host.send(.step1(StateVector([1: 5])), from: second.socket)
        #expect(host.sockets[second.socket]?.closed == nil && host.alarms.isEmpty)
    }

    @Test func aClientAheadOfTheServersOwnWritesIsReset() throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "main")
        for _ in 0..<10 { host.send(.step1(StateVector([1: 99])), from: ann) }
        #expect(host.sockets[ann]?.closed?.code == .reset)
        #expect(host.denials(of: ann).first == "reset:epoch")
        #expect(host.alarms.count == 1, "one alarm is enough")
    }

    // MARK: Gaps

    private func gapped(_ host: Host, _ client: Client) throws -> (lost: [UInt8], late: [UInt8]) {
        let path = client.file()
        let lost = try client.edit { transaction throws(EditError) in
            try transaction.insertText("a", at: 0, in: path)
        }
        let late = try client.edit { transaction throws(EditError) in
            try transaction.insertText("b", at: 1, in: path)
        }
        return (lost, late)
    }

    @Test func aGapIsAskedForAndFilled() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let (_, late) = try gapped(host, ann)
        let count = host.log.records.count
        let acknowledged = host.acknowledged[ann.socket, default: 0]
        host.forget()
        try host.send(late, from: ann.socket)
        #expect(host.log.records.count == count, "an update with a gap is not logged")
        ann.take()
        #expect(host.committedDocument("main").textInMap("files", "main.py") == "ab")
        // The dropped write is acknowledged with the step 2 that made up for it.
        #expect(host.acknowledged[ann.socket, default: 0] == acknowledged + 2)
        host.pass(20_000)
        #expect(host.denials(of: ann.socket).isEmpty)
    }

    @Test func aGapThatStaysIsRefused() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let (lost, late) = try gapped(host, ann)
        try host.send(late, from: ann.socket)
        host.pass(4_999)
        #expect(host.denials(of: ann.socket).isEmpty)
        host.pass(1)
        #expect(host.denials(of: ann.socket) == ["reset:gap"])
        try host.send(lost, from: ann.socket)
        #expect(host.denials(of: ann.socket) == ["reset:gap", "reset:gap"])
    }

    /// What was dropped with the gap must come again; anything else the socket sends does not make up for it.
    @Test func otherWritesDoNotCloseAGap() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        let (_, late) = try gapped(host, ann)
        try host.send(late, from: ann.socket)
        let second = Document(clientID: 1_001)
        try second.applyUpdate(host.committedDocument("main").encodeStateAsUpdate())
        let fine = second.edit { transaction in
            try? transaction.insertText("fine", at: 0, in: SharedPath("files").key("main.py"))
        }
        try host.send(try #require(fine), from: ann.socket)
        try host.send([0, 0], from: ann.socket, isStep2: true)
        host.pass(5_000)
        #expect(host.denials(of: ann.socket) == ["reset:gap"])
    }

    // MARK: Hostile writers

    /// The same clocks with other content: whoever joins meanwhile must not take the forged start for the text.
    @Test func aRewrittenPastIsCutOff() throws {
        let host = try Host(.pair(.public))
        let ann = try Client(host, .user("ann"), "main", clientID: 1_000)
        try ann.type("good")
        let forger = Document(clientID: 1_000)
        try forger.applyUpdate(
            try #require(Document(clientID: 1).plan([.setText(root: "files", key: "main.py")], as: 1)))
        _ = forger.edit { transaction in
            try? transaction.insertText("EVILtail", at: 0, in: SharedPath("files").key("main.py"))
        }
        let eve = try Client(host, .user("eve"), "main", clientID: 3_000, syncs: false)
        try host.send(forger.encodeStateAsUpdate(), from: ann.socket)
        eve.sync()
        let truth = host.committedDocument("main").textInMap("files", "main.py")
        #expect(truth == "goodtail")
        #expect(eve.text() == truth)
        #expect(host.log.records.allSatisfy { !$0.payload.contains([0x45, 0x56, 0x49, 0x4C]) })
    }

    @Test func oneWriterCannotFillAnothersRoom() throws {
        let host = try Host(.battle())
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        let bob = try Client(host, .user("bob"), "player-bob", clientID: 2_000)
        host.commitsAtOnce = false
        let page = String(repeating: "x", count: 1_000_000)
        for _ in 0..<20 { try bob.type(page) }
        #expect(host.denials(of: bob.socket).first == "reset:document_full")
        try ann.type("print(1)")
        #expect(host.denials(of: ann.socket).isEmpty)
        host.settle()
        #expect(host.committedDocument("player-ann").textInMap("files", "main.py") == "print(1)")
    }

    /// Text that is deleted at once leaves the document small; what waits for delayed readers is bounded all the same.
    @Test func aFloodOfDeletedTextIsBoundedForDelayedReaders() throws {
        let host = try Host(.battle())
        let ann = try Client(host, .user("ann"), "player-ann", clientID: 1_000)
        let page = String(repeating: "x", count: 1_000_000)
        for _ in 0..<60 where host.denials(of: ann.socket).isEmpty {
            try ann.type(page)
            try ann.delete(at: 0, page.count)
            host.nowMs += 10
        }
        #expect(host.denials(of: ann.socket).first == "reset:document_full")
    }
}

extension [UInt8] {
    func contains(_ other: [UInt8]) -> Bool {
        guard count >= other.count else { return false }
        return (0...(count - other.count)).contains { self[$0..<$0 + other.count].elementsEqual(other) }
    }
}
