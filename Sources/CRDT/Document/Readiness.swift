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
    /// Looks ahead and changes nothing. `beyond` is the state vector of updates that were accepted but are not applied
    /// yet: dependencies within the larger of both count as known. O(structs of the update + its deletions).
    public func readiness(of update: Update, beyond: StateVector? = nil) -> Readiness {
        func known(_ client: ClientID) -> UInt64 { max(store.state(of: client), beyond?[client] ?? 0) }
        var states = update.clientTable.map { UInt32(min(known($0), Limits.maxClock)) }
        var missing: [ClientID: UInt64] = [:]
        var bringsStructs = false

        var schedule = StructSchedule(update)
        while let next = schedule.head {
            let record = update.records[next]
            let state = states[Int(record.client)]
            if record.kind == .skip {
                schedule.advance()
            } else if state < record.clock {
                Self.require(&missing, update.clientTable[Int(record.client)], UInt64(record.clock))
                schedule.park(missing: record.client, clock: Int64(record.clock) - 1)
            } else if let (client, clock) = Self.dependency(record, states) {
                if !schedule.offers(client) {
                    Self.require(&missing, update.clientTable[Int(client)], UInt64(clock) + 1)
                }
                schedule.require(client, known: states[Int(client)])
            } else {
                if record.end > state {
                    bringsStructs = true
                    states[Int(record.client)] = record.end
                }
                schedule.advance()
            }
        }
        let after = Dictionary(
            zip(update.clientTable, states).map { ($0, UInt64($1)) }, uniquingKeysWith: { first, _ in first })
        for range in update.deletes where range.to > after[range.client] ?? known(range.client) {
            Self.require(&missing, range.client, range.to)
        }
        if !missing.isEmpty { return .missing(missing) }
        return bringsStructs || !store.containsDeletions(update.deletes) ? .ready : .redundant
    }

    private static func require(_ missing: inout [ClientID: UInt64], _ client: ClientID, _ clock: UInt64) {
        missing[client] = max(missing[client] ?? 0, clock)
    }

    private static func dependency(_ record: StructRecord, _ states: [UInt32]) -> (
        client: UInt32, clock: UInt32
    )? {
        for (client, clock) in [
            (record.originClient, record.originClock), (record.rightClient, record.rightClock),
            (record.parentClient, record.parentClock),
        ] where client != absent && client != record.client && clock >= states[Int(client)] {
            return (client, clock)
        }
        return nil
    }

    /// What the update brings beyond the known clocks of each client: ownership of client ids is checked on this.
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
