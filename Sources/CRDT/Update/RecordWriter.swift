/// Writes one struct of a decoded update, from an offset on if part of it is cut off.
enum RecordWriter {
    static func write(
        _ source: UpdateBuilder.Source, _ form: UpdateBuilder.Form, to out: inout ByteWriter
    ) {
        let record = source.record
        guard record.kind != .gc && record.kind != .skip else {
            out.byte(record.kind.rawValue)
            out.varUint(source.length)
            return
        }
        let table = source.update.clientTable
        let isCut = source.cut > 0
        let hasOrigin = record.hasOrigin || isCut
        var info = record.kind.rawValue
        if hasOrigin { info |= 0x80 }
        if record.hasRightOrigin { info |= 0x40 }
        if record.subStart != absent || form == .v1 && record.hasSubFlag { info |= 0x20 }
        out.byte(info)
        if isCut {
            out.varUint(source.client)
            out.varUint(source.clock - 1)
        } else if record.hasOrigin {
            out.varUint(table[Int(record.originClient)])
            out.varUint(record.originClock)
        }
        if record.hasRightOrigin {
            out.varUint(table[Int(record.rightClient)])
            out.varUint(record.rightClock)
        }
        source.update.storage.withUnsafeBufferPointer { storage in
            if !hasOrigin && !record.hasRightOrigin { place(record, table, storage, &out) }
            let start = Int(record.payloadStart)
            let payload = UnsafeBufferPointer(rebasing: storage[start..<start + Int(record.payloadLength)])
            content(record, cut: source.cut, payload, form, &out)
        }
    }

    private static func place(
        _ record: StructRecord, _ table: [ClientID], _ storage: UnsafeBufferPointer<UInt8>,
        _ out: inout ByteWriter
    ) {
        if record.nameStart != absent {
            out.byte(1)
            string(storage, record.nameStart, record.nameLength, &out)
        } else if record.parentClient != absent {
            out.byte(0)
            out.varUint(table[Int(record.parentClient)])
            out.varUint(record.parentClock)
        }
        if record.subStart != absent { string(storage, record.subStart, record.subLength, &out) }
    }

    private static func string(
        _ storage: UnsafeBufferPointer<UInt8>, _ start: UInt32, _ length: UInt32, _ out: inout ByteWriter
    ) {
        out.varUint(length)
        out.raw(UnsafeBufferPointer(rebasing: storage[Int(start)..<Int(start) + Int(length)]))
    }

    private static func content(
        _ record: StructRecord, cut: UInt32, _ payload: UnsafeBufferPointer<UInt8>,
        _ form: UpdateBuilder.Form, _ out: inout ByteWriter
    ) {
        switch record.kind {
        case .deleted:
            out.varUint(record.length - cut)
        case .string:
            if cut == 0 {
                out.varUint(UInt64(payload.count))
                out.raw(payload)
            } else {
                out.varBytes(UTF8Text.suffix(payload, from: Int(cut), of: Int(record.length)))
            }
        case .json, .any:
            out.varUint(record.length - cut)
            let offset = WireValues.offset(of: Int(cut), in: payload, kind: record.kind)
            out.raw(UnsafeBufferPointer(rebasing: payload[offset...]))
        default:
            if form == .v1, let other = PayloadValue.v1Form(record.kind, payload) {
                out.raw(other)
            } else {
                out.raw(payload)
            }
        }
    }
}
