import CRDT

/// What the replica protocol says of a document's whole state.
extension ReplicaDocument {
    func state(withTypes: Bool) -> Value {
        var entries: [Value.Entry] = []
        if withTypes {
            let roots = document.rootNames.sorted { Array($0.utf16).lexicographicallyPrecedes($1.utf16) }
                .compactMap { name in document.sharedType(at: SharedPath(name)).map { (name, $0) } }
            let json = roots.map { Value.Entry($0.0, ReplicaCoding.coded($0.1.json)) }
            let trees = roots.map { Value.Entry($0.0, Self.tree($0.1)) }
            entries = [Value.Entry("json", .object(json)), Value.Entry("tree", .object(trees))]
        }
        let snapshot = document.snapshot()
        entries += [
            Value.Entry("vector", .string(Hex.text(document.encodeStateVector()))),
            Value.Entry("v1", .string(Hex.text(document.encodeStateAsUpdate()))),
            Value.Entry("v2", .string(Hex.text(document.encodeStateAsUpdateV2()))),
            Value.Entry(
                "snapshot",
                [.string(Hex.text(snapshot.encoded())), .string(Hex.text(snapshot.encodedV2()))]),
            Value.Entry("deleted", ReplicaCoding.ranges(snapshot.deletes)),
            Value.Entry("pending", .bool(document.hasPending)),
            Value.Entry("subdocs", .array(document.subdocuments.map(Self.subdocument))),
            Value.Entry("stacks", .object(managers.map { Value.Entry($0.name, Self.stacks($0.manager)) })),
        ]
        return .object(entries)
    }

    private static func subdocument(_ document: Document) -> Value {
        [
            .string(document.guid), .bool(document.shouldLoad), .bool(document.autoLoad),
            ReplicaCoding.coded(document.meta),
        ]
    }

    private static func stacks(_ manager: UndoManager) -> Value {
        [
            "undo": .array(manager.undoStack.map { coded($0) }),
            "redo": .array(manager.redoStack.map { coded($0) }),
        ]
    }

    private static func authors(_ ranges: [AuthoredRange]) -> Value {
        .array(ranges.map { [.integer($0.offset), .integer($0.length), .number(Double($0.client))] })
    }

    /// What looking for elements finds, by a name in another case.
    private static func found(_ parent: some XMLParent) -> Value {
        .array(parent.querySelectorAll("P").map { .string(ReplicaCoding.name(of: $0.id)) })
    }

    /// A shared type with all that is in it.
    private static func tree(_ value: SharedValue) -> Value {
        func coded(_ value: SharedValue) -> Value { ReplicaCoding.coded(value, expand: tree) }
        func pairs(_ entries: [(key: String, value: SharedValue)]) -> Value {
            .array(entries.map { [.string($0.key), coded($0.value)] })
        }
        func object(_ entries: (String, Value)...) -> Value {
            let kind = Value.Entry("$", .string(ReplicaCoding.kind(of: value)))
            return .object([kind] + entries.map { Value.Entry($0.0, $0.1) })
        }
        func text(_ text: some TextType) -> Value {
            let delta = text.delta.map { ReplicaCoding.operation($0, expand: tree) }
            return object(
                ("length", .integer(text.length)), ("authors", authors(text.authors)),
                ("delta", .array(delta)), ("attributes", pairs(text.attributes)))
        }
        switch value {
        case .text(let it): return text(it)
        case .xmlText(let it): return text(it)
        case .map(let map): return object(("entries", pairs(map.entries)))
        case .xmlHook(let hook):
            return object(("name", .string(hook.hookName)), ("entries", pairs(hook.entries)))
        case .array(let array):
            return object(("authors", authors(array.authors)), ("items", .array(array.elements.map(coded))))
        case .xmlFragment(let fragment):
            return object(("found", found(fragment)), ("items", .array(fragment.elements.map(coded))))
        case .xmlElement(let element):
            return object(
                ("name", .string(element.nodeName)), ("attributes", pairs(element.attributes)),
                ("found", found(element)), ("items", .array(element.elements.map(coded))))
        case .value, .document: return coded(value)
        }
    }
}
