/// Reads the primitives of lib0 from a buffer that outlives it. Every read is checked against the end.
struct ByteReader {
    let base: UnsafePointer<UInt8>?
    let count: Int
    private(set) var offset = 0
    /// Integers read so far that took more bytes than they need: who writes them again writes them shorter.
    private(set) var longForms = 0
    /// Where the buffer begins in what it is a part of: errors name places of the whole.
    private let origin: Int

    init(_ buffer: UnsafeBufferPointer<UInt8>, origin: Int = 0) {
        base = buffer.baseAddress
        count = buffer.count
        self.origin = origin
    }

    /// The next byte's place in the whole.
    var place: Int { origin + offset }

    var remaining: Int { count - offset }

    func error(_ code: UpdateError.Code, _ message: String) -> UpdateError {
        UpdateError(code: code, offset: place, message: message)
    }

    func expectEnd() throws(UpdateError) {
        if offset != count { throw error(.malformed, "\(remaining) bytes after the end") }
    }

    @inline(__always)
    mutating func byte() throws(UpdateError) -> UInt8 {
        guard offset < count, let base else { throw error(.malformed, "unexpected end") }
        let value = base[offset]
        offset += 1
        return value
    }

    /// The next byte, which stays the next.
    func peek() throws(UpdateError) -> UInt8 {
        guard offset < count, let base else { throw error(.malformed, "unexpected end") }
        return base[offset]
    }

    /// An unsigned integer of at most 53 bits in 7-bit groups, lowest first; longer forms than needed are
    /// accepted.
    @inline(__always)
    mutating func varUint() throws(UpdateError) -> UInt64 {
        let first = try byte()
        if first < 0x80 { return UInt64(first) }
        return try varUintTail(UInt64(first & 0x7f))
    }

    private mutating func varUintTail(_ first: UInt64) throws(UpdateError) -> UInt64 {
        var value = first
        var shift: UInt64 = 7
        while true {
            let next = try byte()
            guard shift < 56 else { throw error(.malformed, "integer out of range") }
            value |= UInt64(next & 0x7f) << shift
            if value > Limits.maxSafeInteger { throw error(.malformed, "integer out of range") }
            if next == 0 { longForms += 1 }
            if next < 0x80 { return value }
            shift += 7
        }
    }

    /// A signed integer: sign bit 0x40 in the first byte, six value bits there, seven in each that follows.
    mutating func varInt() throws(UpdateError) -> (magnitude: UInt64, negative: Bool) {
        let first = try byte()
        let negative = first & 0x40 != 0
        var value = UInt64(first & 0x3f)
        if first < 0x80 { return (value, negative) }
        var shift: UInt64 = 6
        while true {
            let next = try byte()
            guard shift < 55 else { throw error(.malformed, "integer out of range") }
            value |= UInt64(next & 0x7f) << shift
            if value > Limits.maxSafeInteger { throw error(.malformed, "integer out of range") }
            if next < 0x80 { return (value, negative) }
            shift += 7
        }
    }

    /// A length that must fit in what is left of the buffer.
    @inline(__always)
    mutating func length() throws(UpdateError) -> Int {
        let value = try varUint()
        guard value <= UInt64(remaining) else { throw error(.malformed, "length \(value) beyond the end") }
        return Int(value)
    }

    mutating func skip(_ n: Int) throws(UpdateError) {
        guard n >= 0, n <= remaining else { throw error(.malformed, "unexpected end") }
        offset += n
    }

    /// The bytes of `range`, which must come from positions this reader has passed.
    @inline(__always)
    func slice(_ start: Int, _ length: Int) -> UnsafeBufferPointer<UInt8> {
        precondition(start >= 0 && length >= 0 && start + length <= count)
        return UnsafeBufferPointer(start: base.map { $0 + start }, count: length)
    }

    /// A string's bytes, checked to be UTF-8. Gives their place and the length in UTF-16 units.
    @inline(__always)
    mutating func string() throws(UpdateError) -> (start: Int, bytes: Int, units: Int) {
        let length = try length()
        let start = offset
        guard let units = UTF8Text.utf16Length(slice(start, length)) else {
            throw error(.malformed, "string is not UTF-8")
        }
        offset += length
        return (start, length, units)
    }

    mutating func float64() throws(UpdateError) -> UInt64 {
        var bits: UInt64 = 0
        for _ in 0..<8 { bits = bits << 8 | UInt64(try byte()) }
        return bits
    }

    mutating func float32() throws(UpdateError) -> UInt32 {
        var bits: UInt32 = 0
        for _ in 0..<4 { bits = bits << 8 | UInt32(try byte()) }
        return bits
    }
}
