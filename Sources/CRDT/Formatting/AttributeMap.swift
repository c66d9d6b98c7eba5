/// Attributes in force at a place, with the order of a JavaScript `Map`: a name keeps its place until it is
/// taken out.
struct AttributeMap {
    private(set) var entries: Attributes = []
    /// Of each entry, which object its value is.
    private var objects: [UInt64?] = []

    init(_ entries: Attributes = []) {
        for entry in entries where entry.value != .undefined { set(entry.key, Attribute(entry.value)) }
    }

    private func place(_ key: String) -> Int? { entries.firstIndex { $0.key.isSame(key) } }

    /// The value, nil when the name is not there.
    subscript(key: String) -> Attribute? {
        place(key).map { Attribute(entries[$0].value, object: objects[$0]) }
    }

    /// Names and values in their order.
    var all: [(key: String, attribute: Attribute)] {
        zip(entries, objects).map { ($0.key, Attribute($0.value, object: $1)) }
    }

    var isEmpty: Bool { entries.isEmpty }

    mutating func set(_ key: String, _ attribute: Attribute) {
        if let place = place(key) {
            entries[place].value = attribute.value
            objects[place] = attribute.object
        } else {
            entries.append(Value.Entry(key, attribute.value))
            objects.append(attribute.object)
        }
    }

    mutating func remove(_ key: String) {
        guard let place = place(key) else { return }
        entries.remove(at: place)
        objects.remove(at: place)
    }

    /// Sets the name, or takes it out where the value is `null`.
    mutating func setOrRemove(_ key: String, _ attribute: Attribute) {
        if attribute.value == .null { remove(key) } else { set(key, attribute) }
    }

    /// Takes over what a format item says (yjs `updateCurrentAttributes`).
    mutating func apply(_ format: Format) { setOrRemove(format.key, format.attribute) }
}

/// What a format item says.
struct Format {
    var key: String
    var attribute: Attribute
    var value: Value { attribute.value }
}

/// The value of an attribute.
///
/// Yjs compares them with `===`, by which an object is the same as itself only: the one that a format item was
/// read with, or that was written again to restore a formatting. That is told by `object`.
struct Attribute {
    var value: Value
    /// The unit (`Store.unitCode`) that first held the value, if that is an object; nil when it was just
    /// handed in.
    var object: UInt64?

    init(_ value: Value, object: UInt64? = nil) {
        self.value = value
        self.object = value.ownMembers == nil ? nil : object
    }

    static var null: Attribute { Attribute(.null) }

    /// JavaScript's `===`.
    func isIdentical(to other: Attribute) -> Bool {
        if let object, object == other.object { return true }
        return value.isIdentical(to: other.value)
    }

    /// Equality as Yjs has it (`equalAttrs`): `===`, or objects whose members are. Objects in objects are never
    /// the same, since JavaScript compares which they are and not what they hold.
    func isSame(as other: Attribute) -> Bool {
        if isIdentical(to: other) { return true }
        guard let a = value.ownMembers, let b = other.value.ownMembers, a.count == b.count else {
            return false
        }
        return a.allSatisfy { entry in
            guard let match = b.first(where: { $0.key.isSame(entry.key) }) else { return false }
            return entry.value.isIdentical(to: match.value)
        }
    }
}

extension String {
    /// Whether the code units are the same; Swift's equality takes different spellings of a letter for one.
    func isSame(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension Value {
    /// Members when this is an object or array.
    fileprivate var ownMembers: Attributes? {
        switch self {
        case .object(let entries): entries
        case .array(let values): values.enumerated().map { Value.Entry(String($0.offset), $0.element) }
        default: nil
        }
    }

    /// JavaScript's `===` for values that are no objects; false for those that are.
    fileprivate func isIdentical(to other: Value) -> Bool {
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
