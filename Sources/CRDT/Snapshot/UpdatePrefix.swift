/// What a document held at an earlier state vector.
extension Update {
    /// The structs of some clocks of each client, with the given deletions: of an encoded state, what a document holds
    /// there now. One range a client. O(structs).
    public func part(_ ranges: [ClientRange], deletes: [ClientRange]) -> Update {
        var from = StateVector()
        var to = StateVector()
        for range in ranges {
            from[range.client] = range.from
            to[range.client] = range.to
        }
        return prefix(to, deletes: deletes).difference(since: from)
    }

    /// The structs below the clocks of `vector`, the last of each client cut there, with the given deletions.
    /// O(structs + bytes of the structs cut).
    func prefix(_ vector: StateVector, deletes: [ClientRange]) -> Update {
        var storage = storage
        var records: [StructRecord] = []
        var groups: [Group] = []
        for group in self.groups {
            let end = vector[clientTable[Int(group.client)]]
            let start = records.count
            for var record in self.records[group.start..<group.end] where UInt64(record.clock) < end {
                let length = UInt32(min(end - UInt64(record.clock), UInt64(record.length)))
                if length < record.length { Self.shorten(&record, to: length, in: &storage) }
                records.append(record)
            }
            if records.count > start {
                groups.append(Group(client: group.client, start: start, end: records.count))
            }
        }
        return Update(
            storage: storage, encodedCount: encodedCount, isV1: false, clientTable: clientTable,
            records: records,
            groups: groups, deletes: deletes)
    }

    /// Cuts the end off a struct. Half a surrogate pair becomes U+FFFD, as in yjs `ContentString.splice`.
    private static func shorten(_ record: inout StructRecord, to length: UInt32, in storage: inout [UInt8]) {
        let start = Int(record.payloadStart)
        let payload = Array(storage[start..<start + Int(record.payloadLength)])
        let whole = Int(record.length)
        record.length = length
        switch record.kind {
        case .string:
            let (offset, inside) = payload.withUnsafeBufferPointer {
                UTF8Text.byteOffset($0, units: Int(length), of: whole)
            }
            record.payloadLength = UInt32(offset)
            guard inside else { return }
            let (a, b, c) = UTF8Text.replacement
            record.payloadStart = UInt32(storage.count)
            record.payloadLength = UInt32(offset + 3)
            storage.append(contentsOf: payload[..<offset] + [a, b, c])
        case .any, .json:
            let kind = record.kind
            let offset = payload.withUnsafeBufferPointer {
                WireValues.offset(of: Int(length), in: $0, kind: kind)
            }
            record.payloadLength = UInt32(offset)
        default:
            // The other kinds have one unit, or none of their units has bytes of its own.
            return
        }
    }
}
