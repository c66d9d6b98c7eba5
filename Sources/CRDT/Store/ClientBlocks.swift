/// The blocks of one client in clock order, without gaps, in chunks: cutting and joining blocks in the middle
/// moves one chunk's entries, not all.
struct ClientBlocks {
    struct Entry: BitwiseCopyable {
        var clock: UInt32
        var block: UInt32
    }

    /// A place among the blocks; a change invalidates the places behind it.
    struct Place: Equatable {
        var chunk: Int
        var slot: Int
    }

    /// Chunks are split at this many entries.
    static let chunkLimit = 1024

    let id: ClientID
    /// Never empty, and none of them is, except the only one of a client without blocks.
    private var chunks: [[Entry]] = [[]]
    /// Clock of each chunk's first entry.
    private var firstClocks: [UInt32] = [0]
    private(set) var count = 0
    /// Next expected clock.
    var state: UInt32 = 0
    /// State when the transaction began to change this client, if it did.
    var stateBefore: UInt32 = 0
    var isChanged = false
    /// How many clients had blocks before this one got its first (the order of yjs `store.clients`).
    var appearance: UInt32 = 0
    /// Where a block was last found: edits follow one another in place, so the next one is often near.
    private var finger = Place(chunk: 0, slot: 0)

    init(id: ClientID) { self.id = id }

    // MARK: Reading

    subscript(place: Place) -> Entry { chunks[place.chunk][place.slot] }

    /// The place of the entry that holds `clock`, which must be below `state`. O(log n).
    func place(of clock: UInt32) -> Place {
        var chunk = chunks.count - 1
        if chunk > 0, firstClocks[chunk] > clock {
            var low = 0
            while low < chunk {
                let middle = (low + chunk + 1) >> 1
                if firstClocks[middle] <= clock { low = middle } else { chunk = middle - 1 }
            }
        }
        return Place(chunk: chunk, slot: Self.slot(of: clock, in: chunks[chunk]))
    }

    /// `place(of:)` for searches that tend to be near the one before.
    @inline(__always)
    mutating func nearPlace(of clock: UInt32) -> Place {
        let found = placeAtFinger(of: clock) ?? place(of: clock)
        finger = found
        return found
    }

    /// The place of the entry that holds `clock` if it is one of a few around the finger.
    @inline(__always)
    private func placeAtFinger(of clock: UInt32) -> Place? {
        guard finger.chunk < chunks.count else { return nil }
        let chunk = finger.chunk
        return chunks[chunk].withUnsafeBufferPointer { entries in
            let low = max(finger.slot - Self.reach, 0)
            let high = min(finger.slot + Self.reach, entries.count)
            guard low < high, entries[low].clock <= clock else { return nil }
            // Up to the end of the chunk only where a later entry tells that the clock is before it.
            guard high < entries.count, clock < entries[high].clock else { return nil }
            var slot = low
            for next in low + 1..<high { slot += entries[next].clock <= clock ? 1 : 0 }
            return Place(chunk: chunk, slot: slot)
        }
    }

    private static let reach = 4

    private static func slot(of clock: UInt32, in entries: [Entry]) -> Int {
        entries.withUnsafeBufferPointer { entries in
            var length = entries.count
            guard length > 1, let base = entries.baseAddress, base[length - 1].clock > clock else {
                return max(length - 1, 0)
            }
            var low = 0
            // By arithmetic, because nobody could predict a branch: the sign of the difference is all ones where
            // the entry lies behind the clock. `low + half` stays below `low + length`, which is the end.
            while length > 1 {
                let half = length >> 1
                let isBehind = (Int(clock) &- Int(base[low &+ half].clock)) >> (Int.bitWidth - 1)
                low &+= half & ~isBehind
                length &-= half
            }
            return low
        }
    }

    /// The last place, if there is a block.
    var last: Place? {
        count > 0 ? Place(chunk: chunks.count - 1, slot: chunks[chunks.count - 1].count - 1) : nil
    }

    func next(_ place: Place) -> Place? {
        if place.slot + 1 < chunks[place.chunk].count {
            return Place(chunk: place.chunk, slot: place.slot + 1)
        }
        return place.chunk + 1 < chunks.count ? Place(chunk: place.chunk + 1, slot: 0) : nil
    }

    func previous(_ place: Place) -> Place? {
        if place.slot > 0 { return Place(chunk: place.chunk, slot: place.slot - 1) }
        return place.chunk > 0 ? Place(chunk: place.chunk - 1, slot: chunks[place.chunk - 1].count - 1) : nil
    }

    /// Number of entries from `place` on. O(chunks).
    func count(from place: Place) -> Int {
        chunks[place.chunk...].reduce(-place.slot) { $0 + $1.count }
    }

    /// Calls `body` with each block from `place` on.
    func forEach(from place: Place = Place(chunk: 0, slot: 0), _ body: (UInt32) -> Void) {
        var slot = place.slot
        for chunk in chunks[place.chunk...] {
            for entry in chunk[slot...] { body(entry.block) }
            slot = 0
        }
    }

    // MARK: Changing

    /// Appends a block that begins at `state`.
    @inline(__always)
    mutating func append(_ entry: Entry) {
        let chunk = chunks.count - 1
        if chunks[chunk].count < Self.chunkLimit {
            if chunks[chunk].isEmpty { firstClocks[chunk] = entry.clock }
            chunks[chunk].append(entry)
        } else {
            chunks.append([entry])
            firstClocks.append(entry.clock)
        }
        count += 1
    }

    /// Puts an entry right behind `place`.
    mutating func insert(_ entry: Entry, after place: Place) {
        chunks[place.chunk].insert(entry, at: place.slot + 1)
        count += 1
        guard chunks[place.chunk].count > Self.chunkLimit else { return }
        let upper = Array(chunks[place.chunk][(Self.chunkLimit / 2)...])
        chunks[place.chunk].removeSubrange((Self.chunkLimit / 2)...)
        chunks.insert(upper, at: place.chunk + 1)
        firstClocks.insert(upper[0].clock, at: place.chunk + 1)
    }

    /// Takes out the entry at `place`, which is not the first.
    mutating func remove(_ place: Place) {
        count -= 1
        if chunks[place.chunk].count == 1 && chunks.count > 1 {
            chunks.remove(at: place.chunk)
            firstClocks.remove(at: place.chunk)
        } else {
            chunks[place.chunk].remove(at: place.slot)
            if place.slot == 0, let first = chunks[place.chunk].first {
                firstClocks[place.chunk] = first.clock
            }
        }
    }
}
