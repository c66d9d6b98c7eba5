/// Decoders of the columns of a v2 update (lib0 `decoding.js`). Runs are counted down, never expanded, so a
/// column of few bytes may stand for any number of values: the caller bounds how many it takes.
struct RunLengthBytes {
    private(set) var reader: ByteReader
    private var value: UInt8 = 0
    /// Values of the current run still to come; nil for the last run, which has no end.
    private var left: UInt64? = 0

    init(_ column: ByteReader) { reader = column }

    mutating func next() throws(UpdateError) -> UInt8 {
        if left == 0 {
            value = try reader.byte()
            left = reader.remaining > 0 ? try reader.varUint() + 1 : nil
        }
        if let count = left { left = count - 1 }
        return value
    }
}

/// Unsigned integers, runs of equal ones with a count (lib0 `UintOptRleDecoder`).
struct RunLengthUnsigned {
    private var reader: ByteReader
    private var value: UInt64 = 0
    private var left: UInt64 = 0

    init(_ column: ByteReader) { reader = column }

    mutating func next() throws(UpdateError) -> UInt64 {
        if left == 0 {
            let (magnitude, negative) = try reader.varInt()
            value = magnitude
            left = negative ? try reader.varUint() + 2 : 1
        }
        left -= 1
        return value
    }
}

/// Integers as differences, runs of equal differences with a count (lib0 `IntDiffOptRleDecoder`).
struct RunLengthDifferences {
    private var reader: ByteReader
    private var value: Int64 = 0
    private var difference: Int64 = 0
    private var left: UInt64 = 0

    init(_ column: ByteReader) { reader = column }

    mutating func next() throws(UpdateError) -> UInt64 {
        if left == 0 {
            let (magnitude, negative) = try reader.varInt()
            let coded = negative ? -Int64(magnitude) : Int64(magnitude)
            difference = coded >> 1
            left = coded & 1 == 1 ? try reader.varUint() + 2 : 1
        }
        left -= 1
        let (sum, overflow) = value.addingReportingOverflow(difference)
        guard !overflow, sum >= 0, sum <= Int64(Limits.maxSafeInteger) else {
            throw reader.error(.malformed, "clock out of range")
        }
        value = sum
        return UInt64(sum)
    }
}

/// Strings: one text and the lengths of its parts in UTF-16 units (lib0 `StringDecoder`).
struct StringColumn {
    private let text: UnsafeBufferPointer<UInt8>
    private let end: ByteReader
    private var lengths: RunLengthUnsigned
    private var offset = 0

    init(_ column: ByteReader) throws(UpdateError) {
        var reader = column
        let (start, length, _) = try reader.string()
        text = reader.slice(start, length)
        end = reader
        lengths = RunLengthUnsigned(reader)
    }

    mutating func next() throws(UpdateError) -> UnsafeBufferPointer<UInt8> {
        var units = try lengths.next()
        let start = offset
        if units <= UInt64(text.count - start), UTF8Text.isASCII(text, start, Int(units)) {
            offset += Int(units)
            return UnsafeBufferPointer(rebasing: text[start..<offset])
        }
        while units > 0 {
            guard offset < text.count else { throw malformed }
            let lead = text[offset]
            let (bytes, width): (Int, UInt64) =
                lead < 0x80 ? (1, 1) : lead < 0xe0 ? (2, 1) : lead < 0xf0 ? (3, 1) : (4, 2)
            guard width <= units else { throw malformed }
            offset += bytes
            units -= width
        }
        return UnsafeBufferPointer(rebasing: text[start..<offset])
    }

    private var malformed: UpdateError {
        end.error(.malformed, "strings end too early or within a character")
    }
}
