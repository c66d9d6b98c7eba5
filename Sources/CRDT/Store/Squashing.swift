/// The end of a transaction (yjs `cleanupTransactions`): deletions sorted, content collected, neighbours joined.
extension Store {
    /// Ends the transaction. Gives what it did: the clients that grew with their clocks before, and the deletions,
    /// sorted by client place and clock and joined.
    mutating func endTransaction() -> (
        grown: [(client: UInt32, before: UInt32)], deleted: [TransactionLog.Deletion]
    ) {
        let deletions = Self.sorted(transaction.deletions)
        if collectsGarbage { collect(deletions) }
        squash(deletions)
        var grown: [(client: UInt32, before: UInt32)] = []
        for client in transaction.changed {
            let before = clients[Int(client)].stateBefore
            grown.append((client, before))
            squash(client, from: before)
        }
        squashSplits()
        for client in transaction.changed { clients[Int(client)].isChanged = false }
        transaction.changed.removeAll(keepingCapacity: true)
        transaction.deletions.removeAll(keepingCapacity: true)
        transaction.splits.removeAll(keepingCapacity: true)
        if arena.isWasteful { compact() }
        return (grown, deletions)
    }

    private static func sorted(_ deletions: [TransactionLog.Deletion]) -> [TransactionLog.Deletion] {
        if deletions.count < 2 { return deletions }
        let ordered = deletions.sorted { ($0.client, $0.clock) < ($1.client, $1.clock) }
        var joined: [TransactionLog.Deletion] = []
        for next in ordered {
            if var last = joined.last, last.client == next.client, last.clock + last.length >= next.clock {
                last.length = max(last.length, next.clock + next.length - last.clock)
                joined[joined.count - 1] = last
            } else {
                joined.append(next)
            }
        }
        return joined
    }

    private mutating func collect(_ deletions: [TransactionLog.Deletion]) {
        for deletion in deletions.reversed() {
            let client = Int(deletion.client)
            var position = clients[client].position(of: deletion.clock)
            while position < clients[client].entries.count,
                clients[client].entries[position].clock < deletion.clock + deletion.length
            {
                collect(clients[client].entries[position].block)
                position += 1
            }
        }
    }

    private mutating func squash(_ deletions: [TransactionLog.Deletion]) {
        for deletion in deletions.reversed() {
            let client = Int(deletion.client)
            let last = clients[client].position(of: deletion.clock + deletion.length - 1) + 1
            var position = min(clients[client].entries.count - 1, last)
            while position > 0, clients[client].entries[position].clock >= deletion.clock {
                position -= 1 + joinLefts(client, position)
            }
        }
    }

    private mutating func squash(_ client: UInt32, from clock: UInt32) {
        let client = Int(client)
        let first = max(clients[client].position(of: clock), 1)
        var position = clients[client].entries.count - 1
        while position >= first { position -= 1 + joinLefts(client, position) }
    }

    private mutating func squashSplits() {
        for place in transaction.splits.reversed() {
            let client = Int(place.client)
            let position = clients[client].position(of: place.clock)
            if position + 1 < clients[client].entries.count, joinLefts(client, position + 1) > 1 { continue }
            if position > 0 { _ = joinLefts(client, position) }
        }
    }

    /// Joins the block at `position` to the one before it, that to the one before, and so on. Gives how many are gone.
    private mutating func joinLefts(_ client: Int, _ position: Int) -> Int {
        var at = position
        while at > 0 {
            let entries = (clients[client].entries[at - 1].block, clients[client].entries[at].block)
            guard join(entries.0, entries.1) else { break }
            at -= 1
        }
        if at < position { clients[client].entries.removeSubrange(at + 1...position) }
        return position - at
    }

    /// Makes one block of two that are neighbours in clock order, where Yjs would (`Item.mergeWith`).
    private mutating func join(_ left: UInt32, _ right: UInt32) -> Bool {
        let (a, b) = (blocks[left], blocks[right])
        guard a.kind == b.kind, a.isDeleted == b.isDeleted, a.kind.isMergeable else { return false }
        if a.kind != .gc {
            guard b.originClient == a.client, b.originClock == a.end - 1, a.right == right,
                a.rightClient == b.rightClient, a.rightClient == absent || a.rightClock == b.rightClock
            else { return false }
            joinItems(left, a, right, b)
        }
        blocks[left].length += b.length
        blocks.remove(right)
        return true
    }

    private mutating func joinItems(_ left: UInt32, _ a: Block, _ right: UInt32, _ b: Block) {
        blocks[left].right = b.right
        if b.right != absent { blocks[b.right].left = left }
        if a.kind != .deleted {
            var content = a.content
            arena.join(&content, b.content)
            blocks[left].content = content
        }
        if b.sub != absent {
            if mapTail(b.parent, b.sub) == right { setMapTail(b.parent, b.sub, left) }
        } else if types[Int(b.parent)].index != nil {
            types[Int(b.parent)].index?.remove(right, in: &blocks)
            types[Int(b.parent)].index?.setWeight(a.weight + b.weight, of: left, leaf: blocks[left].leaf)
        }
    }

    /// Copies the contents that are in use into a new arena.
    private mutating func compact() {
        var fresh = ContentArena(capacity: arena.used + arena.used / 4)
        for client in clients {
            for entry in client.entries {
                let block = blocks[entry.block]
                switch block.kind {
                case .gc, .deleted, .skip, .type: continue
                default: blocks[entry.block].content = fresh.append(arena.bytes(block.content))
                }
            }
        }
        arena = fresh
    }
}
