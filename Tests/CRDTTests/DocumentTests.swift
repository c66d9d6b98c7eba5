import CRDT
import TestSupport
import Testing

@Suite struct DocumentTests {
    private let root = SharedPath("t")

    private func type(_ text: String, at position: Int, in document: Document) throws -> [UInt8] {
        try #require(
            try document.edit { (edit) throws(EditError) in
                try edit.insertText(text, at: position, in: SharedPath("t"))
            })
    }

    @Test func readinessLooksAhead() throws {
        let writer = Document(clientID: 9)
        let first = try Update(decodingV1: try type("ab", at: 0, in: writer))
        let second = try Update(decodingV1: try type("c", at: 2, in: writer))
        let other = Document(clientID: 10)
        other.apply(first)
        other.apply(second)
        let third = try Update(decodingV1: try type("d", at: 3, in: other))

        let server = Document(clientID: 0)
        #expect(server.readiness(of: first) == .ready)
        #expect(server.readiness(of: second) == .missing([9: 2]))
        #expect(server.readiness(of: third) == .missing([9: 3]))
        #expect(server.readiness(of: second, beyond: StateVector([9: 2])) == .ready)
        #expect(server.newRanges(of: second, beyond: StateVector([9: 2])).map(\.client) == [9])
        #expect(server.newRanges(of: first, beyond: StateVector([9: 2])).isEmpty)
        #expect(server.readiness(of: Update.merge([third, second, first])) == .ready)
        #expect(!server.hasPending && server.blockCount == 0)
        server.apply(third)
        #expect(server.hasPending && server.pendingOn == [9: 0])
        server.apply(Update.merge([first, second]))
        #expect(!server.hasPending)
        #expect(server.text("t") == "abcd")
        #expect(server.readiness(of: first) == .redundant)
        #expect(server.readiness(of: .empty) == .redundant)
        #expect(server.readiness(of: try Update(decodingV1: bytes("000109010009"))) == .missing([9: 9]))
    }

    /// Structs that wait for each other can never be applied.
    @Test func circularDependenciesAreMissing() throws {
        // Client 1 clock 0 has origin (2, 0), client 2 clock 0 has origin (1, 0).
        let update = try Update(decodingV1: bytes("020102008401000161" + "010100840200016200"))
        let document = Document(clientID: 0)
        guard case .missing = document.readiness(of: update) else {
            Issue.record("a circle is ready")
            return
        }
        document.apply(update)
        #expect(document.hasPending && document.text("t").isEmpty)
        #expect(document.encodeStateVector() == [0])
    }

    @Test func editsByPosition() throws {
        var random = SeededRandom(testSeed)
        let document = Document(clientID: 3)
        let mirror = Document(clientID: 4)
        var model: [UInt16] = []
        for step in 0..<3000 * testScale {
            let position = random.below(model.count + 1)
            let length = random.below(3) == 0 ? random.below(min(6, model.count - position) + 1) : 0
            let text = random.below(4) == 0 ? "" : ["a", "xyz", "é", "漢字"][random.below(4)]
            let update = try document.edit { (edit) throws(EditError) in
                try edit.delete(at: position, length: length, in: root)
                try edit.insertText(text, at: position, in: root)
            }
            model.replaceSubrange(position..<position + length, with: Array(text.utf16))
            if let update { try mirror.applyUpdate(update) }
            if step % 50 == 0 {
                let expected = String(decoding: model, as: UTF16.self)
                #expect(document.text("t") == expected, "\(rerun(testSeed, "DocumentTests"))")
                #expect(mirror.text("t") == expected, "\(rerun(testSeed, "DocumentTests"))")
                #expect(document.length("t") == model.count)
            }
        }
        #expect(mirror.encodeStateAsUpdate() == document.encodeStateAsUpdate())
    }

    @Test func editsOutOfRange() throws {
        let document = Document(clientID: 3)
        _ = try type("abc", at: 0, in: document)
        let before = document.encodeStateAsUpdate()
        for (position, length) in [(-1, 1), (3, 1), (0, 4), (2, Int.max), (Int.max, 1)] {
            #expect(throws: EditError(.outOfRange)) {
                try document.edit { (edit) throws(EditError) in
                    try edit.delete(at: position, length: length, in: root)
                }
            }
        }
        for position in [-1, 4, Int.max] {
            #expect(throws: EditError(.outOfRange)) {
                try document.edit { (edit) throws(EditError) in
                    try edit.insertText("x", at: position, in: root)
                }
            }
        }
        #expect(throws: EditError(.noSuchType)) {
            try document.edit { (edit) throws(EditError) in
                try edit.insertText("x", at: 0, in: SharedPath("m").key("none"))
            }
        }
        #expect(document.encodeStateAsUpdate() == before)
        #expect(try document.edit { (edit) throws(EditError) in } == nil)
    }

    @Test func keysAreComparedAsBytes() throws {
        let document = Document(clientID: 3)
        _ = try document.edit { (edit) throws(EditError) in
            try edit.set("\u{e9}", to: 1, in: SharedPath("m"))
            try edit.set("e\u{301}", to: 2, in: SharedPath("m"))
        }
        #expect(document.mapEntries("m").count == 2)
        #expect(document.mapValue("m", "\u{e9}") == 1)
        #expect(document.mapValue("m", "e\u{301}") == 2)
    }

    /// A client whose blocks fill several chunks, deleted from the back so that every cut is at the front.
    @Test func manyBlocks() throws {
        let count = 20_000
        let writer = Document(clientID: 3)
        _ = try type(String(repeating: "ab", count: count), at: 0, in: writer)
        let state = writer.encodeStateAsUpdate()
        let document = Document(clientID: 4)
        try document.applyUpdate(state)
        for clock in stride(from: count * 2 - 2, through: 0, by: -2) {
            let update = Update.deletion(client: 3, clock: UInt64(clock))
            try document.applyUpdate(update)
        }
        #expect(document.text("t") == String(repeating: "b", count: count))
        #expect(document.blockCount == 2 * count)
        let copy = Document(clientID: 5)
        try copy.applyUpdate(document.encodeStateAsUpdate())
        #expect(copy.text("t") == document.text("t"))
        #expect(copy.encodeStateAsUpdate() == document.encodeStateAsUpdate())
        try document.applyUpdate(Update.deletion(client: 3, clock: 0, length: UInt64(count * 2)))
        #expect(document.blockCount == 1)
    }

    /// Two runs that grow in turn: joining must not copy them each time.
    @Test func interleavedGrowth() throws {
        let document = Document(clientID: 3)
        for step in 0..<5000 {
            _ = try document.edit { (edit) throws(EditError) in
                try edit.insert([.integer(step)], at: step, in: SharedPath("a"))
            }
            let other = Update.insertion(client: 4, clock: step, root: "b")
            try document.applyUpdate(other)
        }
        #expect(document.array("a").count == 5000 && document.text("b").count == 5000)
        #expect(document.blockCount == 2)
        #expect(document.byteSize < 200_000)
    }
}

extension Update {
    fileprivate static func varUint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var out: [UInt8] = []
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    fileprivate static func deletion(client: UInt8, clock: UInt64, length: UInt64 = 1) -> [UInt8] {
        [0, 1, client, 1] + varUint(clock) + varUint(length)
    }

    /// One character behind the last of the client's.
    fileprivate static func insertion(client: UInt8, clock: Int, root: String) -> [UInt8] {
        let head = [1, 1, client] + varUint(UInt64(clock))
        if clock == 0 { return head + [4, 1, UInt8(root.utf8.count)] + Array(root.utf8) + [1, 0x78, 0] }
        return head + [0x84, client] + varUint(UInt64(clock - 1)) + [1, 0x78, 0]
    }
}
