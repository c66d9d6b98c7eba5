import CRDT

/// How values travel in the replica protocol: JSON, with objects that have a `$` member for what JSON cannot say.
enum ReplicaCoding {
    // MARK: Answers

    /// A plain value.
    static func coded(_ value: Value) -> Value {
        switch value {
        case .undefined: return ["$": "undefined"]
        case .number(let number):
            if number.isNaN { return special("NaN") }
            if number.isInfinite { return special(number < 0 ? "-Infinity" : "Infinity") }
            return number == 0 && number.sign == .minus ? special("-0") : value
        case .bigint(let integer): return ["$": "bigint", "of": .string(String(integer))]
        case .bytes(let bytes): return ["$": "bytes", "hex": .string(Hex.text(bytes))]
        case .array(let values): return .array(values.map(coded))
        case .object(let entries): return .object(entries.map { Value.Entry($0.key, coded($0.value)) })
        case .null, .bool, .string: return value
        }
    }

    private static func special(_ name: String) -> Value { ["$": "number", "of": .string(name)] }

    /// A value that was read; shared types as `expand` writes them.
    static func coded(_ value: SharedValue, expand: (SharedValue) -> Value = reference) -> Value {
        switch value {
        case .value(let plain): coded(plain)
        case .document(let document): ["$": "doc", "guid": .string(document.guid)]
        default: expand(value)
        }
    }

    /// Kind and id of a shared type.
    static func reference(_ value: SharedValue) -> Value {
        ["$": .string(kind(of: value)), "id": .string(name(of: value.type?.id))]
    }

    static func kind(of value: SharedValue) -> String {
        switch value {
        case .text: "text"
        case .map: "map"
        case .array: "array"
        case .xmlFragment: "fragment"
        case .xmlElement: "element"
        case .xmlText: "xmltext"
        case .xmlHook: "hook"
        case .value, .document: "value"
        }
    }

    static func name(of id: SharedTypeID?) -> String {
        switch id {
        case .root(let name): "root:" + name
        case .item(let id): "\(id.client):\(id.clock)"
        case nil: "gone"
        }
    }

    static func operation(_ operation: DeltaOperation, expand: (SharedValue) -> Value = reference) -> Value {
        func object(_ name: String, _ value: Value, _ attributes: Attributes) -> Value {
            var entries = [Value.Entry(name, value)]
            if !attributes.isEmpty { entries.append(Value.Entry("attributes", coded(.object(attributes)))) }
            return .object(entries)
        }
        switch operation {
        case .insert(.text(let text), let attributes): return object("insert", .string(text), attributes)
        case .insert(.embed(let value), let attributes): return object("insert", coded(value), attributes)
        case .insert(.type(let type), let attributes):
            return object("insert", coded(type, expand: expand), attributes)
        case .insert(.values(let values), let attributes):
            return object("insert", .array(values.map { coded($0, expand: expand) }), attributes)
        case .retain(let length, let attributes): return object("retain", .integer(length), attributes)
        case .delete(let length): return object("delete", .integer(length), [])
        }
    }

    static func ranges(_ ranges: [Update.ClientRange]) -> Value {
        .array(
            ranges.sorted { ($0.client, $0.from) < ($1.client, $1.from) }.map {
                [.number(Double($0.client)), .number(Double($0.from)), .number(Double($0.to - $0.from))]
            })
    }

    // MARK: Requests

    /// The plain value that a request names.
    static func value(_ coded: Value) -> Value {
        switch coded {
        case .array(let values): return .array(values.map(value))
        case .object(let entries):
            switch coded["$"]?.string {
            case nil: return .object(entries.map { Value.Entry($0.key, value($0.value)) })
            case "number": return .number(Double(coded["of"]?.string ?? "") ?? .nan)
            case "bigint": return .bigint(Int64(coded["of"]?.string ?? "") ?? 0)
            case "bytes": return .bytes(Hex.bytes(coded["hex"]?.string ?? ""))
            default: return .undefined
            }
        default: return coded
        }
    }

    /// The value, new type or new subdocument that a request names.
    static func content(_ coded: Value) -> Content {
        switch coded["$"]?.string {
        case "text": return .text
        case "map": return .map
        case "array": return .array
        case "fragment": return .xmlFragment
        case "xmltext": return .xmlText
        case "element": return .xmlElement(coded["name"]?.string ?? "")
        case "hook": return .xmlHook(coded["name"]?.string ?? "")
        case "doc":
            let guid = coded["guid"]?.string ?? ""
            let document = Document(clientID: 0, guid: guid, gc: coded["gc"]?.bool ?? true)
            document.autoLoad = coded["autoLoad"]?.bool ?? false
            document.meta = coded["meta"].map(value) ?? .null
            return .document(document)
        default: return .value(value(coded))
        }
    }

    static func attributes(_ coded: Value?) -> Attributes? {
        guard case .object(let entries)? = coded.map(value) else { return nil }
        return entries
    }

    static func operation(_ coded: Value) -> DeltaOperation {
        let attributes = attributes(coded["attributes"]) ?? []
        if let length = coded["retain"]?.integer { return .retain(length, attributes) }
        if let length = coded["delete"]?.integer { return .delete(length) }
        let inserted = coded["insert"] ?? .null
        if let text = inserted.string { return .insert(.text(text), attributes) }
        return .insert(.embed(value(inserted)), attributes)
    }
}

enum Hex {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { $0 < 0x3a ? $0 &- 0x30 : ($0 | 0x20) &- 0x57 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] & 15 }
    }
}
