import CRDT
import TestSupport
import Testing

/// Plans of server-written changes.
@Suite struct PlannedEditTests {
    private func applied(_ edits: [PlannedEdit], to document: Document, as client: ClientID = 1) throws
        -> [UInt8]
    {
        let before = document.encodeStateAsUpdate()
        let update = try #require(document.plan(edits, as: client))
        #expect(document.encodeStateAsUpdate() == before, "planning changes nothing")
        let decoded = try Update(decodingV1: update)
        #expect(document.readiness(of: decoded) == .ready)
        #expect(document.newRanges(of: decoded).allSatisfy { $0.client == client })
        #expect(document.apply(decoded))
        return update
    }

    @Test func mapEdits() throws {
        let document = Document(clientID: 5)
        _ = try applied([.set(root: "room", key: "phase", value: "waiting")], to: document)
        _ = try applied(
            [
                .set(root: "room", key: "phase", value: "running"),
                .set(root: "room", key: "phase", value: "finished"),
                .set(root: "room", key: "winner", value: nil), .removeKey(root: "room", key: "none"),
                .set(root: "room", key: "bytes", value: .bytes([1, 2])),
            ], to: document)
        #expect(document.mapValue("room", "phase") == "finished")
        #expect(document.mapValue("room", "winner") == .null)
        #expect(document.mapValue("room", "bytes") == .bytes([1, 2]))
        _ = try applied([.removeKey(root: "room", key: "phase")], to: document)
        #expect(document.mapValue("room", "phase") == nil)
        #expect(document.kindInMap("room", "phase") == .absent)
        #expect(document.plan([.removeKey(root: "room", key: "phase")], as: 1) == nil)
        #expect(Set(document.mapKeys("room")) == ["winner", "bytes"])
    }

    @Test func sameBytesAsALocalEdit() throws {
        let planned = Document(clientID: 5)
        let local = Document(clientID: 1)
        for (value, text) in [("a", "x"), ("b", "y")] as [(Value, Value)] {
            let update = try applied(
                [.set(root: "m", key: "k", value: value), .append(root: "a", values: [text])], to: planned)
            let made = try local.edit { (edit) throws(EditError) in
                try edit.set("k", to: value, in: SharedPath("m"))
                try edit.insert([text], at: local.arrayCount("a"), in: SharedPath("a"))
            }
            #expect(update == made)
        }
        #expect(planned.encodeStateAsUpdate() == local.encodeStateAsUpdate())
    }

    @Test func textsForFiles() throws {
        let document = Document(clientID: 5)
        let update = try applied([.setText(root: "files", key: "main.py")], to: document)
        #expect(document.kindInMap("files", "main.py") == .text)
        #expect(document.textInMap("files", "main.py") == "")
        let writer = Document(clientID: 77)
        try writer.applyUpdate(update)
        let typed = try writer.edit { (edit) throws(EditError) in
            try edit.insertText("print(1)\n", at: 0, in: SharedPath("files").key("main.py"))
        }
        try document.applyUpdate(try #require(typed))
        #expect(document.textInMap("files", "main.py") == "print(1)\n")
        #expect(document.textInMap("files", "other") == nil)
    }

    @Test func arrayEdits() throws {
        let document = Document(clientID: 5)
        _ = try applied([.append(root: "a", values: [1, 2]), .append(root: "a", values: [3])], to: document)
        _ = try applied(
            [
                .replace(root: "a", index: 1, value: "two"), .replace(root: "a", index: 1, value: "zwei"),
                .append(root: "a", values: [4]), .removeFirst(root: "a", count: 1),
                .replace(root: "a", index: 2, value: "vier"),
            ], to: document)
        #expect(document.array("a") == ["zwei", 3, "vier"])
        #expect(document.plan([.replace(root: "a", index: 3, value: 0)], as: 1) == nil)
        _ = try applied([.removeFirst(root: "a", count: 99)], to: document)
        #expect(document.array("a").isEmpty && document.arrayCount("a") == 0)
        _ = try applied([.append(root: "a", values: ["again"])], to: document)
        #expect(document.array("a") == ["again"])
    }

    /// Long random histories of plans against a plain model.
    @Test func randomPlans() throws {
        var random = SeededRandom(testSeed)
        let document = Document(clientID: 5)
        let copy = Document(clientID: 6)
        var list: [Value] = []
        var map: [String: Value] = [:]
        for step in 0..<800 * testScale {
            var edits: [PlannedEdit] = []
            for _ in 0...random.below(4) {
                switch random.below(6) {
                case 0:
                    let key = "k\(random.below(3))"
                    edits.append(.set(root: "m", key: key, value: .integer(step)))
                    map[key] = .integer(step)
                case 1:
                    let key = "k\(random.below(3))"
                    edits.append(.removeKey(root: "m", key: key))
                    map[key] = nil
                case 2 where !list.isEmpty:
                    let index = random.below(list.count)
                    edits.append(.replace(root: "a", index: index, value: .integer(-step)))
                    list[index] = .integer(-step)
                case 3 where random.below(4) == 0:
                    edits.append(.removeFirst(root: "a", count: 2))
                    list.removeFirst(min(2, list.count))
                default:
                    edits.append(.append(root: "a", values: [.integer(step), "s"]))
                    list += [.integer(step), "s"]
                }
            }
            guard let update = document.plan(edits, as: 1) else { continue }
            try document.applyUpdate(update)
            try copy.applyUpdate(update)
            #expect(document.array("a") == list, "step \(step); \(rerun(testSeed, "PlannedEditTests"))")
            #expect(document.map("m") == map, "step \(step); \(rerun(testSeed, "PlannedEditTests"))")
        }
        #expect(copy.encodeStateAsUpdate() == document.encodeStateAsUpdate())
    }
}
