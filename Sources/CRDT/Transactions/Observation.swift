/// An observer that was added; it stays until it is cancelled or the document ends.
public final class Observation {
    private var cancelAction: (() -> Void)?

    init(_ cancel: @escaping () -> Void) { cancelAction = cancel }

    /// Takes the observer away. Called from within observers it takes effect with the next transaction.
    public func cancel() {
        cancelAction?()
        cancelAction = nil
    }
}

/// Observers of one kind in the order they were added.
struct ObserverList<Body> {
    private var entries: [(id: UInt64, body: Body)] = []

    var isEmpty: Bool { entries.isEmpty }
    var bodies: [Body] { entries.map(\.body) }

    mutating func add(_ body: Body, id: UInt64) { entries.append((id, body)) }
    mutating func remove(_ id: UInt64) { entries.removeAll { $0.id == id } }
}

/// Everything that watches a document.
struct Observers {
    typealias EventBody = (borrowing TypeEvent) -> Void
    typealias DeepBody = (borrowing DeepEvents) -> Void

    /// Observers of one shared type; its place may later hold another type.
    struct OfType {
        var generation: UInt32
        var events = ObserverList<EventBody>()
        var deepEvents = ObserverList<DeepBody>()

        var isEmpty: Bool { events.isEmpty && deepEvents.isEmpty }
    }

    var types: [UInt32: OfType] = [:]
    var updates = ObserverList<([UInt8], Transaction) -> Void>()
    var updatesV2 = ObserverList<([UInt8], Transaction) -> Void>()
    var afterTransaction = ObserverList<(Transaction) -> Void>()
    var documents = ObserverList<(SubdocumentEvent) -> Void>()
    private var lastID: UInt64 = 0

    mutating func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Whether transactions have to note which types they change.
    var needsChanges: Bool { !types.isEmpty || !afterTransaction.isEmpty }

    func ofType(_ type: UInt32, _ generation: UInt32) -> OfType? {
        types[type].flatMap { $0.generation == generation ? $0 : nil }
    }

    mutating func add(_ type: UInt32, _ generation: UInt32, _ body: (inout OfType) -> Void) {
        var entry = ofType(type, generation) ?? OfType(generation: generation)
        body(&entry)
        types[type] = entry
    }

    /// Changes nothing when the place holds another type by now.
    mutating func remove(_ type: UInt32, _ generation: UInt32, _ body: (inout OfType) -> Void) {
        guard var entry = ofType(type, generation) else { return }
        body(&entry)
        types[type] = entry.isEmpty ? nil : entry
    }
}

extension Document {
    /// Called with the v1 update of each transaction that changed something (yjs `doc.on('update')`), after
    /// all other observers. The update is made only when someone watches.
    public func observeUpdates(_ body: @escaping ([UInt8], Transaction) -> Void) -> Observation {
        let id = observers.makeID()
        observers.updates.add(body, id: id)
        return Observation { [weak self] in self?.observers.updates.remove(id) }
    }

    /// `observeUpdates` for the v2 format (yjs `doc.on('updateV2')`).
    public func observeUpdatesV2(_ body: @escaping ([UInt8], Transaction) -> Void) -> Observation {
        let id = observers.makeID()
        observers.updatesV2.add(body, id: id)
        return Observation { [weak self] in self?.observers.updatesV2.remove(id) }
    }

    /// Called at the end of each transaction, when the observers of types were called and before what was
    /// deleted is dropped (yjs `doc.on('afterTransaction')`).
    public func observeAfterTransaction(_ body: @escaping (Transaction) -> Void) -> Observation {
        let id = observers.makeID()
        observers.afterTransaction.add(body, id: id)
        noteObservers()
        return Observation { [weak self] in
            self?.observers.afterTransaction.remove(id)
            self?.noteObservers()
        }
    }

    /// Called with the subdocuments that a transaction brought, asked for or took away (yjs
    /// `doc.on('subdocs')`), after the update.
    public func observeSubdocuments(_ body: @escaping (SubdocumentEvent) -> Void) -> Observation {
        // When one is deleted later its guid is gone with it, so all are made now.
        _ = subdocuments
        let id = observers.makeID()
        observers.documents.add(body, id: id)
        return Observation { [weak self] in self?.observers.documents.remove(id) }
    }

    func noteObservers() { store.tracksChanges = observers.needsChanges || cleansFormatting }
}
