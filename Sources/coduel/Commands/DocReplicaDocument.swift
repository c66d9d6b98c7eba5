import CRDT

/// One document of the replica protocol, with who watches it and what it announced.
final class ReplicaDocument {
    let document: Document
    var log: [Value] = []
    private var observations: [String: Observation] = [:]
    private(set) var managers: [(name: String, manager: UndoManager)] = []

    init(_ document: Document) {
        self.document = document
        listen()
    }

    /// Gives a root its kind.
    func type(_ root: String, _ kind: String) throws {
        switch kind {
        case "text": _ = try document.getText(root)
        case "map": _ = try document.getMap(root)
        case "array": _ = try document.getArray(root)
        case "fragment": _ = try document.getXMLFragment(root)
        case "element": _ = try document.getXMLElement(root)
        case "xmltext": _ = try document.getXMLText(root)
        default: throw ReplicaError("no kind \(kind)")
        }
    }

    private func listen() {
        _ = document.observeAfterTransaction { [unowned self] in noteEnd(of: $0) }
        _ = document.observeUpdates { [unowned self] in
            log.append(["update", 1, .string(Hex.text($0)), origin($1)])
        }
        _ = document.observeUpdatesV2 { [unowned self] in
            log.append(["update", 2, .string(Hex.text($0)), origin($1)])
        }
        _ = document.observeSubdocuments { [unowned self] event in
            func guids(_ documents: [Document]) -> Value { .array(documents.map { .string($0.guid) }) }
            log.append(["subdocs", guids(event.added), guids(event.loaded), guids(event.removed)])
        }
    }

    private func noteEnd(of transaction: Transaction) {
        let grown = transaction.grownFrom.sorted { $0.key < $1.key }
        let deletes = transaction.deletes
        if grown.isEmpty && deletes.isEmpty { return }
        let clocks: [Value] = grown.map { [.number(Double($0.key)), .number(Double($0.value))] }
        log.append([
            "after", origin(transaction), .bool(transaction.isLocal), .array(clocks),
            ReplicaCoding.ranges(deletes),
        ])
    }

    private func origin(_ transaction: Transaction) -> Value {
        guard let origin = transaction.origin else { return .null }
        if let name = origin.base as? String { return .string(name) }
        for (name, manager) in managers where origin == AnyHashable(ObjectIdentifier(manager)) {
            return ["$": "undo", "name": .string(name)]
        }
        return .null
    }

    // MARK: Observers

    /// Watches a type; `then` is performed once, within the observer.
    func observe(_ request: Value) -> Bool {
        guard let name = request["name"]?.string,
            let type = ReplicaEdit.resolve(request["path"]?.array ?? [], in: document)?.type
        else { return false }
        let read = Set((request["read"]?.array ?? []).compactMap(\.string))
        var edits = request["then"]?.array
        func react() {
            guard let once = edits else { return }
            edits = nil
            // A refused edit shows in what the document then holds.
            _ = try? document.transact(origin: "observer") { try ReplicaEdit.perform(once, in: document) }
        }
        let observation: Observation
        if request["deep"]?.bool ?? false {
            observation = type.observeDeep { [unowned self] events in
                var all: [Value] = []
                events.forEach { all.append(Self.described($0, read)) }
                log.append(["deep", .string(name), .array(all)])
                react()
            }
        } else {
            observation = type.observe { [unowned self] event in
                log.append(["event", .string(name), Self.described(event, read)])
                react()
            }
        }
        observations[name] = observation
        return true
    }

    func unobserve(_ name: String) { observations.removeValue(forKey: name)?.cancel() }

    private static func described(_ event: borrowing TypeEvent, _ read: Set<String>) -> Value {
        let target = event.target
        var entries = [
            Value.Entry("target", .string(ReplicaCoding.name(of: target.type?.id))),
            Value.Entry("path", .array(event.path.map { coded($0) })),
        ]
        switch target {
        case .map, .xmlHook, .array: break
        default: entries.append(Value.Entry("list", .bool(event.isListChanged)))
        }
        if case .array = target {
        } else {
            entries.append(Value.Entry("changed", .array(event.keysChanged.map { .string($0) })))
        }
        if read.contains("keys") {
            entries.append(Value.Entry("keys", .array(event.keys.map { coded($0) })))
        }
        if read.contains("delta") {
            let operations = event.delta.map { ReplicaCoding.operation($0) }
            entries.append(Value.Entry("delta", .array(operations)))
        }
        return .object(entries)
    }

    private static func coded(_ step: PathStep) -> Value {
        switch step {
        case .key(let key): .string(key)
        case .index(let index): .integer(index)
        }
    }

    private static func coded(_ change: KeyChange) -> Value {
        let old = change.oldValue.map { ReplicaCoding.coded($0) } ?? ReplicaCoding.coded(.undefined)
        return [.string(change.key), .string(change.action.rawValue), old]
    }

    // MARK: Undo managers

    /// Makes an undo manager, in the place of one of the same name.
    func manage(_ request: Value, now: @escaping () -> Int64) -> Bool {
        let types = (request["scope"]?.array ?? []).compactMap {
            ReplicaEdit.resolve($0.array ?? [], in: document)?.type
        }
        guard let name = request["name"]?.string, !types.isEmpty else { return false }
        let tracked = (request["tracked"]?.array ?? []).map { $0.string.map { AnyHashable($0) } }
        let manager = UndoManager(
            types, of: document, captureTimeoutMs: Int64(request["timeout"]?.integer ?? 500),
            trackedOrigins: Set(tracked), ignoresRemoteMapChanges: request["ignoreRemote"]?.bool ?? false,
            now: now)
        if let ignored = request["ignores"]?.string {
            manager.captures = { $0.origin != AnyHashable(ignored) }
        }
        if let spared = request["spares"]?.string {
            manager.deletes = { ReplicaCoding.kind(of: $0) != spared }
        }
        if let place = managers.firstIndex(where: { $0.name == name }) {
            managers[place].manager.destroy()
            managers[place].manager = manager
        } else {
            managers.append((name, manager))
        }
        _ = manager.observe { [unowned self] in note($0, of: name) }
        return true
    }

    func manager(_ name: String) -> UndoManager? { managers.first { $0.name == name }?.manager }

    private func note(_ event: UndoEvent, of name: String) {
        func entry(_ what: String, _ item: StackItem, _ kind: UndoEvent.Kind) -> Value {
            ["stack", .string(what), .string(name), kind == .undo ? "undo" : "redo", Self.coded(item)]
        }
        switch event {
        case .added(let item, let kind, _): log.append(entry("added", item, kind))
        case .updated(let item, let kind, _): log.append(entry("updated", item, kind))
        case .popped(let item, let kind): log.append(entry("popped", item, kind))
        case .cleared(let undo, let redo):
            log.append(["stack", "cleared", .string(name), .bool(undo), .bool(redo)])
        }
    }

    static func coded(_ item: StackItem) -> Value {
        [
            "insertions": ReplicaCoding.ranges(item.insertedRanges),
            "deletions": ReplicaCoding.ranges(item.deletedRanges),
        ]
    }
}
