/// Writes the primitives of lib0.
struct ByteWriter {
    var bytes: [UInt8] = []

    init(capacity: Int = 0) {
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) { bytes.append(value) }

    @inline(__always)
    mutating func varUint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func varUint(_ value: UInt32) { varUint(UInt64(value)) }

    mutating func varInt(magnitude: UInt64, negative: Bool) {
        var rest = magnitude >> 6
        bytes.append(UInt8(magnitude & 0x3f) | (negative ? 0x40 : 0) | (rest > 0 ? 0x80 : 0))
        while rest > 0 {
            bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        }
    }

    @inline(__always)
    mutating func raw(_ buffer: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: buffer) }

    mutating func raw(_ array: [UInt8]) { bytes.append(contentsOf: array) }

    mutating func varBytes(_ array: [UInt8]) {
        varUint(UInt64(array.count))
        bytes.append(contentsOf: array)
    }

    mutating func varBytes(_ buffer: UnsafeBufferPointer<UInt8>) {
        varUint(UInt64(buffer.count))
        raw(buffer)
    }

    mutating func string(_ text: String) {
        var text = text
        text.withUTF8 {
            varUint(UInt64($0.count))
            bytes.append(contentsOf: $0)
        }
    }

    mutating func bigEndian(_ bits: UInt64, bytes count: Int) {
        for i in stride(from: count - 1, through: 0, by: -1) {
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * i)))
        }
    }
}
