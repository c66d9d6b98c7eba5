/// A struct of the document: an item or, when `kind` is `.gc`, the place of one that is gone. Neighbours,
/// parents and clients are indices, so that blocks hold nothing that is counted by reference.
package struct Block: BitwiseCopyable {
    var clock: UInt32
    package var length: UInt32
    /// Index of the client in the store.
    var client: UInt32
    /// Neighbours in the list, or in the chain of values of a map key.
    var left = absent
    package var right = absent
    var originClient = absent
    var originClock: UInt32 = 0
    var rightClient = absent
    var rightClock: UInt32 = 0
    /// Index of the type this is in.
    var parent = absent
    /// Index of the map key, for values of a map.
    var sub = absent
    /// Content in the arena; for `.type` the index of the type in `offset`.
    var content = ArenaSlice()
    /// When the conflict scan last passed here.
    var visit: UInt32 = 0
    /// The leaf of the sequence index this is in.
    package var leaf = absent
    var kind: ContentKind
    var isDeleted = false
    /// Whether an undo manager may still bring this back, so that its content is not dropped (yjs `Item.keep`).
    var isKept = false
    /// Whether an undo made this anew; `Store.redone` tells as what (yjs `Item.redone`).
    var isRedone = false

    package init(clock: UInt32, length: UInt32, client: UInt32) {
        self.init(kind: .string, client: client, clock: clock, length: length)
    }

    init(kind: ContentKind, client: UInt32, clock: UInt32, length: UInt32) {
        self.kind = kind
        self.client = client
        self.clock = clock
        self.length = length
    }

    var end: UInt32 { clock &+ length }
    var isItem: Bool { kind != .gc }
    /// Length that positions in the list count.
    var weight: UInt32 { !isDeleted && kind.isCountable ? length : 0 }
}
