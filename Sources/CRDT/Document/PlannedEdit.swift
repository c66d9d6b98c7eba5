/// One edit of a plan; see `Document.plan`. Roots hold plain values, bounded lists and empty texts: what a
/// server writes.
public enum PlannedEdit: Sendable, Hashable {
    /// Sets a map key to a plain value.
    case set(root: String, key: String, value: Value)
    /// Sets a map key to an empty Y.Text.
    case setText(root: String, key: String)
    /// Removes a map key; nothing happens when it has no value.
    case removeKey(root: String, key: String)
    /// Adds elements at the end of an array.
    case append(root: String, values: [Value])
    /// Puts another value in the place of an array element (deletion and insertion).
    case replace(root: String, index: Int, value: Value)
    /// Deletes the first elements of an array, as many as there are at most.
    case removeFirst(root: String, count: Int)
}

extension Document {
    /// The update that makes `edits` in order, as `client` would make them here and now; the document is not
    /// changed. The update is to be applied before the next plan of the same client. Nil when there is
    /// nothing to do or an edit names an element that does not exist. O(edits + blocks of the arrays named).
    public func plan(_ edits: [PlannedEdit], as client: ClientID) -> [UInt8]? {
        var plan = EditPlan(client: client, clock: store.state(of: client))
        for edit in edits {
            guard plan.add(edit, store) else { return nil }
        }
        return plan.finish()
    }
}

/// Builds the structs of a plan over a view of the document that has the plan's own earlier edits in it.
private struct EditPlan {
    /// The last value of a map key's chain.
    private struct Tail {
        var range: Update.ClientRange
        var isLive: Bool
    }

    /// A run of an array's units, deleted ones included.
    private struct Segment {
        var range: Update.ClientRange
        var isVisible: Bool
    }

    private struct MapKey: Hashable {
        var root: [UInt8]
        var key: [UInt8]
    }

    private let client: ClientID
    private let firstClock: UInt64
    private var clock: UInt64
    private var body = ByteWriter()
    private var count: UInt64 = 0
    private var deletes: [Update.ClientRange] = []
    private var tails: [MapKey: Tail] = [:]
    private var lists: [[UInt8]: [Segment]] = [:]

    init(client: ClientID, clock: UInt64) {
        self.client = client
        self.clock = clock
        firstClock = clock
    }

    func finish() -> [UInt8]? {
        guard count > 0 || !deletes.isEmpty else { return nil }
        var out = ByteWriter(capacity: body.bytes.count + 32)
        if count > 0 {
            out.varUint(1 as UInt64)
            out.varUint(count)
            out.varUint(client)
            out.varUint(firstClock)
            out.raw(body.bytes)
        } else {
            out.varUint(0 as UInt64)
        }
        DeleteRanges.write(DeleteRanges.merged(deletes), to: &out)
        return out.bytes
    }

    mutating func add(_ edit: PlannedEdit, _ store: borrowing Store) -> Bool {
        switch edit {
        case .set(let root, let key, let value):
            set(root, key, Store.content(of: value), store)
        case .setText(let root, let key):
            set(root, key, .type(.text), store)
        case .removeKey(let root, let key):
            let place = MapKey(root: Array(root.utf8), key: Array(key.utf8))
            if var tail = tail(place, store), tail.isLive {
                deletes.append(tail.range)
                tail.isLive = false
                tails[place] = tail
            }
        case .append(let root, let values):
            append(Array(root.utf8), values, store)
        case .replace(let root, let index, let value):
            return replace(Array(root.utf8), index, value, store)
        case .removeFirst(let root, let count):
            removeFirst(Array(root.utf8), count, store)
        }
        return true
    }

    // MARK: Structs

    private mutating func write(
        _ content: Store.NewContent, root: [UInt8], sub: [UInt8]?, origin: ID?, right: ID?
    ) -> Update.ClientRange {
        let kind = content.kind
        body.byte(
            kind.rawValue | (origin == nil ? 0 : 0x80) | (right == nil ? 0 : 0x40) | (sub == nil ? 0 : 0x20))
        for id in [origin, right] {
            guard let id else { continue }
            body.varUint(id.client)
            body.varUint(id.clock)
        }
        if origin == nil && right == nil {
            body.byte(1)
            body.varBytes(root)
            if let sub { body.varBytes(sub) }
        }
        switch content {
        case .text(let bytes, _): body.varBytes(bytes)
        case .values(let bytes, let count):
            body.varUint(UInt64(count))
            body.raw(bytes)
        case .type(let kind, _): body.byte(kind.rawValue)
        default: body.raw(content.bytes)
        }
        count += 1
        let range = Update.ClientRange(client: client, from: clock, to: clock + UInt64(content.length))
        clock = range.to
        return range
    }

    // MARK: Maps

    private func tail(_ place: MapKey, _ store: borrowing Store) -> Tail? {
        if let known = tails[place] { return known }
        guard let rootKey = store.keys.find(place.root), let type = store.roots[rootKey],
            let key = store.keys.find(place.key)
        else { return nil }
        let block = store.mapTail(type, key)
        guard block != absent else { return nil }
        return Tail(range: store.range(of: block), isLive: !store.blocks[block].isDeleted)
    }

    private mutating func set(
        _ root: String, _ key: String, _ content: Store.NewContent, _ store: borrowing Store
    ) {
        let place = MapKey(root: Array(root.utf8), key: Array(key.utf8))
        let old = tail(place, store)
        let range = write(content, root: place.root, sub: place.key, origin: old?.range.last, right: nil)
        if let old, old.isLive { deletes.append(old.range) }
        tails[place] = Tail(range: range, isLive: true)
    }

    // MARK: Arrays

    private func segments(_ root: [UInt8], _ store: borrowing Store) -> [Segment] {
        if let known = lists[root] { return known }
        guard let key = store.keys.find(root), let type = store.roots[key] else { return [] }
        var segments: [Segment] = []
        var block = store.types[Int(type)].start
        while block != absent {
            segments.append(Segment(range: store.range(of: block), isVisible: store.blocks[block].weight > 0))
            block = store.blocks[block].right
        }
        return segments
    }

    private mutating func append(_ root: [UInt8], _ values: [Value], _ store: borrowing Store) {
        guard !values.isEmpty else { return }
        var segments = segments(root, store)
        for content in Store.contents(of: values.map { .value($0) }) {
            let range = write(content, root: root, sub: nil, origin: segments.last?.range.last, right: nil)
            segments.append(Segment(range: range, isVisible: true))
        }
        lists[root] = segments
    }

    private mutating func replace(
        _ root: [UInt8], _ index: Int, _ value: Value, _ store: borrowing Store
    ) -> Bool {
        var segments = segments(root, store)
        guard index >= 0, let at = Self.isolate(index, &segments) else { return false }
        deletes.append(segments[at].range)
        segments[at].isVisible = false
        let left = at > 0 ? segments[at - 1].range.last : nil
        let range = write(
            Store.content(of: value), root: root, sub: nil, origin: left,
            right: segments[at].range.first)
        segments.insert(Segment(range: range, isVisible: true), at: at)
        lists[root] = segments
        return true
    }

    /// Cuts the segments so that the visible element `index` is one of its own; gives its place.
    private static func isolate(_ index: Int, _ segments: inout [Segment]) -> Int? {
        var rest = UInt64(index)
        for at in segments.indices where segments[at].isVisible {
            let range = segments[at].range
            let length = range.to - range.from
            guard rest < length else {
                rest -= length
                continue
            }
            let clock = range.from + rest
            var pieces: [Segment] = []
            for (from, to) in [(range.from, clock), (clock, clock + 1), (clock + 1, range.to)] where from < to
            {
                let piece = Update.ClientRange(client: range.client, from: from, to: to)
                pieces.append(Segment(range: piece, isVisible: true))
            }
            segments.replaceSubrange(at...at, with: pieces)
            return rest > 0 ? at + 1 : at
        }
        return nil
    }

    private mutating func removeFirst(_ root: [UInt8], _ count: Int, _ store: borrowing Store) {
        var segments = segments(root, store)
        var rest = UInt64(max(0, count))
        var at = 0
        while rest > 0, at < segments.count {
            let range = segments[at].range
            if segments[at].isVisible {
                let end = min(range.to, range.from + rest)
                rest -= end - range.from
                if end < range.to {
                    let kept = Update.ClientRange(client: range.client, from: end, to: range.to)
                    segments.insert(Segment(range: kept, isVisible: true), at: at + 1)
                    segments[at].range.to = end
                }
                segments[at].isVisible = false
                deletes.append(segments[at].range)
            }
            at += 1
        }
        lists[root] = segments
    }
}

extension Update.ClientRange {
    fileprivate var first: ID { ID(client: client, clock: from) }
    fileprivate var last: ID { ID(client: client, clock: to - 1) }
}

extension Store {
    /// The clocks that a block covers.
    func range(of block: UInt32) -> Update.ClientRange {
        let it = blocks[block]
        return Update.ClientRange(client: id(it.client), from: UInt64(it.clock), to: UInt64(it.end))
    }
}
