import Rooms

/// The checksum of LevelDB's files: CRC-32C, masked as LevelDB does so that a checksum of bytes that hold a checksum is no
/// trivial one.
enum MaskedChecksum {
    static func of(_ parts: ArraySlice<UInt8>...) -> UInt32 {
        var sum = CRC32C()
        for part in parts { sum.add(part) }
        return (sum.value >> 15 | sum.value << 17) &+ 0xA282_EAD8
    }
}
