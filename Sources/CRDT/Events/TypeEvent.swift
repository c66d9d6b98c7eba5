/// What a transaction changed in one shared type (yjs `YEvent`). It cannot be kept beyond the call it is
/// handed to: its changes are read off the document, which forgets what was deleted when the call is over.
public struct TypeEvent: ~Copyable {
    let document: Document
    let type: UInt32
    private let currentTarget: UInt32
    /// The transaction that made the changes.
    public let transaction: Transaction
    let moment: TransactionStart

    init(_ document: Document, _ transaction: Transaction, _ type: UInt32, currentTarget: UInt32) {
        self.document = document
        self.transaction = transaction
        self.type = type
        self.currentTarget = currentTarget
        moment = TransactionStart(document, transaction)
    }

    private var entry: ChangedTypes.Entry? { transaction.closed.types[type] }

    /// The type that changed.
    public var target: SharedValue { document.value(ofType: type) }

    /// The way from the observed type to the changed one; empty when it is the same. O(depth × log n) once
    /// the lists on the way have their position index.
    public var path: [PathStep] { document.store.path(from: currentTarget, to: type) }

    /// Whether the list (text, elements, children) changed.
    public var isListChanged: Bool { entry?.isListChanged ?? false }

    /// Keys (of a map, or attributes) that were written or deleted, in the order they were.
    public var keysChanged: [String] { (entry?.keys ?? []).map { document.store.keys.string($0) } }

    /// What became of the keys that were changed (yjs `keys`); a key that is as it was before is left out.
    /// Made when it is first asked for; all observers of the transaction see the same. O(changed keys × values
    /// written).
    public var keys: [KeyChange] {
        if let known = transaction.keyChanges[type] { return known }
        let store = document
        let changes = (entry?.keys ?? []).compactMap { store.keyChange(type, $0, moment) }
        transaction.keyChanges[type] = changes
        return changes
    }

    /// How the list changed, in the form of `applyDelta`: texts with formatting, other lists by their
    /// elements (yjs `delta`, `changes.delta`). Made when it is first asked for; all observers of the
    /// transaction see the same. O(blocks of the list).
    ///
    /// In a document that cleans up formatting, making the delta of a text deletes format items that say
    /// nothing new, in a transaction of its own; so does Yjs.
    public var delta: [DeltaOperation] {
        if let known = transaction.deltas[type] { return known }
        let delta: [DeltaOperation]
        switch document.store.types[Int(type)].kind {
        case .text, .xmlText: delta = document.textDelta(type, moment)
        default:
            delta = isListChanged ? document.listDelta(type, moment) : []
            // Yjs makes both at once: what is asked for the keys later is as it is now.
            _ = keys
        }
        transaction.deltas[type] = delta
        return delta
    }
}

/// One step of the way to a shared type.
public enum PathStep: Hashable, Sendable {
    /// The value of a map key.
    case key(String)
    /// The element at a list position.
    case index(Int)
}

/// What became of one key.
public struct KeyChange {
    /// The ways a key can change.
    public enum Action: String, Sendable {
        /// It had no value before.
        case add
        /// It has another value than before.
        case update
        /// It has no value any more.
        case delete
    }

    /// The key.
    public var key: String
    /// What was done.
    public var action: Action
    /// The value before, unless it had none.
    public var oldValue: SharedValue?
}

/// Tells what a transaction added and deleted. Later transactions that observers made count as additions of
/// the earlier one, as in Yjs, where only the clocks before are compared.
struct TransactionStart {
    private let closed: ClosedTransaction
    private var before: [UInt32: UInt32] = [:]

    init(_ document: Document, _ transaction: Transaction) {
        closed = transaction.closed
        for grown in document.grownSince(transaction) where before[grown.client] == nil {
            before[grown.client] = grown.clock
        }
    }

    func adds(_ block: Block) -> Bool { before[block.client].map { block.clock >= $0 } ?? false }
    func deletes(_ block: Block) -> Bool { closed.deletes(block.client, block.clock) }
}

extension Document {
    /// Clients that grew in a transaction and in those begun since, with their clocks before.
    func grownSince(_ transaction: Transaction) -> [TransactionLog.Place] {
        var grown = transaction.closed.grown
        if currentCleanup < cleanups.count {
            for (later, _) in cleanups[currentCleanup...] where later !== transaction {
                grown.append(contentsOf: later.closed.grown)
            }
        }
        for client in store.transaction.changed {
            let before = store.clients[Int(client)].stateBefore
            grown.append(TransactionLog.Place(client: client, clock: before))
        }
        return grown
    }

    func keyChange(_ type: UInt32, _ key: UInt32, _ moment: TransactionStart) -> KeyChange? {
        let tail = store.mapTail(type, key)
        guard tail != absent else { return nil }
        let block = store.blocks[tail]
        let name = store.keys.string(key)
        guard moment.adds(block) else {
            guard moment.deletes(block) else { return nil }
            return KeyChange(key: name, action: .delete, oldValue: elements(of: tail).last)
        }
        var previous = block.left
        while previous != absent, moment.adds(store.blocks[previous]) {
            previous = store.blocks[previous].left
        }
        let hadValue = previous != absent && moment.deletes(store.blocks[previous])
        let oldValue = hadValue ? elements(of: previous).last : nil
        if moment.deletes(block) {
            return hadValue ? KeyChange(key: name, action: .delete, oldValue: oldValue) : nil
        }
        return KeyChange(key: name, action: hadValue ? .update : .add, oldValue: oldValue)
    }

    /// Yjs `YEvent.changes.delta`.
    func listDelta(_ type: UInt32, _ moment: TransactionStart) -> [DeltaOperation] {
        var delta: [DeltaOperation] = []
        var index = store.types[Int(type)].start
        while index != absent {
            let block = store.blocks[index]
            if block.isDeleted {
                if moment.deletes(block) && !moment.adds(block) {
                    delta.append(joining: .delete(Int(block.length)))
                }
            } else if moment.adds(block) {
                delta.append(joining: .insert(.values(elements(of: index)), []))
            } else {
                delta.append(joining: .retain(Int(block.length), []))
            }
            index = block.right
        }
        if case .retain? = delta.last { delta.removeLast() }
        return delta
    }
}

extension [DeltaOperation] {
    /// Appends an operation without attributes, as one with the last if that is of the same sort.
    fileprivate mutating func append(joining next: DeltaOperation) {
        switch (last, next) {
        case (.delete(let a), .delete(let b)): self[count - 1] = .delete(a + b)
        case (.retain(let a, _), .retain(let b, _)): self[count - 1] = .retain(a + b, [])
        case (.insert(.values(let a), _), .insert(.values(let b), _)):
            self[count - 1] = .insert(.values(a + b), [])
        default: append(next)
        }
    }
}
