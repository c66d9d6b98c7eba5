import CRDT

/// Values as the fixtures have them: JSON, and `{"$": …}` for what JSON does not have.
enum FixtureValues {
    static func read(_ value: Value) -> Value {
        switch value {
        case .array(let values): return .array(values.map(read))
        case .object(let entries):
            guard let kind = value["$"]?.string else {
                return .object(entries.map { Value.Entry($0.key, read($0.value)) })
            }
            let text = value["is"]?.string ?? ""
            switch kind {
            case "undefined": return .undefined
            case "bigint": return .bigint(Int64(text) ?? 0)
            case "bytes": return .bytes(bytes(text))
            default: return .number(number(text))
            }
        default: return value
        }
    }

    private static func number(_ text: String) -> Double {
        switch text {
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        case "-0": -0.0
        default: .nan
        }
    }

    static func written(_ value: Value) -> Value {
        switch value {
        case .undefined: return ["$": "undefined"]
        case .bigint(let integer): return ["$": "bigint", "is": .string(String(integer))]
        case .bytes(let data): return ["$": "bytes", "is": .string(hex(data))]
        case .number(let number) where number.isNaN: return ["$": "number", "is": "NaN"]
        case .number(let number) where number.isInfinite:
            return ["$": "number", "is": number < 0 ? "-Infinity" : "Infinity"]
        case .number(let number) where number == 0 && number.sign == .minus:
            return ["$": "number", "is": "-0"]
        case .array(let values): return .array(values.map(written))
        case .object(let entries):
            return .object(entries.map { Value.Entry($0.key, written($0.value)) })
        default: return value
        }
    }

    static func written(_ value: SharedValue) -> Value {
        switch value {
        case .value(let plain): written(plain)
        case .text(let type): ["$": "text", "is": .string(type.string)]
        case .map(let type): ["$": "map", "is": written(type.json)]
        case .array(let type): ["$": "array", "is": written(type.json)]
        case .xmlFragment(let type): ["$": "xmlFragment", "is": .string(type.description)]
        case .xmlElement(let type): ["$": "xmlElement", "is": .string(type.description)]
        case .xmlText(let type): ["$": "xmlText", "is": .string(type.description)]
        case .xmlHook(let type): ["$": "xmlHook", "is": written(type.json)]
        case .document(let document): ["$": "doc", "guid": .string(document.guid)]
        }
    }

    /// What is to be inserted.
    static func content(_ value: Value) -> Content {
        let name = value["name"]?.string ?? ""
        switch value["$"]?.string {
        case "text": return .text
        case "map": return .map
        case "array": return .array
        case "xmlFragment": return .xmlFragment
        case "xmlElement": return .xmlElement(name)
        case "xmlText": return .xmlText
        case "xmlHook": return .xmlHook(name)
        case "doc": return .document(subdocument(value))
        default: return .value(read(value))
        }
    }

    private static func subdocument(_ value: Value) -> Document {
        let options = value["options"]
        let document = Document(
            clientID: 1, guid: value["guid"]?.string ?? "", gc: options?["gc"]?.bool ?? true)
        document.autoLoad = options?["autoLoad"]?.bool ?? false
        document.shouldLoad = options?["shouldLoad"]?.bool ?? true
        document.meta = options?["meta"] ?? .null
        return document
    }

    static func attributes(_ value: Value) -> Attributes {
        guard case .object(let entries) = value else { return [] }
        return entries.map { Value.Entry($0.key, read($0.value)) }
    }

    // MARK: Deltas

    static func written(_ delta: [DeltaOperation]) -> Value {
        .array(delta.flatMap(written))
    }

    private static func written(_ operation: DeltaOperation) -> [Value] {
        func with(_ attributes: Attributes, _ entry: Value.Entry) -> Value {
            guard !attributes.isEmpty else { return .object([entry]) }
            return .object([entry, Value.Entry("attributes", written(.object(attributes)))])
        }
        switch operation {
        case .retain(let length, let attributes):
            return [with(attributes, Value.Entry("retain", .integer(length)))]
        case .delete(let length): return [.object([Value.Entry("delete", .integer(length))])]
        case .insert(let insertion, let attributes):
            let content: Value =
                switch insertion {
                case .text(let text): .string(text)
                case .embed(let value): written(value)
                case .type(let type): written(type)
                case .values(let values): .array(values.map(written))
                }
            return [with(attributes, Value.Entry("insert", content))]
        }
    }

    static func delta(_ value: Value) throws -> [DeltaOperation] {
        try (value.array ?? []).map { one in
            let attributes = attributes(one["attributes"] ?? .undefined)
            if let length = one["retain"]?.integer { return .retain(length, attributes) }
            if let length = one["delete"]?.integer { return .delete(length) }
            guard let content = one["insert"] else { throw FixtureError("no operation of a delta") }
            if let text = content.string { return .insert(.text(text), attributes) }
            return .insert(.embed(read(content)), attributes)
        }
    }
}
