/// The records of a LevelDB log, which the write-ahead log and the manifest are (leveldb, doc/log_format.md).
struct LogRecords {
    private static let blockBytes = 32_768
    private static let headerBytes = 7

    /// The whole records from the beginning. A process that died leaves half a record at the end: there they stop.
    static func all(in bytes: [UInt8]) throws(ForeignStoreError) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var open: [UInt8]?
        var position = 0
        while position + headerBytes <= bytes.count {
            let left = blockBytes - position % blockBytes
            guard left >= headerBytes else {
                position += left
                continue
            }
            var header = ByteCursor(bytes[position..<(position + headerBytes)])
            let checksum = UInt32(truncatingIfNeeded: try header.littleEndian(4))
            let length = Int(try header.littleEndian(2))
            let type = try header.byte()
            // What was set aside and never written.
            if type == 0 && length == 0 { break }
            let start = position + headerBytes
            guard length <= left - headerBytes, start + length <= bytes.count else { break }
            let data = bytes[start..<(start + length)]
            guard MaskedChecksum.of([type], data) == checksum else {
                throw ForeignStoreError("a record of a log has a wrong checksum")
            }
            position = start + length
            switch type {
            case 1: records.append(Array(data))
            case 2: open = Array(data)
            case 3: open? += data
            case 4:
                if let first = open { records.append(first + data) }
                open = nil
            default: throw ForeignStoreError("a record of a log is of an unknown type")
            }
        }
        return records
    }
}
