/// Writes decoded structs as a v2 update.
struct UpdateV2Encoder {
    /// - Parameter keepsSubFlags: whether items with an origin keep the map key flag, as a document writes
    ///   them; the byte-level functions of Yjs drop it.
    static func bytes(of update: Update, keepsSubFlags: Bool) -> [UInt8] {
        var out = UpdateWriterV2(capacity: update.byteCount)
        update.storage.withUnsafeBufferPointer { structs(update, $0, keepsSubFlags, to: &out) }
        DeleteRanges.write(DeleteRanges.grouped(update.deletes), to: &out)
        return out.finish()
    }

    private static func structs(
        _ update: Update, _ storage: UnsafeBufferPointer<UInt8>, _ keepsSubFlags: Bool,
        to out: inout UpdateWriterV2
    ) {
        let groups = update.groups.filter { $0.start < $0.end }
        out.begin(clients: groups.count)
        for group in groups {
            out.begin(
                update.clientTable[Int(group.client)], structs: group.end - group.start,
                clock: update.records[group.start].clock)
            for record in update.records[group.start..<group.end] {
                self.record(record, update.clientTable, storage, keepsSubFlags, to: &out)
            }
        }
    }

    private static func record(
        _ record: StructRecord, _ table: [ClientID], _ storage: UnsafeBufferPointer<UInt8>,
        _ keepsSubFlags: Bool, to out: inout UpdateWriterV2
    ) {
        guard record.kind != .gc && record.kind != .skip else {
            out.info(record.kind.rawValue)
            return record.kind == .gc ? out.length(record.length) : out.skip(record.length)
        }
        let hasSub = record.subStart != absent || (keepsSubFlags && record.hasSubFlag)
        out.info(
            record.kind.rawValue | (record.hasOrigin ? 0x80 : 0) | (record.hasRightOrigin ? 0x40 : 0)
                | (hasSub ? 0x20 : 0))
        if record.hasOrigin { out.origin(table[Int(record.originClient)], record.originClock) }
        if record.hasRightOrigin { out.rightOrigin(table[Int(record.rightClient)], record.rightClock) }
        if !record.hasOrigin && !record.hasRightOrigin {
            if record.nameStart != absent {
                out.parent(root: Array(part(storage, record.nameStart, record.nameLength)))
            } else if record.parentClient != absent {
                out.parent(item: table[Int(record.parentClient)], record.parentClock)
            }
            if record.subStart != absent {
                out.mapKey(Array(part(storage, record.subStart, record.subLength)))
            }
        }
        content(record, part(storage, record.payloadStart, record.payloadLength), to: &out)
    }

    private static func part(
        _ storage: UnsafeBufferPointer<UInt8>, _ start: UInt32, _ length: UInt32
    ) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: storage[Int(start)..<Int(start) + Int(length)])
    }

    private static func content(
        _ record: StructRecord, _ payload: UnsafeBufferPointer<UInt8>, to out: inout UpdateWriterV2
    ) {
        switch record.kind {
        case .deleted: out.length(record.length)
        case .any:
            out.length(record.length)
            out.values(payload)
        case .json:
            out.length(record.length)
            out.content(.json, payload)
        case .string: out.text(payload, units: Int(record.length))
        default: out.content(record.kind, payload)
        }
    }
}

extension Update {
    /// The update in v2 format, as `Y.convertUpdateFormatV1ToV2` gives it.
    public func encodedV2() -> [UInt8] { UpdateV2Encoder.bytes(of: self, keepsSubFlags: hasFinalFlags) }
}
