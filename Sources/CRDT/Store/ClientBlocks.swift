/// The blocks of one client in clock order, without gaps.
struct ClientBlocks {
    struct Entry: BitwiseCopyable {
        var clock: UInt32
        var block: UInt32
    }

    let id: ClientID
    var entries: [Entry] = []
    /// Next expected clock.
    var state: UInt32 = 0
    /// State when the transaction began to change this client, if it did.
    var stateBefore: UInt32 = 0
    var isChanged = false

    init(id: ClientID) { self.id = id }

    /// Position of the entry that holds `clock`, which must be below `state`. O(log n).
    func position(of clock: UInt32) -> Int {
        var high = entries.count - 1
        if high >= 0, entries[high].clock <= clock { return high }
        return entries.withUnsafeBufferPointer { entries in
            var low = 0
            while low < high {
                let middle = (low + high + 1) >> 1
                if entries[middle].clock <= clock { low = middle } else { high = middle - 1 }
            }
            return low
        }
    }
}
