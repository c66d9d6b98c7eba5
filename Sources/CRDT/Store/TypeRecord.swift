/// The kinds of shared types; the raw value is the format's type reference.
enum TypeKind: UInt8 {
    case array = 0
    case map = 1
    case text = 2
    case xmlElement = 3
    case xmlFragment = 4
    case xmlHook = 5
    case xmlText = 6

    var hasName: Bool { self == .xmlElement || self == .xmlHook }
}

/// A shared type: a list, and a map of chains whose rightmost item is the value.
struct TypeRecord {
    /// nil for roots that nobody has given a type.
    var kind: TypeKind?
    /// The block that holds this type, or `absent` for a root.
    var item = absent
    /// Key of the root name, or of the node name of an XML element.
    var name = absent
    /// First block of the list.
    var start = absent
    /// Visible length of the list.
    var length = 0
    /// Map keys in order of their first appearance.
    var keys: [UInt32] = []
    /// Number of types this one is nested in.
    var depth = 0
    /// The sequence index of the list once something asked for a position.
    var index: SequenceIndex?
    /// Whether format items were ever placed in the list.
    var hasFormatting = false
    /// Differs between the types that one place held one after the other.
    var generation: UInt32 = 0
}
