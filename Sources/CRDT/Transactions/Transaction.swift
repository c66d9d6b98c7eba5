/// One transaction, as observers see it (yjs `Transaction`). Confined to its document; valid for as long as
/// anyone keeps it, though what it says of the document is of the time it ended.
public final class Transaction {
    /// What the caller of `transact` or `applyUpdate` named as the source; nil when nothing.
    public let origin: AnyHashable?
    /// Whether the changes were made here, and not by applying an update.
    public internal(set) var isLocal: Bool
    let document: Document
    var closed: ClosedTransaction
    /// Types that changed or hold one that did, with the places in `events` of their events (yjs
    /// `changedParentTypes`).
    var parents: [(type: UInt32, events: [Int])] = []
    private var parentPlaces: [UInt32: Int] = [:]
    /// Changed types in the order their observers were called.
    var events: [UInt32] = []
    /// What observers have asked for of each type's event.
    var deltas: [UInt32: [DeltaOperation]] = [:]
    var keyChanges: [UInt32: [KeyChange]] = [:]

    init(_ document: Document, origin: AnyHashable?, isLocal: Bool, closed: ClosedTransaction) {
        self.document = document
        self.origin = origin
        self.isLocal = isLocal
        self.closed = closed
    }

    /// Units that this transaction deleted, clients descending, sorted and joined (yjs `deleteSet`).
    /// O(n log n).
    public var deletes: [Update.ClientRange] {
        DeleteRanges.merged(closed.deletions.map { document.store.range(of: $0) })
    }

    /// Clocks of the clients that grew before this transaction; the others' clocks are as they were. O(n).
    public var grownFrom: [ClientID: UInt64] {
        var clocks: [ClientID: UInt64] = [:]
        for place in closed.grown { clocks[document.store.id(place.client)] = UInt64(place.clock) }
        return clocks
    }

    /// Whether the shared type, or one in it, changed (yjs `changedParentTypes.has`). Known from the time
    /// its observers are called.
    public func changed(_ type: some SharedType) -> Bool {
        type.reference.document === document && parentPlaces[type.reference.type] != nil
    }

    func hasChanged(_ type: UInt32) -> Bool { parentPlaces[type] != nil }

    /// Notes an event of `type` for it and everything it is in.
    func bubble(_ type: UInt32) {
        let event = events.count
        events.append(type)
        var next = type
        while true {
            if let place = parentPlaces[next] {
                parents[place].events.append(event)
            } else {
                parentPlaces[next] = parents.count
                parents.append((next, [event]))
            }
            let item = document.store.types[Int(next)].item
            guard item != absent else { return }
            next = document.store.blocks[item].parent
        }
    }

    /// The v1 update with what this transaction did; nil when that is nothing.
    func update() -> [UInt8]? {
        if closed.isEmpty { return nil }
        return document.store.encode(
            closed.grown.map { (client: $0.client, from: $0.clock) }, deletions: deletes)
    }

    /// `update` in v2.
    func updateV2() -> [UInt8]? {
        if closed.isEmpty { return nil }
        return document.store.encodeV2(
            closed.grown.map { (client: $0.client, from: $0.clock) }, deletions: deletes)
    }
}

extension Store {
    func range(of deletion: TransactionLog.Deletion) -> Update.ClientRange {
        Update.ClientRange(
            client: id(deletion.client), from: UInt64(deletion.clock),
            to: UInt64(deletion.clock) + UInt64(deletion.length))
    }
}
