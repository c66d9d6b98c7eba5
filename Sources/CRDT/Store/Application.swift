/// Structs of an update that wait for others, and what they wait for (yjs `StructStore.pendingStructs`).
struct PendingStructs {
    /// For each client the clock that must be passed before another try can help.
    var missing: [ClientID: UInt64]
    var update: Update
}

/// Applying the structs of an update in an order that satisfies their dependencies (yjs `integrateStructs`).
extension Store {
    /// Integrates what can be and gives the rest.
    mutating func integrate(_ update: Update) -> PendingStructs? {
        guard !update.records.isEmpty else { return nil }
        let map = places(of: update)
        reserve(for: update)
        if update.groups.count == 1, let rest = integrateSingle(update, map) { return rest.pending }
        var schedule = StructSchedule(update)
        while let next = schedule.head {
            let record = update.records[next]
            guard record.kind != .skip else {
                schedule.advance()
                continue
            }
            let state = map[Int(record.client)] == absent ? 0 : state(map[Int(record.client)])
            if state < record.clock {
                schedule.park(missing: record.client, clock: Int64(record.clock) - 1)
            } else if let missing = missingClient(record, map) {
                let known = map[Int(missing)] == absent ? 0 : self.state(map[Int(missing)])
                schedule.require(missing, known: known)
            } else {
                let offset = state - record.clock
                if offset < record.length {
                    update.storage.withUnsafeBufferPointer {
                        integrate(record, offset: offset, map: map, storage: $0)
                    }
                } else {
                    cutWhereKnown(record, map)
                }
                schedule.advance()
            }
        }
        return schedule.pending(update)
    }

    /// The common case, one client: structs are taken in order until one cannot be.
    private mutating func integrateSingle(
        _ update: Update, _ map: [UInt32]
    ) -> (pending: PendingStructs?, Void)? {
        let group = update.groups[0]
        let client = map[Int(group.client)]
        return update.storage.withUnsafeBufferPointer { storage in
            for index in group.start..<group.end {
                let record = update.records[index]
                if record.kind == .skip { continue }
                let state = self.state(client)
                if state < record.clock || missingClient(record, map) != nil {
                    // The general way finds out what is missing; what was taken here it passes over.
                    return nil
                }
                let offset = state - record.clock
                if offset < record.length {
                    integrate(record, offset: offset, map: map, storage: storage)
                } else {
                    cutWhereKnown(record, map)
                }
            }
            return (nil, ())
        }
    }

    /// Yjs cuts the blocks at the origins of a struct even when it has the struct already, and joins them again
    /// when the transaction ends. That leaves a trace where a cut goes through a surrogate pair and where a
    /// block was made anew by undo, which is not joined. Elsewhere nothing is cut; but as in Yjs it is seen at
    /// the end whether the block can be joined with its neighbours.
    private mutating func cutWhereKnown(_ record: StructRecord, _ map: [UInt32]) {
        guard record.kind != .gc else { return }
        if record.hasOrigin { cutIfItShows(map[Int(record.originClient)], record.originClock + 1) }
        if record.hasRightOrigin { cutIfItShows(map[Int(record.rightClient)], record.rightClock) }
    }

    private mutating func cutIfItShows(_ client: UInt32, _ clock: UInt32) {
        guard clock < state(client) else { return }
        let found = blocks[block(client, clock)]
        guard found.clock < clock, found.isItem else { return }
        let isWide = found.kind == .string && found.content.length != found.length
        if found.isRedone || isWide && cutsPair(found, at: clock - found.clock) {
            _ = blockStarting(client, clock)
        } else {
            transaction.splits.append(TransactionLog.Place(client: client, clock: clock))
        }
    }

    private func cutsPair(_ block: Block, at length: UInt32) -> Bool {
        UTF8Text.byteOffset(arena.bytes(block.content), units: Int(length), of: Int(block.length)).1
    }

    /// Makes room for a large update at once.
    private mutating func reserve(for update: Update) {
        guard update.records.count > Self.reserveFrom else { return }
        blocks.reserve(update.records.count)
        arena.reserve(update.records.reduce(0) { $0 + Int($1.payloadLength) })
    }

    /// Updates of more structs than this find room for all of them.
    private static let reserveFrom = 256

    /// The store's places of an update's clients; those that own structs are made, others may be absent.
    private mutating func places(of update: Update) -> [UInt32] {
        var map = update.clientTable.map { clientIndex[$0] ?? absent }
        for group in update.groups where map[Int(group.client)] == absent {
            map[Int(group.client)] = makeClient(update.clientTable[Int(group.client)])
        }
        return map
    }

    /// The first other client that a struct needs more of (yjs `Item.getMissing`).
    @inline(__always)
    private func missingClient(_ record: StructRecord, _ map: [UInt32]) -> UInt32? {
        func isMissing(_ client: UInt32, _ clock: UInt32) -> Bool {
            client != absent && client != record.client
                && (map[Int(client)] == absent || clock >= state(map[Int(client)]))
        }
        if isMissing(record.originClient, record.originClock) { return record.originClient }
        if isMissing(record.rightClient, record.rightClock) { return record.rightClient }
        if isMissing(record.parentClient, record.parentClock) { return record.parentClient }
        return nil
    }
}

/// The order in which the structs of an update are tried: the client with the highest id first, and before a
/// struct that lacks something of another client, that client's next ones. Structs that lack something the
/// update does not bring are parked with everything that waits for them. Shared by applying and by looking
/// ahead.
struct StructSchedule {
    private let clientTable: [ClientID]
    /// For each client of the table the next record to take and the end of its records.
    private var cursors: [(next: Int, end: Int)]
    /// Clients with records, ascending by id; taken from the end.
    private var order: [UInt32]
    private var stack: [(record: Int, client: UInt32)] = []
    private var current: (record: Int, client: UInt32)?
    private var parkedFrom: [UInt32: Int] = [:]
    private(set) var missing: [ClientID: Int64] = [:]
    private let ends: [Int]

    init(_ update: Update) {
        clientTable = update.clientTable
        cursors = Array(repeating: (0, 0), count: update.clientTable.count)
        for group in update.groups { cursors[Int(group.client)] = (group.start, group.end) }
        ends = cursors.map(\.end)
        let table = update.clientTable
        order = update.groups.map(\.client).sorted { table[Int($0)] < table[Int($1)] }
        advance()
    }

    /// Index of the record to try now.
    var head: Int? { current?.record }

    /// The head is done with: goes on with what waited for it, else with the next record.
    mutating func advance() {
        if let waiting = stack.popLast() {
            current = waiting
            return
        }
        while let client = order.last {
            let cursor = cursors[Int(client)]
            if cursor.next < cursor.end {
                cursors[Int(client)].next += 1
                current = (cursor.next, client)
                return
            }
            order.removeLast()
        }
        current = nil
    }

    /// The head needs more of `client`, of which `known` clocks are there: tries that client's next record
    /// first.
    mutating func require(_ client: UInt32, known: UInt32) {
        guard let head = current else { return }
        let cursor = cursors[Int(client)]
        if cursor.next < cursor.end {
            stack.append(head)
            cursors[Int(client)].next += 1
            current = (cursor.next, client)
        } else {
            park(missing: client, clock: Int64(known))
        }
    }

    /// The head and all that waits for it cannot be applied.
    mutating func park(missing client: UInt32, clock: Int64) {
        guard let head = current else { return }
        let id = clientTable[Int(client)]
        missing[id] = min(missing[id] ?? clock, clock)
        stack.append(head)
        for (record, client) in stack {
            parkedFrom[client] = min(parkedFrom[client] ?? record, record)
            cursors[Int(client)].next = cursors[Int(client)].end
        }
        stack.removeAll()
        advance()
    }

    var isComplete: Bool { parkedFrom.isEmpty }

    /// Whether the update has more records of that client to try.
    func offers(_ client: UInt32) -> Bool { cursors[Int(client)].next < cursors[Int(client)].end }

    /// Records that were parked: for each client the first; the rest of that client's follow it.
    var parked: [(client: UInt32, range: Range<Int>)] {
        parkedFrom.map { ($0.key, $0.value..<ends[Int($0.key)]) }
    }

    func pending(_ update: Update) -> PendingStructs? {
        guard !isComplete else { return nil }
        let missing = self.missing.mapValues { UInt64(max(0, $0)) }
        return PendingStructs(missing: missing, update: UpdateBuilder.update(of: parked, in: update))
    }
}
