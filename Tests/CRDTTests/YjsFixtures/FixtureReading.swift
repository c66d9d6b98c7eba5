import CRDT

/// What documents say: bytes, contents, positions, events.
extension FixtureWorld {
    func readingStep(_ name: String, _ arguments: Arguments) throws -> Value? {
        guard let replica = try? replica(arguments) else { return nil }
        if let result = try encodingStep(name, replica.document, arguments) { return result }
        if let result = try contentStep(name, replica.document, arguments) { return result }
        switch name {
        case "events":
            defer { replica.events = [] }
            return .array(replica.events)
        case "stacks":
            guard let undo = replica.undo else { throw FixtureError("no undo manager") }
            return ["canUndo": .bool(undo.canUndo), "canRedo": .bool(undo.canRedo)]
        case "subdocuments": return .array(replica.document.subdocuments.map { .string($0.guid) })
        case "position": return try position(replica.document, arguments)
        case "resolve":
            let position = try RelativePosition(decoding: try bytes(arguments[1]))
            guard let found = replica.document.absolutePosition(of: position) else { return .null }
            return ["index": .integer(found.index), "assoc": .integer(found.assoc)]
        default: return nil
        }
    }

    private func encodingStep(
        _ name: String, _ document: Document, _ arguments: Arguments
    ) throws -> Value? {
        switch name {
        case "state": return keep(document.encodeStateAsUpdate(), arguments[1])
        case "stateV2": return keep(document.encodeStateAsUpdateV2(), arguments[1])
        case "diff", "diffV2":
            let vector = try StateVector(decoding: try bytes(arguments[1]))
            return keep(
                name == "diff"
                    ? document.encodeStateAsUpdate(since: vector)
                    : document.encodeStateAsUpdateV2(since: vector), arguments[2])
        case "vector": return keep(document.encodeStateVector(), arguments[1])
        case "snapshot": return keep(document.snapshot().encoded(), arguments[1])
        case "snapshotV2": return keep(document.snapshot().encodedV2(), arguments[1])
        case "pending":
            let missing = document.pendingOn.sorted { $0.key < $1.key }
            return [
                "missing": .array(missing.map { [.integer(Int($0.key)), .number(Double($0.value))] }),
                "waits": .bool(document.hasPending),
            ]
        default: return nil
        }
    }

    private func contentStep(_ name: String, _ document: Document, _ arguments: Arguments) throws -> Value? {
        switch name {
        case "roots": return .array(document.rootNames.sorted().map(Value.string))
        case "read":
            return FixtureValues.written(try Self.type(document, arguments[1]).json)
        case "length": return try Self.length(try Self.type(document, arguments[1]))
        case "text": return try Self.text(try Self.type(document, arguments[1]))
        case "delta":
            switch try Self.type(document, arguments[1]) {
            case .text(let text): return FixtureValues.written(text.delta)
            case .xmlText(let text): return FixtureValues.written(text.delta)
            default: throw FixtureError("no text")
            }
        case "attributes":
            switch try Self.type(document, arguments[1]) {
            case .xmlElement(let element): return Self.entries(element.attributes)
            case .xmlText(let text): return Self.entries(text.attributes)
            default: throw FixtureError("nothing with attributes")
            }
        default: return nil
        }
    }

    private static func entries(_ entries: [(key: String, value: SharedValue)]) -> Value {
        .object(entries.map { Value.Entry($0.key, FixtureValues.written($0.value)) })
    }

    private static func length(_ type: SharedValue) throws -> Value {
        switch type {
        case .text(let type): .integer(type.length)
        case .xmlText(let type): .integer(type.length)
        case .array(let type): .integer(type.length)
        case .xmlFragment(let type): .integer(type.length)
        case .xmlElement(let type): .integer(type.length)
        default: throw FixtureError("no list")
        }
    }

    private static func text(_ type: SharedValue) throws -> Value {
        switch type {
        case .text(let type): .string(type.string)
        case .xmlText(let type): .string(type.description)
        case .xmlFragment(let type): .string(type.description)
        case .xmlElement(let type): .string(type.description)
        default: throw FixtureError("nothing with a text")
        }
    }

    private func position(_ document: Document, _ arguments: Arguments) throws -> Value {
        // Yjs is given the type, which makes a root come into being.
        _ = try Self.type(document, arguments[1])
        let position = try document.relativePosition(
            in: try Self.path(arguments[1]).path, at: try arguments.integer(2),
            assoc: try arguments.integer(3))
        return ["bytes": keep(position.encoded(), arguments[4]), "json": position.json]
    }

    // MARK: Events

    func observe(_ name: String, _ arguments: Arguments) throws {
        let replica = try replica(arguments)
        if name == "observeSubdocuments" {
            replica.keep(
                replica.document.observeSubdocuments { [weak replica] event in
                    func guids(_ documents: [Document]) -> Value {
                        .array(documents.map { .string($0.guid) })
                    }
                    replica?.events.append([
                        "added": guids(event.added), "loaded": guids(event.loaded),
                        "removed": guids(event.removed),
                    ])
                })
            return
        }
        guard let type = try Self.type(replica.document, arguments[1]).type else {
            throw FixtureError("no type to observe")
        }
        if name == "observe" {
            replica.keep(type.observe { [weak replica] in replica?.events.append(Self.written($0)) })
        } else {
            replica.keep(
                type.observeDeep { [weak replica] events in
                    events.forEach { replica?.events.append(Self.written($0)) }
                })
        }
    }

    private static func written(_ event: borrowing TypeEvent) -> Value {
        let path = event.path.map { step -> Value in
            switch step {
            case .key(let key): .string(key)
            case .index(let index): .integer(index)
            }
        }
        let delta = event.delta
        let keys = event.keys.map { change -> Value in
            var entries = [
                Value.Entry("key", .string(change.key)),
                Value.Entry("action", .string(change.action.rawValue)),
            ]
            if change.action != .add {
                let old = change.oldValue.map { FixtureValues.written($0) } ?? ["$": "undefined"]
                entries.append(Value.Entry("oldValue", old))
            }
            return .object(entries)
        }
        return ["path": .array(path), "delta": FixtureValues.written(delta), "keys": .array(keys)]
    }
}
