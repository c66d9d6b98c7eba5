/// A sorted table of LevelDB (leveldb, doc/table_format.md): blocks of keys with common beginnings left out.
enum SortedTable {
    private static let footerBytes = 48
    private static let magic: UInt64 = 0xDB47_7524_8B80_FB57

    /// Calls `body` with every internal key and value, in order.
    static func forEach(
        in bytes: [UInt8],
        _ body: (_ key: [UInt8], _ value: ArraySlice<UInt8>) throws(ForeignStoreError) -> Void
    ) throws(ForeignStoreError) {
        guard bytes.count >= footerBytes else { throw ByteCursor.tooShort }
        var footer = ByteCursor(bytes[(bytes.count - footerBytes)...])
        for _ in 0..<2 { _ = try footer.varint() }
        let index = try Handle(&footer)
        var end = ByteCursor(bytes[(bytes.count - 8)...])
        guard try end.littleEndian(8) == magic else {
            throw ForeignStoreError("a table is none of LevelDB's")
        }
        try forEach(inBlock: try block(index, in: bytes)) { (_, value) throws(ForeignStoreError) in
            var cursor = ByteCursor(value)
            try forEach(inBlock: try block(Handle(&cursor), in: bytes), body)
        }
    }

    private struct Handle {
        var offset: Int
        var size: Int

        init(_ cursor: inout ByteCursor) throws(ForeignStoreError) {
            offset = try cursor.count()
            size = try cursor.count()
        }
    }

    private static func block(_ handle: Handle, in bytes: [UInt8]) throws(ForeignStoreError) -> [UInt8] {
        guard handle.size <= bytes.count - 5, handle.offset <= bytes.count - 5 - handle.size else {
            throw ByteCursor.tooShort
        }
        let data = bytes[handle.offset..<(handle.offset + handle.size)]
        var trailer = ByteCursor(bytes[data.endIndex..<(data.endIndex + 5)])
        let type = try trailer.byte()
        guard MaskedChecksum.of(data, [type]) == UInt32(truncatingIfNeeded: try trailer.littleEndian(4))
        else {
            throw ForeignStoreError("a block of a table has a wrong checksum")
        }
        switch type {
        case 0: return Array(data)
        case 1: return try Snappy.decompressed(data)
        default: throw ForeignStoreError("a block of a table is compressed in a way that is not known here")
        }
    }

    private static func forEach(
        inBlock block: [UInt8],
        _ body: (_ key: [UInt8], _ value: ArraySlice<UInt8>) throws(ForeignStoreError) -> Void
    ) throws(ForeignStoreError) {
        guard block.count >= 4 else { throw ByteCursor.tooShort }
        var tail = ByteCursor(block[(block.count - 4)...])
        let restarts = Int(try tail.littleEndian(4))
        guard restarts <= (block.count - 4) / 4 else { throw ByteCursor.tooShort }
        var cursor = ByteCursor(block[..<(block.count - 4 - restarts * 4)])
        var key: [UInt8] = []
        while !cursor.isAtEnd {
            let shared = try cursor.count()
            let fresh = try cursor.count()
            let valueBytes = try cursor.count()
            guard shared <= key.count else { throw ForeignStoreError("a key of a table is damaged") }
            key.removeLast(key.count - shared)
            key += try cursor.take(fresh)
            try body(key, try cursor.take(valueBytes))
        }
    }
}
