/// Caps on one update, checked while it is decoded and before anything is allocated for what it announces.
public struct UpdateLimits: Sendable, Equatable {
    /// Most bytes of an encoded update.
    public var maxBytes: Int
    /// Most structs (items, GC and Skip) in one update.
    public var maxStructs: Int
    /// Most distinct client ids named in one update, as owners or in references and deletions.
    public var maxClients: Int
    /// Most clock units all structs of one update may cover together.
    public var maxClockGrowth: UInt64
    /// Deepest nesting of `any` and JSON values.
    public var maxNesting: Int
    /// Most distinct names of root types in one update.
    public var maxRoots: Int
    /// Most bytes of a root name, map key, format key or node name.
    public var maxKeyBytes: Int
    /// Most ranges in the delete set.
    public var maxDeleteRanges: Int
    /// Most structs for each byte of a v2 update, beyond 10,000: a few bytes of v2 can stand for any number of
    /// structs. Honest updates have one byte or more for nearly every struct.
    public var maxStructsPerByte: Int

    public init(
        maxBytes: Int = 64 << 20, maxStructs: Int = 4_000_000, maxClients: Int = 200_000,
        maxClockGrowth: UInt64 = 1 << 30, maxNesting: Int = 100, maxRoots: Int = 10_000,
        maxKeyBytes: Int = 4096, maxDeleteRanges: Int = 4_000_000, maxStructsPerByte: Int = 16
    ) {
        self.maxBytes = min(maxBytes, Limits.maxUpdateBytes)
        self.maxStructs = maxStructs
        self.maxClients = maxClients
        self.maxClockGrowth = maxClockGrowth
        self.maxNesting = min(maxNesting, Limits.maxValueNesting)
        self.maxRoots = maxRoots
        self.maxKeyBytes = maxKeyBytes
        self.maxDeleteRanges = maxDeleteRanges
        self.maxStructsPerByte = maxStructsPerByte
    }

    /// Caps for updates that may be whole documents.
    public static let standard = UpdateLimits()

    /// Only what the engine cannot go beyond: for states that a document of this engine wrote. What a document
    /// has grown to by many updates can be more than one update from outside may bring.
    public static let trusted = UpdateLimits(
        maxBytes: .max, maxStructs: .max, maxClients: .max, maxClockGrowth: .max, maxNesting: .max,
        maxRoots: .max, maxKeyBytes: .max, maxDeleteRanges: .max, maxStructsPerByte: .max)
}

/// Fixed limits of the engine. They follow from its layout (32-bit clocks, offsets and indices) or keep
/// recursion within the stack; what a server wants to be stricter about goes in `UpdateLimits`.
enum Limits {
    /// Offsets into an update are 32 bits wide.
    static let maxUpdateBytes = 1 << 30
    /// Largest integer of the format: JavaScript's `Number.MAX_SAFE_INTEGER`.
    static let maxSafeInteger: UInt64 = (1 << 53) - 1
    /// Clocks are stored in 32 bits; the two largest values are sentinels.
    static let maxClock: UInt64 = UInt64(UInt32.max) - 2
    /// Nesting of values that reading and writing follow by recursion.
    static let maxValueNesting = 128
    /// Nesting of shared types that reading follows; deeper types read as undefined.
    static let maxReadingDepth = 128
    /// Most bytes of content one document holds (offsets into the arena are 32 bits wide).
    static let maxDocumentBytes = 1 << 29
    /// Most structs one document holds.
    static let maxDocumentBlocks = 1 << 28
    /// Most newlines that formatting beyond the end of a text puts there.
    static let maxPadding = 1 << 20
    /// Most nested types that undo brings back with what is in them.
    static let maxRedoDepth = 128
    /// Most bytes of updates whose dependencies are missing that a document keeps.
    static let maxPendingBytes = 64 << 20
    /// The arena is compacted when it holds this many unused bytes and they are more than half of it.
    static let arenaSlackBytes = 1 << 16
    /// Most entries of a state vector.
    static let maxStateVectorEntries = 1_000_000
    /// Most entries of one awareness update.
    static let maxAwarenessEntries = 10_000
    /// Most bytes of one awareness state.
    static let maxAwarenessStateBytes = 64 << 10
    /// Most bytes of one awareness update.
    static let maxAwarenessBytes = 4 << 20
    /// Deepest nesting of an awareness state.
    static let maxAwarenessNesting = 32
}
