import CRDT
import TestSupport

/// A document as an application has it: roots with types, observers that read all they are told, undo,
/// formatting that is cleaned up. It takes an update from outside and is edited then; nothing of that may trap,
/// and what comes of it must be read back.
final class UsedDocument {
    private static let attributes: [Attributes] = [
        [], [.init("b", true)], [.init("b", nil)], [.init("k", 1), .init("1", "x")],
        [.init("bold", ["a": 1])],
    ]
    private static let words = ["a", "xyz", "😀", "é\n", "漢字"]

    private let document: Document
    private var random: SplitMix64
    private var undo: UndoManager
    private var observations: [Observation] = []
    private var before = Snapshot()

    init(state: [UInt8], collectsGarbage: Bool, seed: UInt64) throws(Complaint) {
        random = SplitMix64(seed: seed)
        let document = Document(clientID: 99, gc: collectsGarbage, cleansFormatting: true)
        self.document = document
        undo = UndoManager([], of: document, captureTimeoutMs: 0, now: { 0 })
        do throws(UpdateError) {
            if !state.isEmpty { try document.applyUpdate(state, limits: .trusted) }
        } catch {
            throw Complaint("the corpus has a state that is refused: \(error)")
        }
        for root in ["t", "m", "a", "x", "text", "map", "array", "xml", ""] + document.rootNames { use(root) }
        observations.append(document.observeUpdates { _, transaction in _ = transaction.deletes })
        observations.append(document.observeUpdatesV2 { _, _ in })
        observations.append(document.observeSubdocuments { event in _ = event.added.map(\.guid) })
    }

    /// Gives a root the type its name says, or any; observes it and lets undo have it.
    private func use(_ root: String) {
        let kinds = ["t": 0, "text": 0, "m": 1, "map": 1, "a": 2, "array": 2, "x": 3, "xml": 3]
        do throws(EditError) {
            switch kinds[root] ?? random.below(4) {
            case 0: watch(try document.getText(root))
            case 1: watch(try document.getMap(root))
            case 2: watch(try document.getArray(root))
            default: watch(try document.getXMLFragment(root))
            }
        } catch { return }
    }

    private func watch(_ type: some SharedType) {
        undo.addToScope(type)
        observations.append(
            type.observeDeep { events in
                events.forEach { event in
                    _ = event.path.count + event.delta.count + event.keys.count + event.keysChanged.count
                    _ = event.target.json
                }
            })
    }

    // MARK: Use

    /// Takes the input, edits and undoes, and reads everything back.
    func run(_ input: [UInt8], isV2: Bool) throws(Complaint) {
        before = document.snapshot()
        do throws(UpdateError) {
            if isV2 {
                try document.applyUpdateV2(input, origin: "net")
            } else {
                try document.applyUpdate(input, origin: "net")
            }
        } catch {
            throw Complaint("taken before, refused now: \(error)")
        }
        for _ in 0..<12 {
            do throws(EditError) { try step() } catch { continue }
        }
        while undo.canUndo { _ = undo.undo() }
        while undo.canRedo { _ = undo.redo() }
        try readBack()
    }

    private func readBack() throws(Complaint) {
        let copies = [Document(clientID: 98, gc: true), Document(clientID: 97, gc: true)]
        do throws(UpdateError) {
            try copies[0].applyUpdate(document.encodeStateAsUpdate(), limits: .trusted)
            try copies[1].applyUpdateV2(document.encodeStateAsUpdateV2(), limits: .trusted)
        } catch {
            throw Complaint("the state of a document in use is refused: \(error)")
        }
        guard !document.hasPending else { return }
        for copy in copies {
            try demand(
                copy.stateVector == document.stateVector, "a document in use read back: another state vector")
        }
    }

    private func step() throws(EditError) {
        let types = all
        guard !types.isEmpty else { return }
        switch random.below(12) {
        case 0: _ = undo.undo()
        case 1: _ = undo.redo()
        case 2: read(random.pick(types))
        default:
            let type = random.pick(types)
            try document.transact { () throws(EditError) in try edit(type) }
        }
    }

    /// Every type of the document, roots first, up to a number.
    private var all: [SharedValue] {
        var found: [SharedValue] = document.rootNames.compactMap { document.sharedType(at: SharedPath($0)) }
        var next = 0
        while next < found.count, found.count < 40 {
            found += children(of: found[next]).filter { $0.type != nil }
            next += 1
        }
        return found
    }

    private func children(of value: SharedValue) -> [SharedValue] {
        switch value {
        case .array(let list): list.elements
        case .xmlFragment(let list): list.elements
        case .xmlElement(let list): list.elements + list.attributes.map(\.value)
        case .map(let map): map.entries.map(\.value)
        case .xmlHook(let map): map.entries.map(\.value)
        case .text(let text): text.attributes.map(\.value)
        case .xmlText(let text): text.attributes.map(\.value)
        case .value, .document: []
        }
    }

    private func read(_ value: SharedValue) {
        _ = value.json
        guard let type = value.type else { return }
        _ = type.path.count + (type.parent == nil ? 0 : 1)
        if case .text(let text) = value {
            _ = text.delta.count + text.authors.count
            _ = text.delta(at: before).count
        }
        for subdocument in document.subdocuments { subdocument.load() }
    }

    // MARK: Edits

    private func edit(_ value: SharedValue) throws(EditError) {
        switch value {
        case .text(let text): try edit(text)
        case .xmlText(let text): try edit(text)
        case .map(let map): try edit(map)
        case .xmlHook(let map): try edit(map)
        case .array(let list): try edit(list)
        case .xmlFragment(let list): try edit(list)
        case .xmlElement(let element):
            if random.chance(1, in: 2) { return try edit(element) }
            try element.setAttribute("c", "v")
            if random.chance(1, in: 2) { try element.removeAttribute("c") }
        case .value, .document: return
        }
    }

    private func edit(_ text: some TextType) throws(EditError) {
        let length = text.length
        let at = random.below(length + 1)
        switch random.below(6) {
        case 0: try text.insert(random.pick(Self.words), at: at)
        case 1: try text.insert(random.pick(Self.words), at: at, attributes: random.pick(Self.attributes))
        case 2: try text.delete(at: at, length: random.below(length - at + 1))
        case 3: try text.format(at: at, length: random.below(8), attributes: random.pick(Self.attributes))
        case 4: _ = try text.insertEmbed(.value(["e": 1]), at: at, attributes: random.pick(Self.attributes))
        default:
            try text.applyDelta([
                .retain(random.below(length + 1), random.pick(Self.attributes)),
                .insert(.text(random.pick(Self.words)), random.pick(Self.attributes)),
                .delete(random.below(4)),
            ])
        }
    }

    private func edit(_ map: some MapType) throws(EditError) {
        let key = random.pick(["k", "k0", "b", "1", ""])
        switch random.below(4) {
        case 0: try map.delete(key)
        case 1: _ = try map.set(key, random.pick([.text, .map, .array, .xmlElement("p")]))
        case 2 where random.chance(1, in: 8): try map.clear()
        default: try map.set(key, .integer(random.below(9)))
        }
    }

    private func edit(_ list: some ListType) throws(EditError) {
        let length = list.length
        let at = random.below(length + 1)
        switch random.below(3) {
        case 0: try list.delete(at: at, length: random.below(min(4, length - at + 1)))
        case 1: _ = try list.insert([random.pick([.text, .xmlText, .xmlElement("p"), .map])], at: at)
        default: _ = try list.insert([.value("x"), .value(.bytes([1])), .value(2)], at: at)
        }
    }
}
