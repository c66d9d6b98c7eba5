/// What a struct holds; the raw value is the format's reference number (yjs `contentRefs`).
enum ContentKind: UInt8 {
    case gc = 0
    case deleted = 1
    case json = 2
    case binary = 3
    case string = 4
    case embed = 5
    case format = 6
    case type = 7
    case any = 8
    case document = 9
    case skip = 10

    /// Whether the content counts towards the length of its list.
    var isCountable: Bool {
        switch self {
        case .gc, .deleted, .format, .skip: false
        default: true
        }
    }

    /// Whether two neighbours of this kind may become one.
    var isMergeable: Bool {
        switch self {
        case .gc, .deleted, .json, .string, .any, .skip: true
        default: false
        }
    }
}

/// No value, where an index or a clock is meant.
let absent = UInt32.max

/// One struct of an update: numbers and places in the update's bytes, nothing that is counted by reference.
/// Clients are indices into `Update.clientTable`.
///
/// Parent and key are given only where there are no origins, so they have the same room.
struct StructRecord: BitwiseCopyable {
    private struct Marks: OptionSet {
        let rawValue: UInt8
        static let origin = Marks(rawValue: 1)
        static let rightOrigin = Marks(rawValue: 2)
        static let parent = Marks(rawValue: 4)
        static let root = Marks(rawValue: 8)
        static let key = Marks(rawValue: 16)
    }

    var kind: ContentKind
    /// Type reference (0 … 6) of a `type`.
    var typeRef: UInt8 = 0
    /// Whether the info byte had 0x20 set.
    var hasSubFlag = false
    private var marks: Marks = []
    var client: UInt32
    var clock: UInt32
    var length: UInt32
    /// Origin, the parent's id, or place and length of a root's name.
    private var first: (UInt32, UInt32) = (0, 0)
    /// Right origin, or place and length of a map key.
    private var second: (UInt32, UInt32) = (0, 0)
    /// Content as on the wire, without a leading count (json, any) or length (string).
    var payloadStart: UInt32 = 0
    var payloadLength: UInt32 = 0

    init(kind: ContentKind, client: UInt32, clock: UInt32) {
        self.kind = kind
        self.client = client
        self.clock = clock
        length = 0
    }

    var hasOrigin: Bool { marks.contains(.origin) }
    var hasRightOrigin: Bool { marks.contains(.rightOrigin) }
    var end: UInt32 { clock + length }

    // MARK: Where the struct belongs

    var originClient: UInt32 { hasOrigin ? first.0 : absent }
    var originClock: UInt32 { first.1 }
    var rightClient: UInt32 { hasRightOrigin ? second.0 : absent }
    var rightClock: UInt32 { second.1 }
    /// The parent's item, where the parent is given by id.
    var parentClient: UInt32 { marks.contains(.parent) ? first.0 : absent }
    var parentClock: UInt32 { first.1 }
    /// The root name, where the parent is a root type.
    var nameStart: UInt32 { marks.contains(.root) ? first.0 : absent }
    var nameLength: UInt32 { first.1 }
    var subStart: UInt32 { marks.contains(.key) ? second.0 : absent }
    var subLength: UInt32 { second.1 }

    mutating func setOrigin(_ id: (client: UInt32, clock: UInt32)) {
        first = id
        marks.insert(.origin)
    }

    mutating func setRightOrigin(_ id: (client: UInt32, clock: UInt32)) {
        second = id
        marks.insert(.rightOrigin)
    }

    /// Only where there are no origins.
    mutating func setParent(_ id: (client: UInt32, clock: UInt32)) {
        first = id
        marks.insert(.parent)
    }

    /// Only where there are no origins.
    mutating func setRoot(start: Int, length: Int) {
        first = (UInt32(start), UInt32(length))
        marks.insert(.root)
    }

    /// Only where there are no origins.
    mutating func setKey(start: Int, length: Int) {
        second = (UInt32(start), UInt32(length))
        marks.insert(.key)
    }
}
