/// Applying delete sets (yjs `readAndApplyDeleteSet`).
extension Store {
    /// Deletes what is known of the ranges and gives what is not.
    mutating func apply(_ deletes: [Update.ClientRange]) -> [Update.ClientRange] {
        var rest: [Update.ClientRange] = []
        for range in deletes {
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

    private mutating func delete(_ client: UInt32, from: UInt32, to end: UInt32) {
        let place = Int(client)
        var position = clients[place].position(of: from)
        let first = clients[place].entries[position].block
        if !blocks[first].isDeleted && blocks[first].clock < from {
            _ = split(first, at: from - blocks[first].clock, position: position)
            position += 1
        }
        while position < clients[place].entries.count, clients[place].entries[position].clock < end {
            let block = clients[place].entries[position].block
            if !blocks[block].isDeleted {
                if end < blocks[block].end {
                    _ = split(block, at: end - blocks[block].clock, position: position)
                }
                delete(block)
            }
            position += 1
        }
    }

    /// Whether every unit of the ranges is known and deleted.
    func containsDeletions(_ deletes: [Update.ClientRange]) -> Bool {
        for range in deletes {
            guard let client = clientIndex[range.client], range.to <= UInt64(state(client)) else {
                return false
            }
            let entries = clients[Int(client)].entries
            var position = clients[Int(client)].position(of: UInt32(range.from))
            while position < entries.count, UInt64(entries[position].clock) < range.to {
                if !blocks[entries[position].block].isDeleted { return false }
                position += 1
            }
        }
        return true
    }
}
