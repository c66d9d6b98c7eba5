/// Encoders of the columns of a v2 update (lib0 `encoding.js`).
struct RunLengthBytesWriter: ~Copyable {
    /// The last run has no count: it goes on for ever.
    private(set) var out = OutputBuffer()
    private var value: UInt8 = 0
    private var count: UInt64 = 0

    @inline(__always)
    mutating func write(_ next: UInt8) {
        if value == next, count > 0 {
            count += 1
            return
        }
        if count > 0 { out.varUint(count - 1) }
        out.byte(next)
        value = next
        count = 1
    }
}

/// Unsigned integers; what is written is complete after `flush`.
struct RunLengthUnsignedWriter: ~Copyable {
    private(set) var out = OutputBuffer()
    private var value: UInt64 = 0
    private var count: UInt64 = 0

    @inline(__always)
    mutating func write(_ next: UInt64) {
        if value == next {
            count += 1
            return
        }
        flush()
        value = next
        count = 1
    }

    @inline(__always)
    mutating func flush() {
        guard count > 0 else { return }
        out.varInt(magnitude: value, negative: count > 1)
        if count > 1 { out.varUint(count - 2) }
        count = 0
    }
}

/// Integers as differences; what is written is complete after `flush`.
struct RunLengthDifferencesWriter: ~Copyable {
    private(set) var out = OutputBuffer()
    private var value: Int64 = 0
    private var difference: Int64 = 0
    private var count: UInt64 = 0

    @inline(__always)
    mutating func write(_ next: UInt64) {
        let next = Int64(next)
        if next - value == difference {
            value = next
            count += 1
            return
        }
        flush()
        difference = next - value
        value = next
        count = 1
    }

    @inline(__always)
    mutating func flush() {
        guard count > 0 else { return }
        let coded = difference * 2 + (count == 1 ? 0 : 1)
        out.varInt(magnitude: coded.magnitude, negative: coded < 0)
        if count > 1 { out.varUint(count - 2) }
        count = 0
    }
}

/// All strings as one and their lengths in UTF-16 units; what is written is complete after `flush`.
struct StringColumnWriter: ~Copyable {
    private var text: OutputBuffer
    private var lengths = RunLengthUnsignedWriter()

    init(capacity: Int) { text = OutputBuffer(capacity: capacity) }

    /// Bytes so far, roughly.
    var count: Int { text.count + lengths.out.count }

    @inline(__always)
    mutating func write(_ string: UnsafeBufferPointer<UInt8>, units: Int) {
        text.raw(string)
        lengths.write(UInt64(units))
    }

    mutating func write(_ string: UnsafeBufferPointer<UInt8>) {
        write(string, units: UTF8Text.utf16Length(string) ?? 0)
    }

    mutating func flush() { lengths.flush() }

    /// Writes the column with its length.
    func write(to out: inout OutputBuffer) {
        var head = OutputBuffer()
        head.varUint(UInt64(text.count))
        out.varUint(UInt64(head.count + text.count + lengths.out.count))
        out.raw(head)
        out.raw(text)
        out.raw(lengths.out)
    }
}
