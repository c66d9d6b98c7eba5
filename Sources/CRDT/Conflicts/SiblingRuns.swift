/// What was inserted right behind one and the same unit (its *siblings*: blocks with the same origin), in list
/// order, for places where many concurrent insertions met. Units are named by client and clock, which nothing
/// that happens to blocks (cutting, joining, deletion) changes.
///
/// The run may end before the last sibling: what lies behind its end was not looked at yet.
struct SiblingRun {
    /// What the right origin of some siblings means for a scan.
    enum Stop {
        /// It does not lie between the siblings.
        case outside
        /// It is a sibling itself: a handle of `order`. Scans end there.
        case sibling(UInt32)
        /// It lies within what grew from a sibling, where only a malformed insertion can name it.
        case inside
    }

    /// The siblings with one right origin. Their clients ascend.
    struct Group {
        /// Payload: handle in `order`.
        var tree = SiblingTree()
        /// nil as long as it is not known.
        var stop: Stop?
    }

    /// All siblings in list order; payload: the store's place of the client.
    var order = SiblingTree()
    /// By code of the right origin.
    var groups: [UInt64: Group] = [:]

    /// Notes a sibling that lies right behind `previous` in the list.
    @discardableResult
    mutating func insert(_ block: Block, id: ClientID, after previous: UInt32) -> UInt32 {
        let isLast = previous == order.last
        let handle = order.insert(id, block.clock, payload: block.client, after: previous)
        let code = SiblingRuns.code(block.rightClient, block.rightClock)
        let group = groups.index(forKey: code) ?? makeGroup(code)
        // A new sibling goes before those of the same client, but one found behind them lies there.
        let next = isLast ? absent : groups.values[group].tree.first(from: id)
        groups.values[group].tree.insert(id, block.clock, payload: handle, before: next)
        return handle
    }

    mutating func makeGroup(_ code: UInt64) -> Dictionary<UInt64, Group>.Index {
        groups[code] = Group()
        return groups.index(forKey: code) ?? groups.startIndex
    }

    /// The handle of a sibling, or `absent`.
    func find(_ block: Block, id: ClientID) -> UInt32 {
        guard let group = groups[SiblingRuns.code(block.rightClient, block.rightClock)] else { return absent }
        let found = group.tree.find(id, block.clock)
        return found == absent ? absent : group.tree.payload(found)
    }
}

/// The runs of a document. A cache: each may be dropped at any time.
struct SiblingRuns {
    /// A scan that passes this many blocks asks for a run.
    static let patience = 64
    /// Work charged for one use of a run beside its walking.
    static let searchWork: UInt64 = 60

    private(set) var runs: [UInt64: SiblingRun] = [:]
    /// Lists and map chains that do not have the order runs rely on (`Store.conflictFreeGap`).
    private var tangled: Set<UInt64> = []
    /// Siblings in all runs.
    private var entries = 0

    var isEmpty: Bool { runs.isEmpty }

    /// Memory in bytes.
    var byteSize: Int { runs.isEmpty ? 0 : entries * 2 * SiblingTree.entrySize + runs.count * 300 }

    /// Names a unit, or the lack of one.
    @inline(__always)
    static func code(_ client: UInt32, _ clock: UInt32) -> UInt64 {
        client == absent ? .max : UInt64(client) << 32 | UInt64(clock)
    }

    /// Names an origin; where there is none, the list or map chain. Clients and types are fewer than 2^31.
    @inline(__always)
    static func key(_ block: Block) -> UInt64 {
        block.originClient == absent
            ? 1 << 63 | Store.mapCode(block.parent, block.sub)
            : UInt64(block.originClient) << 32 | UInt64(block.originClock)
    }

    // MARK: Tangled lists

    func isTangled(_ block: Block) -> Bool {
        !tangled.isEmpty && tangled.contains(Store.mapCode(block.parent, block.sub))
    }

    mutating func noteTangle(_ block: Block) { tangled.insert(Store.mapCode(block.parent, block.sub)) }

    // MARK: Runs

    func index(_ key: UInt64) -> Dictionary<UInt64, SiblingRun>.Index? { runs.index(forKey: key) }

    subscript(index: Dictionary<UInt64, SiblingRun>.Index) -> SiblingRun {
        get { runs.values[index] }
        _modify { yield &runs.values[index] }
    }

    /// Makes an empty run. When runs of lists that are gone take more than the document does, all are dropped.
    mutating func make(_ key: UInt64, blocks: Int) -> Dictionary<UInt64, SiblingRun>.Index? {
        if entries > 2 * blocks + 1024 {
            runs.removeAll()
            entries = 0
        }
        runs[key] = SiblingRun()
        return runs.index(forKey: key)
    }

    mutating func drop(_ key: UInt64) {
        if let run = runs.removeValue(forKey: key) { entries -= run.order.count }
    }

    /// Notes a sibling in a run (`SiblingRun.insert`).
    @discardableResult
    mutating func insert(
        _ block: Block, id: ClientID, after previous: UInt32, in index: Dictionary<UInt64, SiblingRun>.Index
    ) -> UInt32 {
        entries += 1
        return runs.values[index].insert(block, id: id, after: previous)
    }
}
