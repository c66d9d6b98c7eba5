/// Attributes in force at a place, with the order of a JavaScript `Map`: a name keeps its place until it is
/// taken out.
struct AttributeMap {
    private(set) var entries: Attributes = []

    init(_ entries: Attributes = []) {
        for entry in entries where entry.value != .undefined { set(entry.key, entry.value) }
    }

    private func place(_ key: String) -> Int? { entries.firstIndex { $0.key.isSame(key) } }

    /// The value, nil when the name is not there. Names are taken out by `remove`: `nil` would be taken for a
    /// `null`, which is a value.
    subscript(key: String) -> Value? { place(key).map { entries[$0].value } }

    mutating func set(_ key: String, _ value: Value) {
        if let place = place(key) {
            entries[place].value = value
        } else {
            entries.append(Value.Entry(key, value))
        }
    }

    mutating func remove(_ key: String) {
        if let place = place(key) { entries.remove(at: place) }
    }

    /// Sets the name, or takes it out where the value is `null`.
    mutating func setOrRemove(_ key: String, _ value: Value) {
        if value == .null { remove(key) } else { set(key, value) }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Takes over what a format item says (yjs `updateCurrentAttributes`).
    mutating func apply(_ format: Format) { setOrRemove(format.key, format.value) }
}

/// What a format item says.
struct Format {
    var key: String
    var value: Value
}

extension String {
    /// Whether the code units are the same; Swift's equality takes different spellings of a letter for one.
    func isSame(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension Value {
    /// Equality of attribute values as Yjs has it (`equalAttrs`): `===`, or objects whose members are. Objects
    /// in objects are never the same, since JavaScript compares which they are and not what they hold.
    func isSameAttribute(as other: Value) -> Bool {
        guard let (a, b) = members(with: other) else { return isIdentical(to: other) }
        guard a.count == b.count else { return false }
        return a.allSatisfy { entry in
            guard let match = b.first(where: { $0.key.isSame(entry.key) }) else { return false }
            return entry.value.isIdentical(to: match.value)
        }
    }

    /// Members of both values when both are objects or arrays.
    private func members(with other: Value) -> (Attributes, Attributes)? {
        guard let own = ownMembers, let others = other.ownMembers else { return nil }
        return (own, others)
    }

    private var ownMembers: Attributes? {
        switch self {
        case .object(let entries): entries
        case .array(let values): values.enumerated().map { Value.Entry(String($0.offset), $0.element) }
        default: nil
        }
    }

    /// JavaScript's `===` for values that are no objects; false for those that are.
    private func isIdentical(to other: Value) -> Bool {
        switch (self, other) {
        case (.undefined, .undefined), (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.bigint(let a), .bigint(let b)): a == b
        case (.string(let a), .string(let b)): a.isSame(b)
        default: false
        }
    }
}
