/// Encoders of the columns of a v2 update (lib0 `encoding.js`).
struct RunLengthBytesWriter {
    private var out = ByteWriter()
    private var value: UInt8?
    private var count: UInt64 = 0

    mutating func write(_ next: UInt8) {
        if value == next {
            count += 1
            return
        }
        if count > 0 { out.varUint(count - 1) }
        out.byte(next)
        value = next
        count = 1
    }

    /// The last run has no count: it goes on for ever.
    var bytes: [UInt8] { out.bytes }
}

struct RunLengthUnsignedWriter {
    private var out = ByteWriter()
    private var value: UInt64 = 0
    private var count: UInt64 = 0

    mutating func write(_ next: UInt64) {
        if value == next {
            count += 1
            return
        }
        flush()
        value = next
        count = 1
    }

    private mutating func flush() {
        guard count > 0 else { return }
        out.varInt(magnitude: value, negative: count > 1)
        if count > 1 { out.varUint(count - 2) }
        count = 0
    }

    mutating func finish() -> [UInt8] {
        flush()
        return out.bytes
    }
}

struct RunLengthDifferencesWriter {
    private var out = ByteWriter()
    private var value: Int64 = 0
    private var difference: Int64 = 0
    private var count: UInt64 = 0

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

    private mutating func flush() {
        guard count > 0 else { return }
        let coded = difference * 2 + (count == 1 ? 0 : 1)
        out.varInt(magnitude: coded.magnitude, negative: coded < 0)
        if count > 1 { out.varUint(count - 2) }
        count = 0
    }

    mutating func finish() -> [UInt8] {
        flush()
        return out.bytes
    }
}

struct StringColumnWriter {
    private var text: [UInt8] = []
    private var lengths = RunLengthUnsignedWriter()

    mutating func write(_ string: UnsafeBufferPointer<UInt8>) {
        text.append(contentsOf: string)
        lengths.write(UInt64(UTF8Text.utf16Length(string) ?? 0))
    }

    mutating func finish() -> [UInt8] {
        var out = ByteWriter()
        out.varBytes(text)
        out.raw(lengths.finish())
        return out.bytes
    }
}
