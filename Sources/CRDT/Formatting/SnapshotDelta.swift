/// The text as it was at a snapshot, or what changed between two (yjs `toDelta(snapshot, prevSnapshot)`).
extension TextType {
    /// The content at `snapshot`, by default now. With `previous` everything visible at either is there, and
    /// pieces that are in one alone have the attribute `ychange`: what `describe` makes of them, by default
    /// `{"type":"added"}` or `{"type":"removed"}`.
    ///
    /// Needs a document that keeps what is deleted (`gc: false`) to show it. O(n + deletions of the
    /// snapshots). The document is not changed; Yjs cuts its blocks for this.
    public func delta(
        at snapshot: Snapshot?, since previous: Snapshot? = nil,
        describe: (SnapshotDifference, ID) -> Value = { difference, _ in
            ["type": .string(difference.rawValue)]
        }
    ) -> [DeltaOperation] {
        guard let type = reference.place else { return [] }
        let now = snapshot.map { Visibility($0, document.store) }
        let then = previous.map { Visibility($0, document.store) }
        return document.delta(type, now, then, describe)
    }
}

/// How a piece differs between two snapshots.
public enum SnapshotDifference: String, Sendable {
    /// In the later one alone.
    case added
    /// In the earlier one alone.
    case removed
}

/// What a snapshot shows, by the store's places of clients.
private struct Visibility {
    private var states: [UInt32: UInt32] = [:]
    private var deletions: [UInt32: [Range<UInt32>]] = [:]

    init(_ snapshot: Snapshot, _ store: borrowing Store) {
        for (id, clock) in snapshot.stateVector.clients {
            if let client = store.clientPlace(id) { states[client] = UInt32(clamping: clock) }
        }
        for range in snapshot.deletes.reversed() {
            guard let client = store.clientPlace(range.client) else { continue }
            let clocks = UInt32(clamping: range.from)..<UInt32(clamping: range.to)
            deletions[client, default: []].append(clocks)
        }
        for client in deletions.keys { deletions[client]?.sort { $0.lowerBound < $1.lowerBound } }
    }

    /// Whether the snapshot shows a unit, and the clock up to which that stays so. O(log n).
    func look(_ client: UInt32, _ clock: UInt32, end: UInt32) -> (isVisible: Bool, until: UInt32) {
        let state = states[client] ?? 0
        guard clock < state else { return (false, end) }
        let ranges = deletions[client] ?? []
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) >> 1
            if ranges[middle].upperBound <= clock { low = middle + 1 } else { high = middle }
        }
        guard low < ranges.count else { return (true, min(end, state)) }
        if ranges[low].lowerBound <= clock { return (false, min(end, ranges[low].upperBound)) }
        return (true, min(end, state, ranges[low].lowerBound))
    }
}

extension Document {
    fileprivate func delta(
        _ type: UInt32, _ now: Visibility?, _ then: Visibility?,
        _ describe: (SnapshotDifference, ID) -> Value
    ) -> [DeltaOperation] {
        var writer = SnapshotDeltaWriter()
        var index = store.types[Int(type)].start
        while index != absent {
            let block = store.blocks[index]
            var clock = block.clock
            while clock < block.end {
                let (isNow, nowEnd) =
                    now?.look(block.client, clock, end: block.end) ?? (!block.isDeleted, block.end)
                let (isThen, thenEnd) = then?.look(block.client, clock, end: block.end) ?? (false, block.end)
                let end = min(nowEnd, thenEnd)
                if isNow || isThen {
                    let difference: SnapshotDifference? =
                        now != nil && !isNow ? .removed : then != nil && !isThen ? .added : nil
                    add(index, clock..<end, isNow, difference, describe, to: &writer)
                }
                clock = end
            }
            index = block.right
        }
        return writer.finish()
    }

    private func add(
        _ index: UInt32, _ clocks: Range<UInt32>, _ isNow: Bool, _ difference: SnapshotDifference?,
        _ describe: (SnapshotDifference, ID) -> Value, to writer: inout SnapshotDeltaWriter
    ) {
        let block = store.blocks[index]
        switch block.kind {
        case .string:
            let id = store.id(of: index, offset: clocks.lowerBound - block.clock)
            writer.mark(difference, id.client) { describe($0, id) }
            let units = Array(String(decoding: store.arena.bytes(block.content), as: UTF8.self).utf16)
            let start = Int(clocks.lowerBound - block.clock)
            guard start + clocks.count <= units.count else { return }
            writer.add(units[start..<start + clocks.count])
        case .embed, .type: if let insertion = embedded(index) { writer.add(insertion) }
        case .format: if isNow, let format = store.format(of: index) { writer.enter(format) }
        default: break
        }
    }
}

/// Collects the operations of a text seen through snapshots.
private struct SnapshotDeltaWriter {
    private var operations: [DeltaOperation] = []
    private var attributes = AttributeMap()
    private var units: [UInt16] = []

    private mutating func flush() {
        guard !units.isEmpty else { return }
        operations.append(.insert(.text(String(decoding: units, as: UTF16.self)), attributes.entries))
        units.removeAll()
    }

    /// As in Yjs pieces run together only where the description names the client as `user` and the difference
    /// as `type`.
    mutating func mark(
        _ difference: SnapshotDifference?, _ client: ClientID, _ describe: (SnapshotDifference) -> Value
    ) {
        let current = attributes["ychange"]?.value
        guard let difference else {
            if current != nil {
                flush()
                attributes.remove("ychange")
            }
            return
        }
        let isSame =
            current?["user"]?.number == Double(client) && current?["type"]?.string == difference.rawValue
        if isSame { return }
        flush()
        attributes.set("ychange", Attribute(describe(difference)))
    }

    mutating func add(_ text: ArraySlice<UInt16>) { units += text }

    mutating func add(_ insertion: DeltaOperation.Insertion) {
        flush()
        operations.append(.insert(insertion, attributes.entries))
    }

    mutating func enter(_ format: Format) {
        flush()
        attributes.apply(format)
    }

    mutating func finish() -> [DeltaOperation] {
        flush()
        return operations
    }
}
