/// The byte-level functions of Yjs on updates, without a document (yjs `mergeUpdates`, `diffUpdate`,
/// `encodeStateVectorFromUpdate`).
extension Update {
    /// One update that brings what all of `updates` bring. Structs are not squashed and nothing is collected;
    /// where two versions of a struct overlap the first in the order of clock, then of the arguments, wins.
    /// One update is given back as it is. Clients that an update has in another order than descending, as
    /// nobody writes them, are put in that order first: Yjs would write them twice and then lose structs.
    public static func merge(_ updates: [Update]) -> Update {
        guard updates.count != 1 else { return updates[0] }
        var merge = UpdateMerge(updates)
        merge.run()
        return UpdateBuilder.decoded(
            merge.builder.finish(deletes: DeleteRanges.merged(updates.flatMap(\.deletes))))
    }

    /// What of this update a document with state vector `vector` lacks; the whole delete set stays.
    public func difference(since vector: StateVector) -> Update {
        var builder = UpdateBuilder()
        for group in groups {
            let known = vector[clientTable[Int(group.client)]]
            var isWriting = false
            for record in records[group.start..<group.end] {
                if isWriting {
                    builder.write(UpdateBuilder.Source(update: self, record: record))
                } else if record.kind != .skip, UInt64(record.end) > known {
                    let cut = known > UInt64(record.clock) ? UInt32(known - UInt64(record.clock)) : 0
                    builder.write(UpdateBuilder.Source(update: self, record: record, cut: cut))
                    isWriting = true
                }
            }
        }
        return UpdateBuilder.decoded(builder.finish(deletes: DeleteRanges.grouped(deletes)))
    }

    /// The same structs as Yjs's byte-level functions write them: items with an origin lose the map key flag.
    public func withoutSubFlags() -> Update {
        var builder = UpdateBuilder()
        for record in records { builder.write(UpdateBuilder.Source(update: self, record: record)) }
        return UpdateBuilder.decoded(builder.finish(deletes: DeleteRanges.grouped(deletes)))
    }

    /// The state vector of a document that applied only this update: of each client what begins at clock 0
    /// and has no gap.
    public var stateVector: StateVector {
        var vector = StateVector()
        for group in groups {
            var end: UInt64 = 0
            for record in records[group.start..<group.end] {
                guard record.kind != .skip, UInt64(record.clock) == end else { break }
                end = UInt64(record.end)
            }
            vector[clientTable[Int(group.client)]] = end
        }
        return vector
    }
}

/// The k-way merge of `Update.merge`.
private struct UpdateMerge {
    /// Reads the structs of one update, clients descending, Skips left out.
    private struct Cursor {
        private let update: Update
        private let groups: [Update.Group]
        private var group = 0
        private var index: Int

        init(_ update: Update) {
            self.update = update
            let table = update.clientTable
            groups = update.groups.sorted { table[Int($0.client)] > table[Int($1.client)] }
            index = groups.first?.start ?? 0
            settle()
        }

        var current: UpdateBuilder.Source? {
            group < groups.count ? UpdateBuilder.Source(update: update, record: update.records[index]) : nil
        }

        mutating func advance() {
            index += 1
            settle()
        }

        /// Moves on to the next struct that is no Skip.
        private mutating func settle() {
            while group < groups.count {
                while index < groups[group].end, update.records[index].kind == .skip { index += 1 }
                if index < groups[group].end { return }
                group += 1
                if group < groups.count { index = groups[group].start }
            }
        }
    }

    /// The struct to be written next, held back because it may still grow.
    private struct Held {
        var source: UpdateBuilder.Source
        /// A gap instead of the struct.
        var isSkip = false
        var clock: UInt64
        var end: UInt64

        init(_ source: UpdateBuilder.Source) {
            self.source = source
            clock = source.clock
            end = source.end
        }
    }

    var builder = UpdateBuilder()
    private var cursors: [Cursor]
    private var held: Held?

    init(_ updates: [Update]) {
        cursors = updates.map(Cursor.init)
    }

    mutating func run() {
        while true {
            cursors.removeAll { $0.current == nil }
            guard !cursors.isEmpty else { break }
            sort()
            step(0)
        }
        writeHeld()
    }

    /// Sorts the cursors: highest client first, of one client the lowest clock.
    ///
    /// Of a GC struct and an item at the same clock Yjs's comparison calls each the lesser, whichever it is
    /// asked about, so which comes first depends on how JavaScript sorts: this is V8's sort of up to 63
    /// elements (count a run, reverse it when it descends, insert the others by binary search).
    private mutating func sort() {
        let count = cursors.count
        guard count > 1 else { return }
        let keys = cursors.map {
            ($0.current?.client ?? 0, $0.current?.clock ?? 0, $0.current?.record.kind == .gc)
        }
        func isBefore(_ a: Int, _ b: Int) -> Bool {
            let (x, y) = (keys[a], keys[b])
            if x.0 != y.0 { return x.0 > y.0 }
            return x.1 == y.1 ? x.2 != y.2 : x.1 < y.1
        }
        let descends = isBefore(1, 0)
        var run = 2
        while run < count, isBefore(run, run - 1) == descends { run += 1 }
        var order = Array(0..<run)
        if descends { order.reverse() }
        for next in run..<count {
            var (low, high) = (0, next)
            while low < high {
                let middle = (low + high) >> 1
                if isBefore(next, order[middle]) { high = middle } else { low = middle + 1 }
            }
            order.insert(next, at: low)
        }
        if run < count || descends { cursors = order.map { cursors[$0] } }
    }

    private mutating func step(_ at: Int) {
        guard let lead = cursors[at].current else { return }
        let client = lead.client
        guard let write = held else {
            held = Held(lead)
            cursors[at].advance()
            return follow(at, client)
        }
        var passed = false
        while let current = cursors[at].current, current.end <= write.end,
            current.client >= write.source.client
        {
            cursors[at].advance()
            passed = true
        }
        guard let current = cursors[at].current, current.client == client,
            !(passed && current.clock > write.end)
        else { return }
        if client != write.source.client {
            writeHeld()
            held = Held(current)
            cursors[at].advance()
        } else if write.end < current.clock {
            bridge(write, to: current)
        } else {
            join(write, current, at)
        }
        follow(at, client)
    }

    private mutating func bridge(_ write: Held, to current: UpdateBuilder.Source) {
        if write.isSkip {
            held?.end = current.end
        } else {
            writeHeld()
            var gap = Held(write.source)
            gap.isSkip = true
            gap.clock = write.end
            gap.end = current.clock
            held = gap
        }
    }

    private mutating func join(_ write: Held, _ next: UpdateBuilder.Source, _ at: Int) {
        var current = next
        let overlap = write.end - current.clock
        if overlap > 0 {
            if write.isSkip { held?.end -= overlap } else { current.cut += UInt32(overlap) }
        }
        if !write.isSkip, write.source.record.kind == .gc, current.record.kind == .gc {
            held?.end = current.end
        } else {
            writeHeld()
            held = Held(current)
            cursors[at].advance()
        }
    }

    private mutating func follow(_ at: Int, _ client: ClientID) {
        while let next = cursors[at].current, let write = held, next.client == client, next.clock == write.end
        {
            writeHeld()
            held = Held(next)
            cursors[at].advance()
        }
    }

    private mutating func writeHeld() {
        guard let write = held else { return }
        let client = write.source.client
        if write.isSkip {
            builder.writeSkip(client: client, clock: write.clock, length: write.end - write.clock)
        } else if write.source.record.kind == .gc {
            builder.writeGC(client: client, clock: write.clock, length: write.end - write.clock)
        } else {
            builder.write(write.source)
        }
        held = nil
    }
}
