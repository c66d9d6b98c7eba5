/// CRC-32C (Castagnoli), the checksum of iSCSI (RFC 3720, appendix B.4): finds any damage of up to 32 bits in a row,
/// and misses other damage once in four thousand million times.
package struct CRC32C {
    private var register: UInt32 = .max

    package init() {}

    package var value: UInt32 { ~register }

    package mutating func add(_ bytes: some Collection<UInt8>) {
        let table = Self.table
        for byte in bytes {
            register = table[Int((register ^ UInt32(byte)) & 0xFF)] ^ (register >> 8)
        }
    }

    /// Eight bytes, least significant first.
    mutating func add(_ number: UInt64) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
        add(bytes)
    }

    /// A field behind its length, so that no two lists of fields are the same bytes.
    mutating func add(field bytes: some Collection<UInt8>) {
        add(UInt64(bytes.count))
        add(bytes)
    }

    private static let table: [UInt32] = (0..<256 as Range<UInt32>).map { byte in
        (0..<8).reduce(byte) { rest, _ in rest & 1 == 1 ? (rest >> 1) ^ 0x82F6_3B78 : rest >> 1 }
    }
}

extension LogRecord {
    /// CRC-32C over the room's id and every field, so that a record is neither damaged nor another's.
    public func checksum(in room: String) -> UInt32 {
        var sum = CRC32C()
        sum.add(field: room.utf8)
        sum.add(UInt64(bitPattern: sequence))
        sum.add(UInt64(kind.rawValue))
        sum.add(field: document.utf8)
        sum.add(field: author.utf8)
        sum.add(UInt64(bitPattern: committedAtMs))
        sum.add(field: payload)
        if let note { sum.add(field: note.utf8) }
        return sum.value
    }
}

extension RoomSnapshot {
    /// CRC-32C over everything it says.
    public var checksum: UInt32 {
        var sum = CRC32C()
        sum.add(field: roomID.utf8)
        sum.add(UInt64(bitPattern: sequence))
        sum.add(UInt64(bitPattern: committedAtMs))
        for document in documents.sorted(by: { $0.name < $1.name }) {
            sum.add(field: document.name.utf8)
            sum.add(field: document.state)
            for (client, owner) in document.owners.sorted(by: { $0.key < $1.key }) {
                sum.add(client)
                sum.add(field: owner.utf8)
            }
        }
        return sum.value
    }
}
