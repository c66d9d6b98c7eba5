/// Reads lib0's variable-length numbers and length-prefixed fields from a frame. Never reads past the end and never
/// allocates more than the frame holds.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    /// Where the next byte is in the frame.
    var offset: Int { index - bytes.startIndex }

    /// What was not read yet.
    var rest: ArraySlice<UInt8> { bytes[index...] }

    /// A number of at most 2^53 − 1 in 7-bit groups, least significant first.
    mutating func varUint() throws(FrameError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            guard shift <= 49 || (byte & 0x7F) == 0 else {
                throw .malformed("number over 2^53", offset: offset)
            }
            if shift <= 49 { value |= UInt64(byte & 0x7F) << shift }
            if byte < 0x80 {
                guard value < 1 << 53 else { throw .malformed("number over 2^53", offset: offset) }
                return value
            }
            shift += 7
            guard shift <= 70 else { throw .malformed("number too long", offset: offset) }
        }
        throw .malformed("frame ends within a number", offset: offset)
    }

    mutating func varBytes() throws(FrameError) -> ArraySlice<UInt8> {
        let count = try varUint()
        guard count <= UInt64(bytes.endIndex - index) else {
            throw .malformed("field longer than its frame", offset: offset)
        }
        let field = bytes[index..<index + Int(count)]
        index += Int(count)
        return field
    }

    mutating func varString() throws(FrameError) -> String {
        let field = try varBytes()
        guard let text = String(validating: field, as: UTF8.self) else {
            throw .malformed("text is not UTF-8", offset: offset)
        }
        return text
    }
}

extension [UInt8] {
    /// lib0's `varUint`.
    package mutating func appendVarUint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func appendVarBytes(_ field: some Collection<UInt8>) {
        appendVarUint(UInt64(field.count))
        append(contentsOf: field)
    }
}
