/// Writes decoded structs as a v2 update (yjs `UpdateEncoderV2`).
struct UpdateV2Encoder {
    private var keyClocks = RunLengthDifferencesWriter()
    private var clients = RunLengthUnsignedWriter()
    private var leftClocks = RunLengthDifferencesWriter()
    private var rightClocks = RunLengthDifferencesWriter()
    private var infos = RunLengthBytesWriter()
    private var strings = StringColumnWriter()
    private var parentInfos = RunLengthBytesWriter()
    private var typeRefs = RunLengthUnsignedWriter()
    private var lengths = RunLengthUnsignedWriter()
    private var rest = ByteWriter()
    private var keyCount: UInt64 = 0

    /// - Parameter keepsSubFlags: whether items with an origin keep the map key flag, as a document writes
    ///   them; the byte-level functions of Yjs drop it.
    static func bytes(of update: Update, keepsSubFlags: Bool) -> [UInt8] {
        var encoder = UpdateV2Encoder()
        update.storage.withUnsafeBufferPointer { encoder.structs(update, $0, keepsSubFlags) }
        DeleteRanges.writeV2(DeleteRanges.merged(update.deletes), to: &encoder.rest)
        return encoder.finish()
    }

    private mutating func finish() -> [UInt8] {
        var out = ByteWriter()
        out.varUint(0 as UInt64)
        out.varBytes(keyClocks.finish())
        out.varBytes(clients.finish())
        out.varBytes(leftClocks.finish())
        out.varBytes(rightClocks.finish())
        out.varBytes(infos.bytes)
        out.varBytes(strings.finish())
        out.varBytes(parentInfos.bytes)
        out.varBytes(typeRefs.finish())
        out.varBytes(lengths.finish())
        out.raw(rest.bytes)
        return out.bytes
    }

    private mutating func structs(
        _ update: Update, _ storage: UnsafeBufferPointer<UInt8>, _ keepsSubFlags: Bool
    ) {
        rest.varUint(UInt64(update.groups.count))
        for group in update.groups {
            rest.varUint(UInt64(group.end - group.start))
            clients.write(update.clientTable[Int(group.client)])
            rest.varUint(group.start < group.end ? update.records[group.start].clock : 0)
            for record in update.records[group.start..<group.end] {
                self.record(record, update.clientTable, storage, keepsSubFlags)
            }
        }
    }

    private mutating func record(
        _ record: StructRecord, _ table: [ClientID], _ storage: UnsafeBufferPointer<UInt8>,
        _ keepsSubFlags: Bool
    ) {
        guard record.kind != .gc && record.kind != .skip else {
            infos.write(record.kind.rawValue)
            if record.kind == .gc {
                lengths.write(UInt64(record.length))
            } else {
                rest.varUint(record.length)
            }
            return
        }
        let hasSub = record.subStart != absent || (keepsSubFlags && record.hasSubFlag)
        infos.write(
            record.kind.rawValue | (record.hasOrigin ? 0x80 : 0) | (record.hasRightOrigin ? 0x40 : 0)
                | (hasSub ? 0x20 : 0))
        if record.hasOrigin {
            clients.write(table[Int(record.originClient)])
            leftClocks.write(UInt64(record.originClock))
        }
        if record.hasRightOrigin {
            clients.write(table[Int(record.rightClient)])
            rightClocks.write(UInt64(record.rightClock))
        }
        if !record.hasOrigin && !record.hasRightOrigin {
            if record.nameStart != absent {
                parentInfos.write(1)
                strings.write(Self.part(storage, record.nameStart, record.nameLength))
            } else if record.parentClient != absent {
                parentInfos.write(0)
                clients.write(table[Int(record.parentClient)])
                leftClocks.write(UInt64(record.parentClock))
            }
            if record.subStart != absent {
                strings.write(Self.part(storage, record.subStart, record.subLength))
            }
        }
        content(record, Self.part(storage, record.payloadStart, record.payloadLength))
    }

    private static func part(
        _ storage: UnsafeBufferPointer<UInt8>, _ start: UInt32, _ length: UInt32
    ) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: storage[Int(start)..<Int(start) + Int(length)])
    }

    private mutating func content(_ record: StructRecord, _ payload: UnsafeBufferPointer<UInt8>) {
        switch record.kind {
        case .deleted: lengths.write(UInt64(record.length))
        case .any:
            lengths.write(UInt64(record.length))
            rest.raw(payload)
        case .string: strings.write(payload)
        case .binary: rest.raw(payload)
        case .gc, .skip: break
        default:
            var reader = ByteReader(payload)
            // The payload was checked when it was decoded, so nothing is thrown here.
            do throws(UpdateError) { try coded(record, &reader) } catch { return }
        }
    }

    /// Contents whose parts go to different columns.
    private mutating func coded(_ record: StructRecord, _ reader: inout ByteReader) throws(UpdateError) {
        switch record.kind {
        case .json:
            lengths.write(UInt64(record.length))
            for _ in 0..<record.length { strings.write(try Self.string(&reader)) }
        case .embed:
            rest.any(WireValues.embed(reader.slice(0, reader.count)))
        case .format:
            key(try Self.string(&reader))
            rest.any(WireValues.format(reader.slice(0, reader.count)).value)
        case .type:
            typeRefs.write(try reader.varUint())
            if record.typeRef == 3 || record.typeRef == 5 { key(try Self.string(&reader)) }
        case .document:
            strings.write(try Self.string(&reader))
            rest.raw(reader.slice(reader.offset, reader.remaining))
        default:
            return
        }
    }

    private static func string(_ reader: inout ByteReader) throws(UpdateError) -> UnsafeBufferPointer<UInt8> {
        let (start, length, _) = try reader.string()
        return reader.slice(start, length)
    }

    /// Yjs numbers each key anew, even one it has sent.
    private mutating func key(_ text: UnsafeBufferPointer<UInt8>) {
        keyClocks.write(keyCount)
        keyCount += 1
        strings.write(text)
    }
}

extension Update {
    /// The update in v2 format, as `Y.convertUpdateFormatV1ToV2` gives it.
    public func encodedV2() -> [UInt8] { UpdateV2Encoder.bytes(of: self, keepsSubFlags: false) }
}

extension Document {
    /// `Y.encodeStateAsUpdateV2`.
    public func encodeStateAsUpdateV2(since: StateVector? = nil) -> [UInt8] {
        let update = UpdateBuilder.decoded(encodeStateAsUpdate(since: since))
        return UpdateV2Encoder.bytes(of: update, keepsSubFlags: true)
    }
}
