/// Calling the observers of shared types (yjs `cleanupTransactions`, `callTypeObservers`).
extension Document {
    /// First the observers of the types that changed, in the order they did; then those of the types around
    /// them, outermost events first.
    func callObservers(_ transaction: Transaction) {
        for entry in transaction.closed.types.entries where entry.isCurrent && isLive(entry.type) {
            transaction.bubble(entry.type)
            let generation = store.types[Int(entry.type)].generation
            for body in observers.ofType(entry.type, generation)?.events.bodies ?? [] {
                let event = TypeEvent(self, transaction, entry.type, currentTarget: entry.type)
                body(event)
            }
        }
        callDeepObservers(transaction)
    }

    private func callDeepObservers(_ transaction: Transaction) {
        var calls: [(bodies: [Observers.DeepBody], type: UInt32, targets: [UInt32])] = []
        for (type, events) in transaction.parents where isLive(type) {
            let generation = store.types[Int(type)].generation
            guard let entry = observers.ofType(type, generation), !entry.deepEvents.isEmpty else { continue }
            let targets = events.map { transaction.events[$0] }.filter { isLive($0) }
            let depths = targets.map { store.types[Int($0)].depth }
            let order = targets.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }
            calls.append((entry.deepEvents.bodies, type, order.map { targets[$0] }))
        }
        for call in calls {
            for body in call.bodies {
                let events = DeepEvents(self, transaction, currentTarget: call.type, targets: call.targets)
                body(events)
            }
        }
    }

    /// Whether a type is a root or its item is not deleted.
    private func isLive(_ type: UInt32) -> Bool {
        let item = store.types[Int(type)].item
        return item == absent || !store.blocks[item].isDeleted
    }
}

/// The events of a transaction at and in one shared type, those of the outermost types first. Like each
/// event it cannot outlive the call.
public struct DeepEvents: ~Copyable {
    private let document: Document
    private let currentTarget: UInt32
    private let targets: [UInt32]
    /// The transaction that made the changes.
    public let transaction: Transaction

    init(_ document: Document, _ transaction: Transaction, currentTarget: UInt32, targets: [UInt32]) {
        self.document = document
        self.transaction = transaction
        self.currentTarget = currentTarget
        self.targets = targets
    }

    /// Number of events.
    public var count: Int { targets.count }

    /// Calls `body` with each event in order.
    public func forEach(_ body: (borrowing TypeEvent) -> Void) {
        for target in targets {
            let event = TypeEvent(document, transaction, target, currentTarget: currentTarget)
            body(event)
        }
    }
}
