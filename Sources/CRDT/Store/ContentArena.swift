/// A run of bytes in the arena, with room to grow up to `capacity`.
struct ArenaSlice: BitwiseCopyable {
    var offset: UInt32 = 0
    var length: UInt32 = 0
    var capacity: UInt32 = 0
}

/// The bytes of all contents of a document, in one buffer: text as UTF-8, values as they are on the wire.
/// Slices are appended, cut and joined without moving bytes where they lie side by side, which is how typing
/// arrives.
struct ContentArena: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0
    /// Bytes (with reserves) that belong to a block.
    private(set) var used = 0

    init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    @inline(__always)
    func bytes(_ slice: ArenaSlice) -> UnsafeBufferPointer<UInt8> {
        precondition(Int(slice.offset) + Int(slice.length) <= count, "slice of no content")
        return UnsafeBufferPointer(start: base + Int(slice.offset), count: Int(slice.length))
    }

    mutating func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        let wanted = max(capacity * 2, count + extra)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, reserving room: Int = 0) -> ArenaSlice {
        let total = bytes.count + room
        reserve(total)
        if let source = bytes.baseAddress { (base + count).update(from: source, count: bytes.count) }
        let slice = ArenaSlice(
            offset: UInt32(count), length: UInt32(bytes.count), capacity: UInt32(total))
        count += total
        used += total
        return slice
    }

    /// Forgets a slice.
    mutating func release(_ slice: ArenaSlice) {
        used -= Int(slice.capacity)
        if Int(slice.offset) + Int(slice.capacity) == count { count = Int(slice.offset) }
    }

    /// Cuts a slice at `length` bytes; the right part takes the reserve.
    func split(_ slice: inout ArenaSlice, at length: Int) -> ArenaSlice {
        let cut = UInt32(length)
        let right = ArenaSlice(
            offset: slice.offset + cut, length: slice.length - cut, capacity: slice.capacity - cut)
        slice.length = cut
        slice.capacity = cut
        return right
    }

    /// Puts `right` behind `left`. O(1) when they are neighbours, else amortised O(right).
    mutating func join(_ left: inout ArenaSlice, _ right: ArenaSlice) {
        if left.length == left.capacity && left.offset + left.length == right.offset {
            left.length += right.length
            left.capacity += right.capacity
            return
        }
        if left.capacity - left.length < right.length {
            // Doubling the room keeps the copying of a run that grows apart from its neighbour linear.
            let moved = bytesCopy(left, reserving: Int(left.length) + 2 * Int(right.length))
            release(left)
            left = moved
        }
        (base + Int(left.offset + left.length)).update(
            from: base + Int(right.offset), count: Int(right.length))
        left.length += right.length
        release(right)
    }

    private mutating func bytesCopy(_ slice: ArenaSlice, reserving room: Int) -> ArenaSlice {
        let total = Int(slice.length) + room
        reserve(total)
        (base + count).update(from: base + Int(slice.offset), count: Int(slice.length))
        let moved = ArenaSlice(offset: UInt32(count), length: slice.length, capacity: UInt32(total))
        count += total
        used += total
        return moved
    }

    /// A surrogate pair at `cut` … `cut + 4` is divided: the left slice ends and a new right one begins with
    /// U+FFFD.
    mutating func splitPair(_ slice: inout ArenaSlice, at cut: Int) -> ArenaSlice {
        let rest = ArenaSlice(
            offset: slice.offset + UInt32(cut) + 4, length: slice.length - UInt32(cut) - 4, capacity: 0)
        let (a, b, c) = UTF8Text.replacement
        reserve(3 + Int(rest.length))
        let start = base + count
        (start[0], start[1], start[2]) = (a, b, c)
        (start + 3).update(from: base + Int(rest.offset), count: Int(rest.length))
        let right = ArenaSlice(offset: UInt32(count), length: rest.length + 3, capacity: rest.length + 3)
        count += Int(right.length)
        used += Int(right.length)
        let end = base + Int(slice.offset) + cut
        (end[0], end[1], end[2]) = (a, b, c)
        slice.length = UInt32(cut) + 3
        return right
    }

    /// The right part of `splitPair`, the left one forgotten.
    mutating func splitPairTail(_ slice: inout ArenaSlice, at cut: Int) -> ArenaSlice {
        let tail = splitPair(&slice, at: cut)
        used -= Int(slice.capacity)
        return tail
    }

    /// Whether a copy without the unused bytes is worth its time.
    var isWasteful: Bool { count - used > Limits.arenaSlackBytes && count > 2 * used }
}
