/// Ids that sort by the time they were made (RFC 9562, section 5.7).
public enum UUIDv7 {
    /// How many random bytes `make` uses.
    public static let randomByteCount = 10

    /// Lower-case, with dashes. `atMs` is cut to 48 bits; of `randomBytes` the first ten are used (74 bits of
    /// them), missing ones count as zero.
    public static func make(atMs: Int64, randomBytes: [UInt8]) -> String {
        var bytes = [UInt8]()
        bytes.reserveCapacity(16)
        let time = UInt64(bitPattern: atMs)
        for shift in stride(from: 40, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: time >> UInt64(shift)))
        }
        bytes.append(contentsOf: randomBytes.prefix(randomByteCount))
        while bytes.count < 16 { bytes.append(0) }
        bytes[6] = 0x70 | (bytes[6] & 0x0F)
        bytes[8] = 0x80 | (bytes[8] & 0x3F)

        let digits = Array("0123456789abcdef".utf8)
        var text = [UInt8]()
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
