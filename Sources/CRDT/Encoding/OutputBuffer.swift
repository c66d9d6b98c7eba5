/// Writes the primitives of lib0 into memory of its own: for encodings of many small parts, where an array's
/// checks at every byte are what costs.
struct OutputBuffer: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 64) {
        self.capacity = max(capacity, 16)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// What was written. O(count).
    var bytes: [UInt8] { Array(contents) }

    var contents: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    /// Makes room for `extra` bytes.
    @inline(__always)
    private mutating func reserve(_ extra: Int) {
        if capacity - count < extra { grow(extra) }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let wanted = max(capacity * 2, count + extra)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        reserve(1)
        base[count] = value
        count += 1
    }

    @inline(__always)
    mutating func varUint(_ value: UInt64) {
        reserve(10)
        var rest = value
        while rest >= 0x80 {
            base[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count += 1
            rest >>= 7
        }
        base[count] = UInt8(truncatingIfNeeded: rest)
        count += 1
    }

    @inline(__always)
    mutating func varUint(_ value: UInt32) { varUint(UInt64(value)) }

    @inline(__always)
    mutating func varInt(magnitude: UInt64, negative: Bool) {
        reserve(11)
        var rest = magnitude >> 6
        base[count] = UInt8(magnitude & 0x3f) | (negative ? 0x40 : 0) | (rest > 0 ? 0x80 : 0)
        count += 1
        while rest > 0 {
            base[count] = UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)
            count += 1
            rest >>= 7
        }
    }

    @inline(__always)
    mutating func raw(_ buffer: UnsafeBufferPointer<UInt8>) {
        guard let source = buffer.baseAddress else { return }
        reserve(buffer.count)
        (base + count).update(from: source, count: buffer.count)
        count += buffer.count
    }

    mutating func varBytes(_ buffer: UnsafeBufferPointer<UInt8>) {
        varUint(UInt64(buffer.count))
        raw(buffer)
    }

    mutating func varBytes(_ array: [UInt8]) { array.withUnsafeBufferPointer { varBytes($0) } }

    mutating func varBytes(_ other: borrowing OutputBuffer) { varBytes(other.contents) }

    mutating func raw(_ other: borrowing OutputBuffer) { raw(other.contents) }

    /// A value in lib0's `any` coding.
    mutating func any(_ value: Value) {
        var writer = ByteWriter()
        writer.any(value)
        writer.bytes.withUnsafeBufferPointer { raw($0) }
    }
}
