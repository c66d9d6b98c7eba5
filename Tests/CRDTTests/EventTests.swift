import CRDT
import Testing

/// What observers hear.
@Suite struct EventTests {
    /// What one observer heard, as text.
    private final class Notes {
        var lines: [String] = []
    }

    private func describe(_ event: borrowing TypeEvent) -> String {
        let path = event.path.map { step in
            switch step {
            case .key(let key): key
            case .index(let index): String(index)
            }
        }
        let keys = event.keys.map { "\($0.key) \($0.action) \($0.oldValue?.json.json ?? "-")" }
        return "/\(path.joined(separator: "/")) \(FormattingTests.json(event.delta)) \(keys)"
    }

    @Test func textEvents() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        let notes = Notes()
        let observation = text.observe { notes.lines.append(describe($0)) }
        try text.insert("hello", at: 0)
        try text.format(at: 1, length: 2, attributes: [Value.Entry("b", true)])
        try text.delete(at: 0, length: 1)
        document.transact {
            try? text.insert("x", at: 0)
            try? text.delete(at: 0, length: 1)
        }
        observation.cancel()
        try text.insert("unheard", at: 0)
        #expect(
            notes.lines == [
                #"/ [{"insert":"hello"}] []"#,
                #"/ [{"retain":1},{"retain":2,"attributes":{"b":true}}] []"#,
                #"/ [{"delete":1}] []"#, "/ [] []",
            ])
    }

    @Test func keysAndOldValues() throws {
        let document = Document(clientID: 1)
        let map = try document.getMap("m")
        let notes = Notes()
        _ = map.observe { notes.lines.append("\($0.keysChanged) \(describe($0))") }
        try map.set("a", 1)
        try map.set("a", 2)
        try map.delete("a")
        document.transact {
            try? map.set("b", 1)
            try? map.delete("b")
            _ = try? map.set("c", .map)
        }
        #expect(
            notes.lines == [
                #"["a"] / [] ["a add -"]"#, #"["a"] / [] ["a update 1"]"#, #"["a"] / [] ["a delete 2"]"#,
                #"["b", "c"] / [] ["c add -"]"#,
            ])
    }

    @Test func deepEventsComeOutermostFirst() throws {
        let document = Document(clientID: 1)
        let map = try document.getMap("m")
        guard case .array(let list)? = try map.set("list", .array),
            case .map(let inner)? = try list.insert([.value(0), .map], at: 0).last
        else {
            Issue.record("no types")
            return
        }
        let notes = Notes()
        _ = map.observeDeep { events in
            notes.lines.append("\(events.count) of \(events.transaction.origin as? String ?? "nobody")")
            events.forEach { notes.lines.append(describe($0)) }
        }
        document.transact(origin: "me") {
            try? inner.set("x", 1 as Value)
            try? list.insert(values: ["first"], at: 0)
            try? map.set("k", true as Value)
        }
        #expect(
            notes.lines == [
                "3 of me", #"/ [] ["k add -"]"#, #"/list [{"insert":["first"]}] []"#,
                #"/list/2 [] ["x add -"]"#,
            ])
    }

    @Test func newAndDeletedTypesFireNothing() throws {
        let document = Document(clientID: 1)
        let map = try document.getMap("m")
        guard case .text(let text)? = try map.set("text", .text) else { return }
        let notes = Notes()
        _ = text.observe { notes.lines.append("text \(describe($0))") }
        _ = map.observe { notes.lines.append("map \(describe($0))") }
        document.transact {
            try? text.insert("gone", at: 0)
            try? map.delete("text")
            if case .array(let new)? = try? map.set("new", .array) { try? new.insert(values: [1], at: 0) }
        }
        #expect(notes.lines == [#"map / [] ["text delete \"\"", "new add -"]"#])
        #expect(text.isDeleted && text.string == "")
        #expect(throws: EditError(.noSuchType)) { try text.insert("x", at: 0) }
    }

    /// Transactions that observers make are cleaned up after the one that caused them, and each update holds
    /// everything since its transaction began.
    @Test func observersMayEdit() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        let mirror = Document(clientID: 2)
        var updates: [[UInt8]] = []
        _ = document.observeUpdates { update, _ in updates.append(update) }
        _ = text.observe { event in
            if text.length < 4 { try? text.insert("!", at: text.length) }
        }
        try text.insert("a", at: 0)
        #expect(text.string == "a!!!")
        #expect(updates.count == 4)
        for update in updates { try mirror.applyUpdate(update) }
        #expect(mirror.text("t") == "a!!!")
        #expect(mirror.encodeStateAsUpdate() == document.encodeStateAsUpdate())
    }

    @Test func updatesAreMadeOncePerTransaction() throws {
        let document = Document(clientID: 1)
        var heard: [(size: Int, origin: String?, isLocal: Bool)] = []
        _ = document.observeUpdates { update, transaction in
            heard.append((update.count, transaction.origin as? String, transaction.isLocal))
        }
        var v2 = 0
        _ = document.observeUpdatesV2 { update, _ in v2 += update.isEmpty ? 0 : 1 }
        let made = try document.update(origin: "o") { () throws(EditError) in
            try document.getText("t").insert("a", at: 0)
            document.transact(origin: "inner") { try? document.getMap("m").set("k", 1) }
        }
        #expect(heard.map(\.size) == [made?.count ?? 0])
        #expect(heard[0].origin == "o" && heard[0].isLocal)
        let other = Document(clientID: 2)
        _ = other.observeUpdates { _, transaction in heard.append((0, nil, transaction.isLocal)) }
        try other.applyUpdate(made ?? [], origin: "net")
        try other.applyUpdate(made ?? [], origin: "net")
        #expect(heard.count == 2 && heard[1].isLocal == false && v2 == 1)
        #expect(document.update {} == nil)
    }

    @Test func rootsKeepTheirType() throws {
        let document = Document(clientID: 1)
        _ = try document.getText("t")
        #expect(throws: EditError(.wrongType)) { try document.getMap("t") }
        #expect(try document.getText("t") == document.getText("t"))
    }

    @Test func aTakenClientIDIsLeft() throws {
        let document = Document(clientID: 1)
        document.makeClientID = { 77 }
        let other = Document(clientID: 1)
        try other.getText("t").insert("x", at: 0)
        try document.applyUpdate(other.encodeStateAsUpdate())
        #expect(document.clientID == 77)
    }
}
