/// The checksum of LevelDB's files: CRC-32C (RFC 3720), masked as LevelDB does so that a checksum of bytes that hold a
/// checksum is no trivial one.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    static func masked(_ parts: ArraySlice<UInt8>...) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for part in parts {
            for byte in part { crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
        }
        crc ^= 0xFFFF_FFFF
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
