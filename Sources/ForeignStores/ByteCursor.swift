/// Reads numbers and bytes of a file that may be damaged or hostile.
struct ByteCursor {
    let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position >= bytes.endIndex }
    var remaining: Int { bytes.endIndex - position }

    mutating func byte() throws(ForeignStoreError) -> UInt8 {
        guard position < bytes.endIndex else { throw Self.tooShort }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func take(_ count: Int) throws(ForeignStoreError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw Self.tooShort }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    mutating func littleEndian(_ width: Int) throws(ForeignStoreError) -> UInt64 {
        var value: UInt64 = 0
        for (index, byte) in try take(width).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
        return value
    }

    /// Seven bits a byte, least significant first; lib0's and LevelDB's alike.
    mutating func varint() throws(ForeignStoreError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw ForeignStoreError("a number is too large")
    }

    mutating func count() throws(ForeignStoreError) -> Int {
        guard let count = Int(exactly: try varint()) else { throw Self.tooShort }
        return count
    }

    mutating func prefixed() throws(ForeignStoreError) -> ArraySlice<UInt8> { try take(count()) }

    static let tooShort = ForeignStoreError("the file ends too early")
}
