import CRDT
import Testing

/// The undo manager; the bytes were taken down from Yjs 13.6.31.
@Suite struct UndoTests {
    private final class Clock {
        var ms: Int64 = 1_000
    }

    private func manager(
        _ scope: [any SharedType], _ document: Document, _ clock: Clock = Clock(), timeout: Int64 = 0
    ) -> UndoManager {
        UndoManager(scope, of: document, captureTimeoutMs: timeout, now: { clock.ms })
    }

    @Test func undoAndRedoHaveTheBytesOfYjs() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        let undo = manager([text], document)
        try text.insert("ab", at: 0)
        #expect(undo.undo() != nil)
        #expect(hex(document.encodeStateAsUpdate()) == "01010100040101740261620101010002")
        #expect(undo.redo() != nil)
        #expect(hex(document.encodeStateAsUpdate()) == "01020100040101740261624401000261620101010002")
        #expect(text.string == "ab")
    }

    @Test func editsCloseInTimeAreOneStep() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        let clock = Clock()
        let undo = manager([text], document, clock, timeout: 500)
        try text.insert("a", at: 0)
        clock.ms += 400
        try text.insert("b", at: 1)
        clock.ms += 600
        try text.insert("c", at: 2)
        undo.undo()
        #expect(text.string == "ab")
        undo.undo()
        #expect(text.string == "" && !undo.canUndo)
        undo.redo()
        undo.redo()
        #expect(text.string == "abc" && !undo.canRedo)
        undo.stopCapturing()
        try text.insert("d", at: 3)
        undo.undo()
        #expect(text.string == "abc")
    }

    @Test func othersEditsStay() throws {
        let documents = [Document(clientID: 1), Document(clientID: 2)]
        let texts = try documents.map { document throws(EditError) in try document.getText("t") }
        let undo = manager([texts[0]], documents[0])
        func exchange() throws {
            try documents[1].applyUpdate(documents[0].encodeStateAsUpdate())
            try documents[0].applyUpdate(documents[1].encodeStateAsUpdate(), origin: "net")
        }
        try texts[0].insert("mine", at: 0)
        try exchange()
        try texts[1].insert("theirs", at: 2)
        try exchange()
        undo.undo()
        #expect(texts[0].string == "theirs")
        undo.redo()
        #expect(texts[0].string == "mitheirsne")
        try exchange()
        #expect(texts[1].string == "mitheirsne")
        #expect(documents[0].stateVector == documents[1].stateVector)
    }

    @Test func deletedTypesComeBackWithTheirContent() throws {
        let document = Document(clientID: 1)
        let map = try document.getMap("m")
        guard case .array(let list)? = try map.set("list", .array),
            case .text(let text)? = try list.push([.text]).last
        else { return }
        try text.insert("deep", at: 0)
        let undo = manager([map], document)
        try map.delete("list")
        #expect(map.json.json == "{}")
        undo.undo()
        #expect(map.json.json == #"{"list":["deep"]}"#)
        undo.redo()
        #expect(map.json.json == "{}")
        undo.undo()
        #expect(map.json.json == #"{"list":["deep"]}"#)
        undo.clear()
        #expect(!undo.canUndo && !undo.canRedo)
    }

    @Test func onlyTrackedOriginsAndScopes() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        let other = try document.getText("other")
        let undo = UndoManager(
            [text], of: document, captureTimeoutMs: 0, trackedOrigins: ["tracked"], now: { 0 })
        try text.insert("a", at: 0)
        document.transact(origin: "tracked") { try? other.insert("b", at: 0) }
        #expect(!undo.canUndo)
        var events: [String] = []
        _ = undo.observe { event in
            switch event {
            case .added(let item, let kind, _):
                item.meta["cursor"] = 1
                events.append("added \(kind)")
            case .updated: events.append("updated")
            case .popped(let item, let kind): events.append("popped \(kind) \(item.meta["cursor"] ?? "-")")
            case .cleared: events.append("cleared")
            }
        }
        document.transact(origin: "tracked") { try? text.insert("c", at: 1) }
        undo.undo()
        #expect(text.string == "a")
        #expect(events == ["added undo", "added redo", "popped undo 1"])
    }

    @Test func relativePositionsFollow() throws {
        let document = Document(clientID: 1)
        let text = try document.getText("t")
        let undo = manager([text], document)
        try text.insert("abc", at: 0)
        let position = try document.relativePosition(in: SharedPath("t"), at: 1)
        undo.stopCapturing()
        try text.delete(at: 0, length: 3)
        #expect(document.absolutePosition(of: position)?.index == 0)
        undo.undo()
        try text.insert("xx", at: 0)
        #expect(document.absolutePosition(of: position)?.index == 3)
    }

    @Test func aValueSetByOthersStays() throws {
        let documents = [Document(clientID: 1), Document(clientID: 2)]
        let maps = try documents.map { document throws(EditError) in try document.getMap("m") }
        let undo = manager([maps[0]], documents[0])
        try maps[0].set("k", 1)
        try maps[0].set("k", 2)
        try documents[1].applyUpdate(documents[0].encodeStateAsUpdate())
        try maps[1].set("k", "theirs")
        try documents[0].applyUpdate(documents[1].encodeStateAsUpdate(), origin: "net")
        undo.undo()
        #expect(maps[0]["k"]?.json == "theirs")
    }
}
