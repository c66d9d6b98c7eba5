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
struct StructRecord: BitwiseCopyable {
    var kind: ContentKind
    /// Type reference (0 … 6) of a `type`.
    var typeRef: UInt8 = 0
    /// Whether the info byte had 0x20 set.
    var hasSubFlag = false
    var client: UInt32
    var clock: UInt32
    var length: UInt32
    var originClient = absent
    var originClock: UInt32 = 0
    var rightClient = absent
    var rightClock: UInt32 = 0
    /// The parent's item, where the parent is given by id.
    var parentClient = absent
    var parentClock: UInt32 = 0
    /// The root name (`nameStart != absent`), where the parent is a root type.
    var nameStart = absent
    var nameLength: UInt32 = 0
    var subStart = absent
    var subLength: UInt32 = 0
    /// Content as on the wire, without a leading count (json, any) or length (string).
    var payloadStart: UInt32 = 0
    var payloadLength: UInt32 = 0

    var hasOrigin: Bool { originClient != absent }
    var hasRightOrigin: Bool { rightClient != absent }
    var end: UInt32 { clock + length }
}
