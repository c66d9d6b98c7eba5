/// Applying delete sets (yjs `readAndApplyDeleteSet`).
extension Store {
    /// Deletes what is known of the ranges and gives what is not.
    mutating func apply(_ deletes: [Update.ClientRange]) -> [Update.ClientRange] {
        var rest: [Update.ClientRange] = []
        for range in Self.ascending(deletes) {
            guard let client = clientIndex[range.client], range.from < UInt64(state(client)) else {
                rest.append(range)
                continue
            }
            let state = UInt64(state(client))
            if range.to > state {
                rest.append(Update.ClientRange(client: range.client, from: state, to: range.to))
            }
            delete(client, from: UInt32(range.from), to: UInt32(min(range.to, state)))
        }
        return rest
    }

    /// Ranges of one client in clock order, as all honest updates have them: cutting a run of values from its
    /// end on would pass over the whole run each time.
    private static func ascending(_ deletes: [Update.ClientRange]) -> [Update.ClientRange] {
        for (first, second) in zip(deletes, deletes.dropFirst())
        where first.client == second.client && first.from > second.from {
            return deletes.sorted { ($0.client, $0.from) < ($1.client, $1.from) }
        }
        return deletes
    }

    private mutating func delete(_ client: UInt32, from: UInt32, to end: UInt32) {
        let own = Int(client)
        var start = clients[own].nearPlace(of: from)
        let first = clients[own][start].block
        if !blocks[first].isDeleted && blocks[first].clock < from {
            _ = split(first, at: from - blocks[first].clock, place: start)
            // Splitting may have moved entries to another chunk.
            start = clients[own].nearPlace(of: from)
        }
        var next: ClientBlocks.Place? = start
        while let place = next, clients[own][place].clock < end {
            let block = clients[own][place].block
            if !blocks[block].isDeleted {
                let isLast = end < blocks[block].end
                if isLast { _ = split(block, at: end - blocks[block].clock, place: place) }
                delete(block)
                if isLast { return }
            }
            next = clients[own].next(place)
        }
    }

    /// Whether every unit of the ranges is known and deleted.
    func containsDeletions(_ deletes: [Update.ClientRange]) -> Bool {
        for range in deletes {
            guard let client = clientIndex[range.client], range.to <= UInt64(state(client)) else {
                return false
            }
            let own = Int(client)
            var next: ClientBlocks.Place? = clients[own].place(of: UInt32(range.from))
            while let place = next, UInt64(clients[own][place].clock) < range.to {
                if !blocks[clients[own][place].block].isDeleted { return false }
                next = clients[own].next(place)
            }
        }
        return true
    }
}
