/// A growing array of plain structs addressed by 32-bit indices, without reference counting or copy-on-write
/// checks in its element access. Freed places are used again.
package struct Slab<Element: BitwiseCopyable>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    package private(set) var count = 0
    private var free: [UInt32] = []

    package init(capacity: Int = 16) {
        self.capacity = max(capacity, 1)
        base = UnsafeMutablePointer<Element>.allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// Number of places in use.
    package var liveCount: Int { count - free.count }

    package subscript(index: UInt32) -> Element {
        @inline(__always) _read {
            precondition(Int(index) < count, "index of no element")
            yield base[Int(index)]
        }
        @inline(__always) _modify {
            precondition(Int(index) < count, "index of no element")
            yield &base[Int(index)]
        }
    }

    /// Stores an element and gives its index. Amortised O(1).
    @inline(__always)
    package mutating func insert(_ element: Element) -> UInt32 {
        if let index = free.popLast() {
            base[Int(index)] = element
            return index
        }
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
        return UInt32(count - 1)
    }

    /// Gives a place back. The caller holds no index to it any more.
    package mutating func remove(_ index: UInt32) { free.append(index) }

    /// Makes room for so many more elements at once, and for a quarter more, so that the next one after them does
    /// not move all. Room that is never used takes no memory from the system.
    package mutating func reserve(_ extra: Int) {
        let wanted = count + extra - free.count
        if wanted > capacity { resize(to: wanted + wanted / 4) }
    }

    private mutating func grow() { resize(to: capacity * 2) }

    private mutating func resize(to wanted: Int) {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }
}
