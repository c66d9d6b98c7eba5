/// A readable listing of an update.
extension Update {
    /// Calls `body` with a description of each struct in order: `{id, length, kind, origin?, right_origin?,
    /// parent?, key?, content?}`, ids written as `client:clock`.
    public func forEachStruct(_ body: (Value) -> Void) {
        storage.withUnsafeBufferPointer { storage in
            for record in records { body(.object(description(of: record, storage))) }
        }
    }

    private func id(_ client: UInt32, _ clock: UInt32) -> Value {
        .string("\(clientTable[Int(client)]):\(clock)")
    }

    private func description(of record: StructRecord, _ storage: UnsafeBufferPointer<UInt8>) -> [Value.Entry]
    {
        func part(_ start: UInt32, _ length: UInt32) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: storage[Int(start)..<Int(start) + Int(length)])
        }
        func text(_ start: UInt32, _ length: UInt32) -> Value {
            .string(String(decoding: part(start, length), as: UTF8.self))
        }
        var entries = [
            Value.Entry("id", id(record.client, record.clock)),
            Value.Entry("length", .integer(Int(record.length))),
            Value.Entry("kind", .string("\(record.kind)")),
        ]
        if record.hasOrigin {
            entries.append(Value.Entry("origin", id(record.originClient, record.originClock)))
        }
        if record.hasRightOrigin {
            entries.append(Value.Entry("right_origin", id(record.rightClient, record.rightClock)))
        }
        if record.nameStart != absent {
            entries.append(Value.Entry("parent", text(record.nameStart, record.nameLength)))
        } else if record.parentClient != absent {
            entries.append(Value.Entry("parent", ["item": id(record.parentClient, record.parentClock)]))
        }
        if record.subStart != absent {
            entries.append(Value.Entry("key", text(record.subStart, record.subLength)))
        }
        if let content = Self.content(record, part(record.payloadStart, record.payloadLength)) {
            entries.append(Value.Entry("content", content))
        }
        return entries
    }

    private static func content(_ record: StructRecord, _ payload: UnsafeBufferPointer<UInt8>) -> Value? {
        switch record.kind {
        case .gc, .skip, .deleted: return nil
        case .string: return .string(String(decoding: payload, as: UTF8.self))
        case .any, .json: return .array(WireValues.values(payload, kind: record.kind))
        case .binary: return WireValues.binary(payload)
        case .embed: return WireValues.embed(payload)
        case .format:
            let (key, value) = WireValues.format(payload)
            return ["key": .string(key), "value": value]
        case .document: return ["guid": .string(WireValues.guid(payload))]
        case .type:
            let kind = TypeKind(rawValue: record.typeRef).map { "\($0)" } ?? "unknown"
            guard let (_, name) = RecordPayload.typeName(payload) else { return ["type": .string(kind)] }
            return ["type": .string(kind), "name": .string(String(decoding: name, as: UTF8.self))]
        }
    }
}
