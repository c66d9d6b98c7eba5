/// What applying an update would do, known without applying it.
public enum Readiness: Sendable, Equatable {
    /// Brings nothing: structs within the state vector and deletions within known deletions.
    case redundant
    /// Can be applied completely.
    case ready
    /// Lacks structs of these clients: each must reach at least the given next clock.
    case missing([ClientID: UInt64])
}

extension Document {
    /// Looks ahead and changes nothing. `beyond` is the state vector of updates that were accepted but are
    /// not applied yet: dependencies within the larger of both count as known. O(structs of the update + its
    /// deletions).
    public func readiness(of update: Update, beyond: StateVector? = nil) -> Readiness {
        func known(_ client: ClientID) -> UInt64 { max(store.state(of: client), beyond?[client] ?? 0) }
        var lookahead = Lookahead(states: update.clientTable.map { UInt32(min(known($0), Limits.maxClock)) })
        lookahead.run(update)
        var grown: [ClientID: UInt32] = [:]
        if lookahead.bringsStructs && !update.deletes.isEmpty {
            for (client, state) in zip(update.clientTable, lookahead.states) { grown[client] = state }
        }
        for range in update.deletes
        where range.to > grown[range.client].map(UInt64.init) ?? known(range.client) {
            lookahead.require(range.client, range.to)
        }
        if !lookahead.missing.isEmpty { return .missing(lookahead.missing) }
        return lookahead.bringsStructs || !store.containsDeletions(update.deletes) ? .ready : .redundant
    }

    /// What the update brings beyond the known clocks of each client: ownership of client ids is checked on
    /// this.
    public func newRanges(of update: Update, beyond: StateVector? = nil) -> [Update.ClientRange] {
        var ranges: [Update.ClientRange] = []
        for range in update.ranges {
            let known = max(store.state(of: range.client), beyond?[range.client] ?? 0)
            if range.to > known {
                ranges.append(
                    Update.ClientRange(client: range.client, from: max(range.from, known), to: range.to))
            }
        }
        return ranges
    }
}

/// Applying the structs of an update to state vectors alone.
private struct Lookahead {
    /// State of each client of the update.
    var states: [UInt32]
    var missing: [ClientID: UInt64] = [:]
    var bringsStructs = false

    init(states: [UInt32]) { self.states = states }

    mutating func require(_ client: ClientID, _ clock: UInt64) {
        missing[client] = max(missing[client] ?? 0, clock)
    }

    mutating func run(_ update: Update) {
        if update.groups.count == 1, runSingle(update, update.groups[0]) { return }
        var schedule = StructSchedule(update)
        while let next = schedule.head {
            let record = update.records[next]
            let state = states[Int(record.client)]
            if record.kind == .skip {
                schedule.advance()
            } else if state < record.clock {
                require(update.clientTable[Int(record.client)], UInt64(record.clock))
                schedule.park(missing: record.client, clock: Int64(record.clock) - 1)
            } else if let (client, clock) = dependency(record) {
                if !schedule.offers(client) { require(update.clientTable[Int(client)], UInt64(clock) + 1) }
                schedule.require(client, known: states[Int(client)])
            } else {
                take(record)
                schedule.advance()
            }
        }
    }

    /// The structs of one client in order; false when one has to wait.
    private mutating func runSingle(_ update: Update, _ group: Update.Group) -> Bool {
        for index in group.start..<group.end {
            let record = update.records[index]
            if record.kind == .skip { continue }
            if states[Int(record.client)] < record.clock || dependency(record) != nil { return false }
            take(record)
        }
        return true
    }

    private mutating func take(_ record: StructRecord) {
        guard record.end > states[Int(record.client)] else { return }
        bringsStructs = true
        states[Int(record.client)] = record.end
    }

    /// The first unit of another client that the struct needs and that is not there.
    private func dependency(_ record: StructRecord) -> (client: UInt32, clock: UInt32)? {
        func isMissing(_ client: UInt32, _ clock: UInt32) -> Bool {
            client != absent && client != record.client && clock >= states[Int(client)]
        }
        if isMissing(record.originClient, record.originClock) {
            return (record.originClient, record.originClock)
        }
        if isMissing(record.rightClient, record.rightClock) { return (record.rightClient, record.rightClock) }
        if isMissing(record.parentClient, record.parentClock) {
            return (record.parentClient, record.parentClock)
        }
        return nil
    }
}
