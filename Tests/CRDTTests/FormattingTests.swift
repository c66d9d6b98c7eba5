import CRDT
import Testing

/// Local edits of formatted text; the bytes were taken down from Yjs 13.6.31.
@Suite struct FormattingTests {
    private func delta(_ text: SharedText) -> String { Self.json(text.delta) }

    static func json(_ delta: [DeltaOperation]) -> String {
        Value.array(
            delta.map { operation in
                var entries: [Value.Entry] = []
                var attributes: Attributes = []
                switch operation {
                case .insert(let insertion, let given):
                    attributes = given
                    switch insertion {
                    case .text(let text): entries.append(Value.Entry("insert", .string(text)))
                    case .embed(let value): entries.append(Value.Entry("insert", value))
                    case .type(let type): entries.append(Value.Entry("insert", type.json))
                    case .values(let values):
                        entries.append(Value.Entry("insert", .array(values.map(\.json))))
                    }
                case .retain(let length, let given):
                    attributes = given
                    entries.append(Value.Entry("retain", .integer(length)))
                case .delete(let length): entries.append(Value.Entry("delete", .integer(length)))
                }
                if !attributes.isEmpty { entries.append(Value.Entry("attributes", .object(attributes))) }
                return .object(entries)
            }
        ).json
    }

    private static let bold: Attributes = [Value.Entry("bold", true)]

    @Test func formattingHasTheBytesOfYjs() throws {
        let document = Document(clientID: 4)
        let text = try document.getText("t")
        try text.insert("ab", at: 0)
        try text.format(at: 0, length: 1, attributes: [Value.Entry("b", true)])
        #expect(
            hex(document.encodeStateAsUpdate())
                == "01040400040101740161840400016246040001620474727565c6040004010162046e756c6c00")
    }

    @Test func insertingInheritsUnlessTold() throws {
        let text = try Document(clientID: 1).getText("t")
        try text.insert("ad", at: 0, attributes: Self.bold)
        try text.insert("b", at: 1)
        try text.insert("c", at: 2, attributes: [])
        #expect(
            delta(text)
                == #"[{"insert":"ab","attributes":{"bold":true}},{"insert":"c"},"#
                + #"{"insert":"d","attributes":{"bold":true}}]"#)
        #expect(text.string == "abcd" && text.length == 4)
    }

    @Test func deltasAreApplied() throws {
        let text = try Document(clientID: 1).getText("t")
        try text.applyDelta([.insert(.text("hello"), Self.bold), .insert(.embed(["image": "x"]), [])])
        try text.applyDelta([
            .retain(1, [Value.Entry("bold", .null)]), .delete(2), .insert(.text("L"), []), .retain(1, []),
        ])
        #expect(
            delta(text)
                == #"[{"insert":"h"},{"insert":"L"},{"insert":"lo","attributes":{"bold":true}},"#
                + #"{"insert":{"image":"x"}}]"#)
        let copy = try Document(clientID: 2).getText("t")
        try copy.applyDelta(text.delta)
        #expect(copy.string == text.string)
    }

    @Test func formattingBeyondTheEndPutsNewlines() throws {
        let text = try Document(clientID: 1).getText("t")
        try text.format(at: 0, length: 3, attributes: Self.bold)
        #expect(text.length == 0)
        try text.insert("a", at: 0)
        try text.format(at: 0, length: 3, attributes: Self.bold)
        #expect(text.string == "a\n\n")
        #expect(throws: EditError(.outOfRange)) {
            try text.format(at: 0, length: Int.max, attributes: Self.bold)
        }
    }

    @Test func deletingTakesUselessFormattingAlong() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        try text.insert("abc", at: 0)
        try text.format(at: 1, length: 1, attributes: Self.bold)
        try text.delete(at: 1, length: 1)
        #expect(delta(text) == #"[{"insert":"ac"}]"#)
        // Nothing but the three letters and what is left of the format items.
        #expect(document.snapshot().deletes.map { $0.to - $0.from } == [1, 2])
    }

    @Test func embeddedTypesAreFilled() throws {
        let text = try Document(clientID: 1).getText("t")
        try text.insert("ab", at: 0)
        let inserted = try text.insertEmbed(.map, at: 1)
        guard case .map(let map)? = inserted else {
            Issue.record("no map")
            return
        }
        try map.set("k", 1)
        #expect(delta(text) == #"[{"insert":"a"},{"insert":{"k":1}},{"insert":"b"}]"#)
    }

    @Test func concurrentFormattingIsCleanedUpWhereAsked() throws {
        func formatted(_ cleans: Bool) throws -> Int {
            let first = Document(clientID: 1, cleansFormatting: cleans)
            let second = Document(clientID: 2, cleansFormatting: cleans)
            let texts = [try first.getText("t"), try second.getText("t")]
            try texts[0].insert("abc", at: 0)
            try second.applyUpdate(first.encodeStateAsUpdate())
            for text in texts { try text.format(at: 0, length: 3, attributes: Self.bold) }
            let states = [first.encodeStateAsUpdate(), second.encodeStateAsUpdate()]
            try first.applyUpdate(states[1])
            try second.applyUpdate(states[0])
            #expect(delta(texts[0]) == delta(texts[1]))
            #expect(delta(texts[0]) == #"[{"insert":"abc","attributes":{"bold":true}}]"#)
            return first.snapshot().deletes.count
        }
        #expect(try formatted(false) == 0)
        #expect(try formatted(true) > 0)
    }

    @Test func authorsOfRanges() throws {
        let first = Document(clientID: 1)
        let second = Document(clientID: 2)
        let texts = [try first.getText("t"), try second.getText("t")]
        try texts[0].insert("aaaa", at: 0)
        try second.applyUpdate(first.encodeStateAsUpdate())
        try texts[1].insert("b", at: 2)
        #expect(
            texts[1].authors == [
                AuthoredRange(offset: 0, length: 2, client: 1),
                AuthoredRange(offset: 2, length: 1, client: 2),
                AuthoredRange(offset: 3, length: 2, client: 1),
            ])
    }

    @Test func deltasThroughSnapshots() throws {
        let document = Document(clientID: 1, gc: false)
        let text = try document.getText("t")
        try text.insert("hello world", at: 0)
        let first = document.snapshot()
        try text.delete(at: 0, length: 6)
        try text.insert("new ", at: 0, attributes: Self.bold)
        let second = document.snapshot()
        try text.insert("XX", at: 4)
        #expect(Self.json(text.delta(at: first)) == #"[{"insert":"hello world"}]"#)
        #expect(
            Self.json(text.delta(at: second))
                == #"[{"insert":"new ","attributes":{"bold":true}},{"insert":"world"}]"#)
        let removed = #"{"insert":"hello ","attributes":{"ychange":{"type":"removed"}}}"#
        let added = #"{"insert":"new ","attributes":{"ychange":{"type":"added"},"bold":true}}"#
        #expect(
            Self.json(text.delta(at: second, since: first)) == "[\(removed),\(added),{\"insert\":\"world\"}]")
        #expect(
            Self.json(text.delta(at: nil, since: first))
                == #"[{"insert":"hello "},{"insert":"new ","attributes":{"bold":true,"ychange":{"type":"added"}}},"#
                + #"{"insert":"XX","attributes":{"bold":true,"ychange":{"type":"added"}}},{"insert":"world"}]"#
        )
    }
}
