import CRDT
import Rooms
import SyncProtocol
import TestSupport
import Testing

/// Edits and restorations without a replica: what they make, what they leave alone, how writes of them end.
@Suite struct HistoryTests {
    private static func copy(_ document: Document) -> DocumentCopy {
        DocumentCopy(
            document: "main", sequence: 1, atMs: 0, state: document.encodeStateAsUpdate(), owners: [:])
    }

    private static func pointer(_ text: String) throws -> DocumentPath {
        try #require(DocumentPath(pointer: text))
    }

    @Test func pointersAreThoseOfRFC6901() throws {
        #expect(DocumentPath(pointer: "files") == nil)
        #expect(DocumentPath(pointer: "") == nil)
        let path = try Self.pointer("/files/a~1b~0c")
        #expect(path.root == "files")
        #expect(path.steps == ["a/b~c"])
    }

    @Test func textsAreChangedByShortEdits() throws {
        let document = Document(clientID: 300)
        try document.getText("t").insert("the quick brown fox", at: 0)
        let basis = EditingBasis(copy: Self.copy(document), clientID: 2)
        let update = try #require(
            try basis.update(
                making: .edits([.replaceText(Self.pointer("/t"), "the slow brown dog \u{1F600}")])))
        // Somebody writes meanwhile where both texts agree.
        try document.getText("t").insert("very ", at: 10)
        try document.applyUpdate(update)
        #expect(document.text("t").contains("very "))
        #expect(document.text("t").replacing("very ", with: "") == "the slow brown dog \u{1F600}")
        let authors = try document.getText("t").authors
        #expect(authors.contains { $0.client == 300 } && authors.contains { $0.client == 2 })
    }

    @Test func editsNamePlaces() throws {
        let document = Document(clientID: 300)
        try document.getMap("files").set("main.py", .text)
        try document.getArray("list").insert(values: ["a", "b"], at: 0)
        let basis = EditingBasis(copy: Self.copy(document), clientID: 2)
        let update = try #require(
            try basis.update(
                making: .edits([
                    .insertText(Self.pointer("/files/main.py"), at: 0, "print(1)\n"),
                    .replaceText(Self.pointer("/files/other.py"), "x = 2"),
                    .set(Self.pointer("/settings/tabs"), 4), .remove(Self.pointer("/list/0")),
                    .insertValues(Self.pointer("/list"), at: 1, [true]),
                    .deleteText(Self.pointer("/files/main.py"), at: 5, length: 1),
                ])))
        try document.applyUpdate(update)
        let copy = Self.copy(document)
        #expect(try copy.text(at: Self.pointer("/files/main.py")) == "print1)\n")
        #expect(try copy.text(at: Self.pointer("/files/other.py")) == "x = 2")
        #expect(try copy.value(at: Self.pointer("/list")) == ["b", true])
        #expect(try copy.value(at: Self.pointer("/settings/tabs")) == 4)
        #expect(throws: EditError(.noSuchType)) {
            try basis.update(making: .edits([.insertText(Self.pointer("/files/none"), at: 0, "x")]))
        }
        #expect(throws: EditError(.outOfRange)) {
            try basis.update(making: .edits([.insertText(Self.pointer("/files/main.py"), at: 7, "x")]))
        }
    }

    @Test(arguments: 0..<40) func whatIsRestoredReadsAsItDid(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let document = Document(clientID: 300)
        try Self.scribble(document, &generator)
        let then = Self.copy(document)
        try Self.scribble(document, &generator)
        let basis = EditingBasis(copy: Self.copy(document), clientID: 2)
        if let update = try basis.update(making: .restore(then)) { try document.applyUpdate(update) }
        let now = Self.copy(document)
        #expect(
            try now.json().json == then.json().json,
            "seed \(seed); swift test --filter whatIsRestoredReadsAsItDid")
        let again = EditingBasis(copy: now, clientID: 2)
        #expect(try again.update(making: .restore(then)) == nil, "seed \(seed): nothing is left to change")
    }

    /// Random edits of a text, a formatted text, nested maps and arrays, and XML.
    private static func scribble(_ document: Document, _ generator: inout SplitMix64) throws {
        for _ in 0..<30 {
            let word = ["alpha ", "beta\n", "\u{1F600}", "gamma"].randomElement(using: &generator) ?? ""
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...1:
                let text = try document.getText("plain")
                try text.insert(word, at: text.length)
                if text.length > 12 { try text.delete(at: 0, length: 6) }
            case 2:
                let text = try document.getText("rich")
                try text.insert(
                    word, at: 0, attributes: [.init("bold", .bool(Bool.random(using: &generator)))])
            case 3:
                let map = try document.getMap("map")
                let key = "k\(Int.random(in: 0..<4, using: &generator))"
                if Bool.random(using: &generator) {
                    try map.set(key, .string(word))
                } else {
                    try map.delete(key)
                }
            case 4:
                let map = try document.getMap("map")
                if case .text(let text)? = try map.set(
                    "file\(Int.random(in: 0..<3, using: &generator))", .text)
                {
                    try text.insert(word, at: 0)
                }
            case 5:
                let array = try document.getArray("array")
                try array.insert(
                    values: [.string(word)], at: Int.random(in: 0...array.length, using: &generator))
                if array.length > 5 { try array.delete(at: 1, length: 2) }
            case 6:
                let array = try document.getArray("array")
                if case .map(let map)? = try array.insert([.map], at: 0).first {
                    try map.set("w", .string(word))
                }
            default:
                let fragment = try document.getXMLFragment("xml")
                if case .xmlElement(let element)? = try fragment.insert([.xmlElement("p")], at: 0).first {
                    try element.setAttribute("n", .string(word.trimmed))
                    if case .xmlText(let text)? = try element.insert([.xmlText], at: 0).first {
                        try text.insert(word, at: 0)
                    }
                }
                if fragment.length > 4 { try fragment.delete(at: 2, length: 1) }
            }
        }
    }

    @Test func writesByHTTPAreAnsweredWhenTheyAreOnDisk() throws {
        let ada = RoomCaller(userID: "ada", handle: "ada", sessionID: "s")
        let host = try Host(.pair(members: ["ada"]))
        host.settle()
        host.commitsAtOnce = false
        let basis = try host.act { room, _ in try room.editingBasis(of: "main", for: ada) }
        #expect(basis.clientID == 2)
        let bytes = try #require(
            try basis.update(making: .edits([.replaceText(Self.pointer("/files/main.py"), "x = 1")])))
        let update = try Update(decodingV1: bytes)
        let write = DocumentWrite(requestID: 71, caller: ada, document: "main", update: update, editor: 2)
        host.act { room, atMs in room.write(write, atMs: atMs) }
        #expect(host.finishedWrites[71] == nil, "nothing is answered before it is on disk")
        // The same again, and another from the same place, before the first is on disk.
        var repeated = write
        repeated.requestID = 72
        host.act { room, atMs in room.write(repeated, atMs: atMs) }
        #expect(host.finishedWrites[72] == .stale)
        host.settle()
        guard case .saved(let sequence)? = host.finishedWrites[71] else {
            Issue.record("the write was not saved: \(String(describing: host.finishedWrites[71]))")
            return
        }
        #expect(sequence == host.log.records.last?.sequence)
        #expect(host.log.records.last?.author == "ada")
        let next = try host.act { room, _ in try room.editingBasis(of: "main", for: ada) }
        #expect(next.clientID == 2, "one user, one client id")
        #expect(next.copy.owners[2] == "ada")
    }

    @Test func documentsOfServiceAccountsAreTheirsAndThoseTheyLetIn() {
        let room = RoomSpecification(
            id: "h-1", kind: .hosted, visibility: .private, ownerID: "svc", language: "python",
            participants: [],
            createdAtMs: 0, name: "doc")
        let policy = AccessPolicy(specification: room, battleIsOver: false)
        #expect(policy.access(to: "main", for: .user("svc")) == .write)
        #expect(policy.access(to: "state", for: .user("svc")) == nil)
        let writer = RoomCaller(userID: "u", name: "U", of: "svc", sessionID: "k", grant: .write)
        let reader = RoomCaller(userID: "u", name: "U", of: "svc", sessionID: "k", grant: .read)
        #expect(writer.userID == "svc:u" && RoomCaller.publicID(writer.userID) == "u")
        #expect(policy.access(to: "main", for: writer) == .write)
        #expect(policy.access(to: "main", for: reader) == .read)
        #expect(policy.chatDocument(for: writer) == nil)
        for stranger in [RoomCaller.user("ann"), .user(""), .anonymous] {
            #expect(!policy.maySee(stranger))
            #expect(policy.access(to: "main", for: stranger) == DocumentAccess.none)
        }
    }

    @Test func writesByHTTPAreCheckedAsThoseOfSockets() throws {
        let ada = RoomCaller(userID: "ada", handle: "ada", sessionID: "s")
        let eve = RoomCaller(userID: "eve", handle: "eve", sessionID: "t")
        let host = try Host(.pair(members: ["ada"]))
        host.settle()
        var lastID: SubscriberID = 100
        func outcome(_ caller: RoomCaller, client: UInt64, document: String = "main") throws
            -> DocumentWriteOutcome?
        {
            let replica = Document(clientID: client)
            let bytes = try #require(
                try replica.update { () throws(EditError) in
                    try replica.getText("t").insert("x", at: 0)
                })
            lastID += 1
            let id = lastID
            let write = DocumentWrite(
                requestID: id, caller: caller, document: document, update: try Update(decodingV1: bytes))
            host.act { room, atMs in room.write(write, atMs: atMs) }
            return host.finishedWrites[id]
        }
        #expect(try outcome(eve, client: 900) == .noSuchDocument)
        #expect(try outcome(ada, client: 901, document: "state") == .refused(.readOnly))
        #expect(try outcome(ada, client: 5) == .refused(.foreignClient))
        guard case .saved = try outcome(ada, client: 902) else {
            Issue.record("an honest write was refused")
            return
        }
    }
}

extension String {
    fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}
