import CRDT

/// The documents of a replica process and the requests on them.
final class ReplicaSession {
    private var documents: [String: ReplicaDocument] = [:]
    private var clockMs: Int64 = 0

    func answer(_ request: Value) -> Value {
        if let now = request["now"]?.integer { clockMs = Int64(now) }
        guard case .object(let entries) = request, let first = entries.first else {
            return ["error": "no request"]
        }
        do throws(ReplicaError) {
            return try ReplicaError.wrapping {
                if let name = first.value.string, let held = documents[name] {
                    if let answer = try answer(first.key, request, held) { return answer }
                }
                return try answer(first.key, first.value, request)
            }
        } catch {
            return ["error": .string(error.message)]
        }
    }

    // MARK: Requests without a document

    private func answer(_ name: String, _ argument: Value, _ request: Value) throws -> Value {
        switch name {
        case "reset": documents = [:]
        case "new":
            let document = Document(
                clientID: Self.client(request), guid: argument.string ?? "", gc: request["gc"]?.bool ?? true,
                cleansFormatting: request["clean"]?.bool ?? false)
            try adopt(argument.string ?? "", document, request)
        case "contains":
            let snapshot = try Snapshot(decodingV1: Hex.bytes(argument.string ?? ""))
            return ["contains": .bool(snapshot.contains(try Self.update(request["update"], 1)))]
        case "merge": return try merged(argument.array ?? [], request)
        case "diff":
            let difference = try Self.update(argument, request).difference(since: Self.vector(request))
            return ["update": Self.bytes(difference, request)]
        case "convert":
            let update = try Self.update(argument, request)
            let isV1 = Self.version(request) == 1
            return ["update": .string(Hex.text(isV1 ? update.encodedV2() : update.withoutSubFlags().bytes))]
        case "vector":
            return ["vector": .string(Hex.text(try Self.update(argument, request).stateVector.encoded()))]
        case "meta":
            let ranges = try Self.update(argument, request).meta.sorted { $0.client < $1.client }
            func clocks(_ clock: KeyPath<Update.ClientRange, UInt64>) -> Value {
                .array(ranges.map { [.number(Double($0.client)), .number(Double($0[keyPath: clock]))] })
            }
            return ["from": clocks(\.from), "to": clocks(\.to)]
        default: throw ReplicaError("no request \(name) or no such document")
        }
        return .object([])
    }

    private func adopt(_ name: String, _ document: Document, _ request: Value) throws {
        let held = ReplicaDocument(document)
        for type in request["types"]?.array ?? [] {
            guard let pair = type.array, pair.count == 2, let root = pair[0].string, let kind = pair[1].string
            else { continue }
            try held.type(root, kind)
        }
        documents[name] = held
    }

    private func merged(_ updates: [Value], _ request: Value) throws -> Value {
        // A single update is given back as it is.
        if updates.count == 1 { return ["update": updates[0]] }
        let all = try updates.map { try Self.update($0, request) }
        return ["update": Self.bytes(Update.merge(all), request)]
    }

    // MARK: Requests on a document

    private func answer(_ name: String, _ request: Value, _ held: ReplicaDocument) throws -> Value? {
        let document = held.document
        switch name {
        case "type": try held.type(request["root"]?.string ?? "", request["kind"]?.string ?? "")
        case "encode":
            let since = request["since"]?.string == nil ? nil : try Self.vector(request)
            let isV1 = Self.version(request) == 1
            let update =
                isV1
                ? document.encodeStateAsUpdate(since: since) : document.encodeStateAsUpdateV2(since: since)
            return ["update": .string(Hex.text(update))]
        case "state": return held.state(withTypes: request["types"]?.bool ?? true)
        case "observe": return ["ok": .bool(held.observe(request))]
        case "unobserve": held.unobserve(request["name"]?.string ?? "")
        case "manage": return ["ok": .bool(held.manage(request) { [unowned self] in clockMs })]
        case "position": return try position(request, held)
        case "resolve": return try resolved(request, document)
        case "snapshot":
            let snapshot = document.snapshot()
            let (v1, v2) = (Hex.text(snapshot.encoded()), Hex.text(snapshot.encodedV2()))
            return ["v1": .string(v1), "v2": .string(v2)]
        case "restore":
            let snapshot = try Snapshot(decodingV1: Hex.bytes(request["snapshot"]?.string ?? ""))
            let past = try Document(
                from: snapshot, of: document, clientID: Self.client(request), gc: request["gc"]?.bool ?? true)
            try adopt(request["as"]?.string ?? "", past, request)
        case "past": return try past(request, document)
        case "readiness":
            switch document.readiness(of: try Self.update(request["update"], request)) {
            case .ready: return ["readiness": "ready"]
            case .redundant: return ["readiness": "redundant"]
            case .missing: return ["readiness": "missing"]
            }
        case "plan":
            let update = document.plan(ReplicaPlan.edits(request["edits"]), as: Self.client(request))
            return ["update": update.map { .string(Hex.text($0)) } ?? .null]
        default: return try logged(name, request, held)
        }
        return .object([])
    }

    /// Requests whose answer is what the document announced.
    private func logged(_ name: String, _ request: Value, _ held: ReplicaDocument) throws -> Value? {
        held.log = []
        var extra: [Value.Entry] = []
        switch name {
        case "do":
            let origin = request["origin"]?.string.map { AnyHashable($0) }
            let skipped = try held.document.transact(origin: origin) {
                try ReplicaEdit.perform(request["edits"]?.array ?? [], in: held.document)
            }
            extra = [Value.Entry("skipped", .array(skipped.map { .integer($0) }))]
        case "apply":
            let origin = request["origin"]?.string.map { AnyHashable($0) }
            let bytes = Hex.bytes(request["update"]?.string ?? "")
            if Self.version(request) == 1 {
                try held.document.applyUpdate(bytes, origin: origin)
            } else {
                try held.document.applyUpdateV2(bytes, origin: origin)
            }
        case "load":
            let found = ReplicaEdit.resolve(request["path"]?.array ?? [], in: held.document)
            if case .document(let document)? = found { document.load() }
            if case .document? = found {
                extra = [Value.Entry("ok", true)]
            } else {
                extra = [Value.Entry("ok", false)]
            }
        case "undo", "redo", "stop", "clear":
            let item = held.manager(request["name"]?.string ?? "").flatMap { revert(name, request, $0) }
            extra = [Value.Entry("popped", item.map { ReplicaDocument.coded($0) } ?? .null)]
        default: return nil
        }
        return .object([Value.Entry("log", .array(held.log))] + extra)
    }

    private func revert(_ name: String, _ request: Value, _ manager: UndoManager) -> StackItem? {
        switch name {
        case "undo": return manager.undo()
        case "redo": return manager.redo()
        case "stop": manager.stopCapturing()
        default:
            let stacks = request["stacks"]?.array ?? []
            manager.clear(undo: stacks.first?.bool ?? true, redo: stacks.last?.bool ?? true)
        }
        return nil
    }

    // MARK: Positions

    private func position(_ request: Value, _ held: ReplicaDocument) throws -> Value {
        let path = request["path"]?.array ?? []
        guard let root = path.first?.string, ReplicaEdit.resolve(path, in: held.document)?.type != nil else {
            return ["ok": false]
        }
        let steps = path.dropFirst().map {
            $0.integer.map { SharedPath.Step.index($0) } ?? .key($0.string ?? "")
        }
        let shared = SharedPath(root, steps)
        let index = min(request["index"]?.integer ?? 0, held.document.length(at: shared) ?? 0)
        let position = try held.document.relativePosition(
            in: shared, at: index, assoc: request["assoc"]?.integer ?? 0)
        return ["bytes": .string(Hex.text(position.encoded())), "json": position.json]
    }

    private func resolved(_ request: Value, _ document: Document) throws -> Value {
        let position = try RelativePosition(decoding: Hex.bytes(request["position"]?.string ?? ""))
        guard let at = document.absolutePosition(of: position) else { return ["at": .null] }
        let type = Value.string(ReplicaCoding.name(of: at.type))
        return ["at": ["type": type, "index": .integer(at.index), "assoc": .integer(at.assoc)]]
    }

    /// A text at a snapshot, or what changed in it since one.
    private func past(_ request: Value, _ document: Document) throws -> Value {
        func snapshot(_ name: String) throws -> Snapshot? {
            try request[name]?.string.map { try Snapshot(decodingV1: Hex.bytes($0)) }
        }
        let (now, then) = (try snapshot("snapshot"), try snapshot("previous"))
        let delta: [DeltaOperation]
        switch ReplicaEdit.resolve(request["path"]?.array ?? [], in: document) {
        case .text(let text): delta = text.delta(at: now, since: then)
        case .xmlText(let text): delta = text.delta(at: now, since: then)
        default: return ["ok": false]
        }
        return ["delta": .array(delta.map { ReplicaCoding.operation($0) })]
    }

    // MARK: Arguments

    private static func client(_ request: Value) -> ClientID {
        ClientID(max(0, request["client"]?.integer ?? 0))
    }

    private static func version(_ request: Value) -> Int { request["v"]?.integer ?? 1 }

    private static func vector(_ request: Value) throws -> StateVector {
        try StateVector(decoding: Hex.bytes(request["since"]?.string ?? ""))
    }

    private static func update(_ hex: Value?, _ request: Value) throws -> Update {
        try update(hex, version(request))
    }

    private static func update(_ hex: Value?, _ version: Int) throws -> Update {
        let bytes = Hex.bytes(hex?.string ?? "")
        return version == 1 ? try Update(decodingV1: bytes) : try Update(decodingV2: bytes)
    }

    private static func bytes(_ update: Update, _ request: Value) -> Value {
        .string(Hex.text(version(request) == 1 ? update.bytes : update.encodedV2()))
    }
}

/// Edits of the protocol's `plan`: roots `map` and `array`.
enum ReplicaPlan {
    static func edits(_ edits: Value?) -> [PlannedEdit] {
        (edits?.array ?? []).compactMap { edit in
            guard let parts = edit.array, parts.count > 1, let name = parts[0].string else { return nil }
            let value = parts.count > 2 ? ReplicaCoding.value(parts[2]) : .undefined
            let key = parts[1].string ?? ""
            switch name {
            case "set": return .set(root: "map", key: key, value: value)
            case "type": return .setText(root: "map", key: key)
            case "remove": return .removeKey(root: "map", key: key)
            case "append":
                return .append(root: "array", values: (parts[1].array ?? []).map(ReplicaCoding.value))
            case "replace": return .replace(root: "array", index: parts[1].integer ?? 0, value: value)
            case "removeFirst": return .removeFirst(root: "array", count: parts[1].integer ?? 0)
            default: return nil
            }
        }
    }
}
