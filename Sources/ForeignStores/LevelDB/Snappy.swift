/// Snappy's raw format (google/snappy, format_description.txt), decompression alone.
enum Snappy {
    private static let maximumBytes = 256 << 20

    static func decompressed(_ bytes: ArraySlice<UInt8>) throws(ForeignStoreError) -> [UInt8] {
        var input = ByteCursor(bytes)
        let length = try input.count()
        guard length <= maximumBytes else { throw ForeignStoreError("a compressed block is too large") }
        var out: [UInt8] = []
        out.reserveCapacity(min(length, bytes.count * 32))
        while !input.isAtEnd {
            let tag = Int(try input.byte())
            switch tag & 3 {
            case 0:
                var count = tag >> 2
                if count >= 60 { count = Int(try input.littleEndian(count - 59)) }
                out += try input.take(count + 1)
            case 1:
                let offset = (tag >> 5) << 8 | Int(try input.byte())
                try copy(4 + (tag >> 2 & 7), from: offset, to: &out, limit: length)
            case 2: try copy(1 + (tag >> 2), from: Int(try input.littleEndian(2)), to: &out, limit: length)
            default: try copy(1 + (tag >> 2), from: Int(try input.littleEndian(4)), to: &out, limit: length)
            }
            guard out.count <= length else { throw damaged }
        }
        guard out.count == length else { throw damaged }
        return out
    }

    private static func copy(
        _ count: Int, from offset: Int, to out: inout [UInt8], limit: Int
    ) throws(ForeignStoreError) {
        guard offset > 0, offset <= out.count, out.count + count <= limit else { throw damaged }
        // What is copied may overlap what it becomes.
        for _ in 0..<count { out.append(out[out.count - offset]) }
    }

    private static let damaged = ForeignStoreError("a compressed block is damaged")
}
