/// What the transaction under way has done so far.
struct TransactionLog {
    struct Place: BitwiseCopyable {
        var client: UInt32
        var clock: UInt32
    }

    struct Deletion: BitwiseCopyable {
        var client: UInt32
        var clock: UInt32
        var length: UInt32
    }

    /// Clients whose state has grown.
    var changed: [UInt32] = []
    /// Units deleted, in the order it happened.
    var deletions: [Deletion] = []
    /// Blocks made by splitting, and others whose neighbours may have become alike (yjs `_mergeStructs`).
    var splits: [Place] = []
    /// Types whose list or keys changed, while `Store.tracksChanges`.
    var types = ChangedTypes()
    /// Blocks of subdocuments that came and went.
    var documents = DocumentChanges()
}

/// The types that a transaction changed, in the order they first changed, with the keys (yjs
/// `Transaction.changed`).
struct ChangedTypes {
    struct Entry {
        var type: UInt32
        var isListChanged = false
        var keys: [UInt32] = []
        /// Lowered when the type is deleted after all.
        var isCurrent = true
    }

    private struct TypeKey: Hashable {
        var entry: Int
        var key: UInt32
    }

    private(set) var entries: [Entry] = []
    private var places: [UInt32: Int] = [:]
    private var seen: Set<TypeKey> = []

    mutating func note(_ type: UInt32, key: UInt32) {
        var place = entries.count
        if let known = places[type] {
            place = known
        } else {
            entries.append(Entry(type: type))
            places[type] = place
        }
        if key == absent {
            entries[place].isListChanged = true
        } else if seen.insert(TypeKey(entry: place, key: key)).inserted {
            entries[place].keys.append(key)
        }
    }

    mutating func forget(_ type: UInt32) {
        if let place = places.removeValue(forKey: type) { entries[place].isCurrent = false }
    }

    subscript(type: UInt32) -> Entry? { places[type].map { entries[$0] } }
}

/// The subdocuments that a transaction brought, asked for and took away (yjs `subdocsAdded` …), by their ids.
struct DocumentChanges {
    private var brought: [ID] = []
    private var added: Set<ID> = []
    private(set) var loaded: [ID] = []
    private(set) var removed: Set<ID> = []
    /// `removed` in the order it happened.
    private(set) var removedInOrder: [ID] = []

    var isEmpty: Bool { added.isEmpty && loaded.isEmpty && removed.isEmpty }
    var addedInOrder: [ID] { brought.filter { added.contains($0) } }

    mutating func add(_ id: ID) {
        brought.append(id)
        added.insert(id)
    }

    mutating func load(_ id: ID) { loaded.append(id) }

    /// One that came in the same transaction was never there.
    mutating func remove(_ id: ID) {
        if added.remove(id) == nil, removed.insert(id).inserted { removedInOrder.append(id) }
    }
}

extension Store {
    /// Notes the state of a client before its first change in this transaction.
    @inline(__always)
    mutating func willChange(_ client: UInt32) {
        if !clients[Int(client)].isChanged {
            clients[Int(client)].isChanged = true
            clients[Int(client)].stateBefore = clients[Int(client)].state
            transaction.changed.append(client)
        }
    }

    /// State of a client when the transaction began.
    func stateBefore(_ client: UInt32) -> UInt32 {
        clients[Int(client)].isChanged ? clients[Int(client)].stateBefore : clients[Int(client)].state
    }

    /// Notes that the list (`key` absent) or a key of a type changed, unless the type itself is new or
    /// deleted (yjs `addChangedTypeToTransaction`).
    @inline(__always)
    mutating func noteChange(of type: UInt32, key: UInt32) {
        guard tracksChanges else { return }
        let item = types[Int(type)].item
        if item == absent || !blocks[item].isDeleted && blocks[item].clock < stateBefore(blocks[item].client)
        {
            transaction.types.note(type, key: key)
        }
    }

    mutating func noteDeletion(_ block: UInt32) {
        changes &+= 1
        let it = blocks[block]
        deleted.note(it.client, it.clock, it.length)
        if var last = transaction.deletions.last, last.client == it.client,
            last.clock + last.length == it.clock
        {
            last.length += it.length
            transaction.deletions[transaction.deletions.count - 1] = last
            return
        }
        transaction.deletions.append(
            TransactionLog.Deletion(client: it.client, clock: it.clock, length: it.length))
    }
}
