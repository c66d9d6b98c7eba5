/// Names one shared type of one document. A reference to a type that was deleted and collected stays valid
/// to hold: reading through it finds nothing, writing throws `noSuchType`.
public struct SharedTypeReference: Hashable {
    /// The document; it is kept alive.
    public let document: Document
    let type: UInt32
    let generation: UInt32

    init(_ document: Document, _ type: UInt32) {
        self.document = document
        self.type = type
        generation = document.store.types[Int(type)].generation
    }

    /// The place of the type, if it is still there.
    var place: UInt32? { document.store.types[Int(type)].generation == generation ? type : nil }

    func checked() throws(EditError) -> UInt32 {
        guard let place else { throw EditError(.noSuchType) }
        return place
    }

    public static func == (a: SharedTypeReference, b: SharedTypeReference) -> Bool {
        a.document === b.document && a.type == b.type && a.generation == b.generation
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(document))
        hasher.combine(type)
        hasher.combine(generation)
    }
}

/// A shared type of a document: text, map, array or XML. A value that refers to the document and may be
/// copied freely; like the document it belongs to one thread.
public protocol SharedType: Hashable {
    /// What the value refers to.
    var reference: SharedTypeReference { get }
}

extension SharedType {
    /// The document the type is in.
    public var document: Document { reference.document }

    /// The type's lasting name, which relative positions use.
    public var id: SharedTypeID? { reference.place.map { document.store.typeID($0) } }

    /// Whether the type was deleted, by itself or with something it is in. O(1).
    public var isDeleted: Bool {
        guard let type = reference.place else { return true }
        let item = document.store.types[Int(type)].item
        return item != absent && document.store.blocks[item].isDeleted
    }

    /// The type this one is in; nil for a root.
    public var parent: SharedValue? {
        guard let type = reference.place, document.store.types[Int(type)].item != absent else { return nil }
        return document.value(ofType: document.store.blocks[document.store.types[Int(type)].item].parent)
    }

    /// The way from the root to this type; empty for a root. O(depth × log n) once the lists on the way have
    /// their position index.
    public var path: [PathStep] { reference.place.map { document.store.path(from: absent, to: $0) } ?? [] }

    /// The plain value (yjs `toJSON`): a string for texts and XML, else objects and arrays.
    public var json: Value { reference.place.map { document.store.value(ofType: $0) } ?? .undefined }

    /// Calls `body` with what each transaction changed in this type itself (yjs `observe`).
    public func observe(_ body: @escaping (borrowing TypeEvent) -> Void) -> Observation {
        observe {
            $0.events.add(body, id: $1)
        } remove: {
            $0.events.remove($1)
        }
    }

    /// Calls `body` with what each transaction changed in this type and everything in it (yjs `observeDeep`).
    public func observeDeep(_ body: @escaping (borrowing DeepEvents) -> Void) -> Observation {
        observe {
            $0.deepEvents.add(body, id: $1)
        } remove: {
            $0.deepEvents.remove($1)
        }
    }

    private func observe(
        _ add: (inout Observers.OfType, UInt64) -> Void,
        remove: @escaping (inout Observers.OfType, UInt64) -> Void
    ) -> Observation {
        let reference = self.reference
        let id = document.observers.makeID()
        document.observers.add(reference.type, reference.generation) { add(&$0, id) }
        document.noteObservers()
        return Observation { [weak document] in
            document?.observers.remove(reference.type, reference.generation) { remove(&$0, id) }
            document?.noteObservers()
        }
    }
}

extension Store {
    /// The steps from one type down to another in it; from the root where `from` is `absent`.
    mutating func path(from outer: UInt32, to inner: UInt32) -> [PathStep] {
        var steps: [PathStep] = []
        var type = inner
        while type != outer, types[Int(type)].item != absent {
            let item = types[Int(type)].item
            let block = blocks[item]
            steps.append(block.sub == absent ? .index(position(of: item)) : .key(keys.string(block.sub)))
            type = block.parent
        }
        return steps.reversed()
    }
}
