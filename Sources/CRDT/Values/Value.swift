/// A plain value as lib0's `any` and JSON carry it, with JavaScript's meaning.
public enum Value: Sendable, Hashable {
    case undefined
    case null
    case bool(Bool)
    /// JavaScript has one kind of number; integers are encoded compactly.
    case number(Double)
    case bigint(Int64)
    case string(String)
    /// Keys in JavaScript's own-key order once encoded: integer-like keys first, then as given.
    case object([Entry])
    case array([Value])
    case bytes([UInt8])

    /// One key of an object with its value.
    public struct Entry: Sendable, Hashable {
        public var key: String
        public var value: Value

        public init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// An integer; exact up to 2^53.
    public static func integer(_ value: Int) -> Value { .number(Double(value)) }

    /// An object from pairs, in their order.
    public static func object(_ pairs: KeyValuePairs<String, Value>) -> Value {
        .object(pairs.map { Entry($0.key, $0.value) })
    }

    /// The value of `key` when this is an object that has it.
    public subscript(key: String) -> Value? {
        guard case .object(let entries) = self else { return nil }
        return entries.last { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    public var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    public var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    public var number: Double? {
        if case .number(let value) = self { return value }
        return nil
    }

    /// The number as an integer when it is one.
    public var integer: Int? {
        if case .number(let value) = self { return Int(exactly: value) }
        return nil
    }

    /// Whether JavaScript takes the value for true.
    var isTruthy: Bool {
        switch self {
        case .undefined, .null: false
        case .bool(let flag): flag
        case .number(let number): number != 0 && !number.isNaN
        case .bigint(let integer): integer != 0
        case .string(let text): !text.isEmpty
        case .object, .array, .bytes: true
        }
    }

    public var array: [Value]? {
        if case .array(let values) = self { return values }
        return nil
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .object(elements.map { Entry($0.0, $0.1) })
    }
}

/// JavaScript's order of own keys: those that are array indices ascending, then the others as inserted; a
/// repeated key keeps its first place and takes its last value (ECMA-262, OrdinaryOwnPropertyKeys).
enum PropertyOrder {
    static func isOrdered(_ entries: [Value.Entry]) -> Bool {
        if entries.count < 2 { return true }
        var seen = Set<[UInt8]>()
        var previous: UInt32?
        var namesBegan = false
        for entry in entries {
            if !seen.insert(Array(entry.key.utf8)).inserted { return false }
            if let index = arrayIndex(entry.key) {
                if namesBegan { return false }
                if let previous, previous > index { return false }
                previous = index
            } else {
                namesBegan = true
            }
        }
        return true
    }

    static func ordered(_ entries: [Value.Entry]) -> [Value.Entry] {
        if isOrdered(entries) { return entries }
        var place: [[UInt8]: Int] = [:]
        var indices: [(UInt32, Value.Entry)] = []
        var names: [Value.Entry] = []
        var unique: [Value.Entry] = []
        for entry in entries {
            let key = Array(entry.key.utf8)
            if let at = place[key] {
                unique[at].value = entry.value
            } else {
                place[key] = unique.count
                unique.append(entry)
            }
        }
        for entry in unique {
            if let index = arrayIndex(entry.key) {
                indices.append((index, entry))
            } else {
                names.append(entry)
            }
        }
        indices.sort { $0.0 < $1.0 }
        return indices.map(\.1) + names
    }

    /// The key as a canonical array index (0 … 2^32 - 2), or nil.
    static func arrayIndex(_ key: String) -> UInt32? {
        let digits = key.utf8
        guard let first = digits.first, digits.count <= 10, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else {
            return nil
        }
        if first == 0x30 && digits.count > 1 { return nil }
        guard let index = UInt32(key), index != UInt32.max else { return nil }
        return index
    }
}
