import CRDT

/// Runs the steps of a fixture on the engine, as `fixtures/yjs/make` runs them on Yjs.
final class FixtureWorld {
    /// A document with what was observed of it.
    final class Replica {
        let document: Document
        var updates: [[UInt8]] = []
        var events: [Value] = []
        var undo: UndoManager?
        private var observations: [Observation] = []

        init(_ document: Document, isV2: Bool) {
            self.document = document
            keep(
                isV2
                    ? document.observeUpdatesV2 { [weak self] update, _ in self?.updates.append(update) }
                    : document.observeUpdates { [weak self] update, _ in self?.updates.append(update) })
        }

        func keep(_ observation: Observation) { observations.append(observation) }
    }

    private var replicas: [String: Replica] = [:]
    private var labels: [String: [UInt8]] = [:]
    var awareness: [String: (client: ClientID, states: AwarenessStates)] = [:]

    /// Does a step and gives its result. `expected` is what Yjs gave: some steps read it instead of making it.
    func run(_ name: String, _ arguments: Arguments, expected: Value?) throws -> Value? {
        if let result = try documentStep(name, arguments) { return result }
        if let result = try readingStep(name, arguments) { return result }
        if let result = try bytesStep(name, arguments) { return result }
        if let result = try protocolStep(name, arguments, expected) { return result }
        guard try silentStep(name, arguments) else { throw FixtureError("unknown step") }
        return nil
    }

    // MARK: Names

    func replica(_ arguments: Arguments) throws -> Replica {
        guard let replica = replicas[try arguments.string(0)] else { throw FixtureError("no such document") }
        return replica
    }

    /// Bytes by their label, or as digits.
    func bytes(_ value: Value) throws -> [UInt8] {
        guard let text = value.string else { throw FixtureError("neither a label nor bytes") }
        if let known = labels[text] { return known }
        guard text.allSatisfy(\.isHexDigit) else { throw FixtureError("no label \(text)") }
        return CRDTTests.bytes(text)
    }

    func keep(_ bytes: [UInt8], _ label: Value) -> Value {
        if let label = label.string { labels[label] = bytes }
        return .string(hex(bytes))
    }

    func add(_ name: String, _ document: Document, isV2: Bool = false) {
        replicas[name] = Replica(document, isV2: isV2)
    }

    // MARK: Steps that change a document

    /// The updates that a document made meanwhile: one as it is, none as null.
    private func emitted(_ replica: Replica, _ label: Value, _ act: () throws -> Void) throws -> Value {
        replica.updates = []
        try act()
        if let label = label.string { labels[label] = replica.updates.first }
        switch replica.updates.count {
        case 0: return .null
        case 1: return .string(hex(replica.updates[0]))
        default: return .array(replica.updates.map { .string(hex($0)) })
        }
    }

    private func origin(_ options: Value) -> AnyHashable? { options["origin"]?.string.map(AnyHashable.init) }

    private func documentStep(_ name: String, _ arguments: Arguments) throws -> Value? {
        switch name {
        case "edit":
            let replica = try replica(arguments)
            let edits = arguments[1].array ?? []
            return try emitted(replica, arguments[2]) {
                try replica.document.transact(origin: origin(arguments[3])) {
                    for edit in edits { try Self.edit(replica.document, edit) }
                }
            }
        case "apply", "applyV2":
            let replica = try replica(arguments)
            let update = try bytes(arguments[1])
            return try emitted(replica, .undefined) {
                if name == "applyV2" {
                    try replica.document.applyUpdateV2(update)
                } else {
                    try replica.document.applyUpdate(update, origin: origin(arguments[2]))
                }
            }
        case "undo", "redo":
            let replica = try replica(arguments)
            return try emitted(replica, arguments[1]) {
                _ = name == "undo" ? replica.undo?.undo() : replica.undo?.redo()
            }
        case "load":
            let replica = try replica(arguments)
            let path = arguments[1].array ?? [arguments[1]]
            guard
                case .document(let document) = try Self.type(replica.document, .array(path + [arguments[2]]))
            else { throw FixtureError("no subdocument there") }
            return try emitted(replica, .undefined) { document.load() }
        default: return nil
        }
    }

    /// Steps without a result; false when it is none of them.
    private func silentStep(_ name: String, _ arguments: Arguments) throws -> Bool {
        let options = arguments[1]
        switch name {
        case "doc":
            let document = Document(
                clientID: ClientID(options["client"]?.integer ?? 0), gc: options["gc"]?.bool ?? true,
                cleansFormatting: options["cleans"]?.bool ?? false)
            add(try arguments.string(0), document, isV2: options["v2"]?.bool ?? false)
        case "docFromSnapshot":
            let from = try replica(Arguments(values: [options])).document
            let snapshot = try Snapshot(decodingV1: try bytes(arguments[2]))
            add(try arguments.string(0), try Document(from: snapshot, of: from, clientID: 99, gc: false))
        case "observe", "observeDeep", "observeSubdocuments": try observe(name, arguments)
        case "undoManager":
            let replica = try replica(arguments)
            let scope = try (options.array ?? []).compactMap { try Self.type(replica.document, $0).type }
            let origins = (arguments[2]["origins"]?.array ?? []).compactMap {
                $0.string.map(AnyHashable.init)
            }
            replica.undo = UndoManager(
                scope, of: replica.document,
                captureTimeoutMs: arguments[2]["apart"]?.bool == true ? 0 : 1_000_000_000,
                trackedOrigins: Set(origins + [nil]), now: { 0 })
        case "stopCapturing": try replica(arguments).undo?.stopCapturing()
        case "clearUndo": try replica(arguments).undo?.clear()
        case "awareness":
            awareness[try arguments.string(0)] = (ClientID(try arguments.integer(1)), AwarenessStates())
        default: return false
        }
        return true
    }
}
