/// Decoders of the columns of a v2 update (lib0 `decoding.js`). Runs are counted down, never expanded, so a
/// column of few bytes may stand for any number of values: the caller bounds how many it takes.
struct RunLengthBytes {
    private var reader: ByteReader
    private var value: UInt8 = 0
    /// Values of the current run still to come. The last run has no end: more than any caller takes.
    private var left: UInt64 = 0

    init(_ column: ByteReader) { reader = column }

    /// The place in the update behind what was read.
    var place: Int { reader.place }

    func error(_ code: UpdateError.Code, _ message: String) -> UpdateError { reader.error(code, message) }

    @inline(__always)
    mutating func next() throws(UpdateError) -> UInt8 {
        if left == 0 {
            value = try reader.byte()
            left = reader.remaining > 0 ? try reader.varUint() + 1 : .max
        }
        left &-= 1
        return value
    }
}

/// Unsigned integers, runs of equal ones with a count (lib0 `UintOptRleDecoder`).
struct RunLengthUnsigned {
    private var reader: ByteReader
    private var value: UInt64 = 0
    private var left: UInt64 = 0

    init(_ column: ByteReader) { reader = column }

    var place: Int { reader.place }

    func error(_ code: UpdateError.Code, _ message: String) -> UpdateError { reader.error(code, message) }

    @inline(__always)
    mutating func next() throws(UpdateError) -> UInt64 {
        if left == 0 { try read() }
        left &-= 1
        return value
    }

    @inline(__always)
    private mutating func read() throws(UpdateError) {
        let (magnitude, negative) = try reader.varInt()
        value = magnitude
        left = negative ? try reader.varUint() + 2 : 1
    }
}

/// Integers as differences, runs of equal differences with a count (lib0 `IntDiffOptRleDecoder`).
struct RunLengthDifferences {
    private var reader: ByteReader
    private var value: Int64 = 0
    private var difference: Int64 = 0
    private var left: UInt64 = 0

    init(_ column: ByteReader) { reader = column }

    var place: Int { reader.place }

    @inline(__always)
    mutating func next() throws(UpdateError) -> UInt64 {
        if left == 0 { try read() }
        left &-= 1
        // Neither is beyond 2^53, so the sum of both is no overflow.
        value &+= difference
        guard value >= 0, value <= Int64(Limits.maxSafeInteger) else {
            throw reader.error(.malformed, "clock out of range")
        }
        return UInt64(truncatingIfNeeded: value)
    }

    @inline(__always)
    private mutating func read() throws(UpdateError) {
        let (magnitude, negative) = try reader.varInt()
        let coded = negative ? -Int64(magnitude) : Int64(magnitude)
        difference = coded >> 1
        left = coded & 1 == 1 ? try reader.varUint() + 2 : 1
    }
}

/// Strings: one text and the lengths of its parts in UTF-16 units (lib0 `StringDecoder`).
struct StringColumn {
    /// One of the strings: bytes from `start` on in the text.
    struct Part: BitwiseCopyable {
        var start: Int
        var length: Int
        var units: UInt64
        /// Whether the second half of a surrogate pair comes before the bytes, and the first half of one behind
        /// them: what JavaScript cut became a pair again where both halves were written next to each other.
        var beginsWithHalf = false
        var endsWithHalf = false

        var hasHalves: Bool { beginsWithHalf || endsWithHalf }
    }

    private let text: UnsafeBufferPointer<UInt8>
    /// Where the text begins in the update.
    private let textPlace: Int
    private let isASCII: Bool
    private var lengths: RunLengthUnsigned
    private var offset = 0
    /// Whether of the sequence before `offset` one unit is still to come.
    private var isHalfTaken = false

    init(_ column: ByteReader) throws(UpdateError) {
        var reader = column
        let (start, length, units) = try reader.string()
        text = reader.slice(start, length)
        textPlace = reader.place - length
        isASCII = units == length
        lengths = RunLengthUnsigned(reader)
    }

    func place(of part: Part) -> Int { textPlace + part.start }

    func bytes(_ part: Part) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: text[part.start..<part.start + part.length])
    }

    @inline(__always)
    mutating func next() throws(UpdateError) -> Part {
        let units = try lengths.next()
        let start = offset
        guard units <= UInt64(text.count - start), !isHalfTaken,
            isASCII || UTF8Text.isASCII(text, start, Int(truncatingIfNeeded: units))
        else { return try longPart(units) }
        offset += Int(truncatingIfNeeded: units)
        return Part(start: start, length: offset - start, units: units)
    }

    /// A part with longer sequences.
    private mutating func longPart(_ count: UInt64) throws(UpdateError) -> Part {
        var part = Part(start: offset, length: 0, units: count)
        var units = count
        if isHalfTaken, units > 0 {
            part.beginsWithHalf = true
            isHalfTaken = false
            units -= 1
        }
        while units > 0 {
            guard offset < text.count else { throw malformed }
            let lead = text[offset]
            let (bytes, width): (Int, UInt64) =
                lead < 0x80 ? (1, 1) : lead < 0xe0 ? (2, 1) : lead < 0xf0 ? (3, 1) : (4, 2)
            if width > units {
                part.length = offset - part.start
                part.endsWithHalf = true
                isHalfTaken = true
                offset += bytes
                return part
            }
            offset += bytes
            units -= width
        }
        part.length = offset - part.start
        return part
    }

    private var malformed: UpdateError {
        UpdateError(
            code: .malformed, offset: textPlace + offset,
            message: "strings end too early")
    }
}
