/// The end of a transaction (yjs `cleanupTransactions`): deletions sorted, content collected, neighbours
/// joined.
extension Store {
    /// Ends the transaction where nobody watches. Gives what it did: the clients that grew with their clocks
    /// before, and the deletions, sorted by client place and clock and joined.
    mutating func endTransaction() -> (
        grown: [TransactionLog.Place], deleted: [TransactionLog.Deletion]
    ) {
        let deletions = Self.sorted(transaction.deletions)
        let grown = transaction.changed.map {
            TransactionLog.Place(client: $0, clock: clients[Int($0)].stateBefore)
        }
        cleanUp(grown: grown, deletions: deletions, splits: transaction.splits)
        for client in transaction.changed { clients[Int(client)].isChanged = false }
        if !grown.isEmpty { transaction.changed.removeAll(keepingCapacity: true) }
        if !deletions.isEmpty { transaction.deletions.removeAll(keepingCapacity: true) }
        if !transaction.splits.isEmpty { transaction.splits.removeAll(keepingCapacity: true) }
        return (grown, deletions)
    }

    /// Takes the log of a transaction whose body is over, so that another may begin before it is cleaned up.
    mutating func closeTransaction() -> ClosedTransaction {
        var closed = ClosedTransaction(log: transaction)
        closed.deletions = Self.sorted(transaction.deletions)
        for client in transaction.changed {
            let before = clients[Int(client)].stateBefore
            closed.grown.append(TransactionLog.Place(client: client, clock: before))
            clients[Int(client)].isChanged = false
        }
        transaction = TransactionLog()
        return closed
    }

    /// Drops what was deleted and joins what can be joined.
    mutating func cleanUp(
        grown: [TransactionLog.Place], deletions: [TransactionLog.Deletion], splits: [TransactionLog.Place]
    ) {
        if collectsGarbage { collect(deletions) }
        squash(deletions, grown: grown)
        for place in grown { squash(place.client, from: place.clock) }
        squash(splits: splits)
        if arena.isWasteful { compact() }
        encoded.forget(unless: version)
    }

    private static func sorted(_ deletions: [TransactionLog.Deletion]) -> [TransactionLog.Deletion] {
        if deletions.count < 2 { return deletions }
        func precedes(_ a: TransactionLog.Deletion, _ b: TransactionLog.Deletion) -> Bool {
            (a.client, a.clock) < (b.client, b.clock)
        }
        let isInOrder = zip(deletions, deletions.dropFirst()).allSatisfy { !precedes($1, $0) }
        let ordered = isInOrder ? deletions : deletions.sorted(by: precedes)
        var joined: [TransactionLog.Deletion] = []
        joined.reserveCapacity(ordered.count)
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
            var next: ClientBlocks.Place? = clients[client].nearPlace(of: deletion.clock)
            while let place = next, clients[client][place].clock < deletion.clock + deletion.length {
                collect(clients[client][place].block)
                next = clients[client].next(place)
            }
        }
    }

    /// Joins around deletions; those of structs that are new come with the others of their client.
    private mutating func squash(_ deletions: [TransactionLog.Deletion], grown: [TransactionLog.Place]) {
        let grown = grown.count < 2 ? grown : grown.sorted { $0.client < $1.client }
        var place = grown.count - 1
        for deletion in deletions.reversed() {
            while place >= 0, grown[place].client > deletion.client { place -= 1 }
            if place >= 0, grown[place].client == deletion.client, grown[place].clock <= deletion.clock {
                continue
            }
            let client = Int(deletion.client)
            let last = clients[client].place(of: deletion.clock + deletion.length - 1)
            let next = clients[client].next(last)
            squash(client, from: next ?? last, downTo: deletion.clock)
        }
    }

    private mutating func squash(_ client: UInt32, from clock: UInt32) {
        let client = Int(client)
        guard let last = clients[client].last else { return }
        squash(client, from: last, downTo: clients[client][clients[client].place(of: clock)].clock)
    }

    /// Joins what can be joined, going left from a place to the last block that begins at `clock` or later.
    private mutating func squash(_ client: Int, from place: ClientBlocks.Place, downTo clock: UInt32) {
        var next: ClientBlocks.Place? = place
        while let place = next, clients[client][place].clock >= clock {
            // Joined first: the entries must not be in use when one of them is taken out, or all are copied.
            let joined = joinLefts(client, place).place
            next = clients[client].previous(joined)
        }
    }

    private mutating func squash(splits: [TransactionLog.Place]) {
        for place in splits.reversed() {
            let client = Int(place.client)
            let at = clients[client].place(of: place.clock)
            if let next = clients[client].next(at), joinLefts(client, next).joined > 1 { continue }
            _ = joinLefts(client, at)
        }
    }

    /// Joins the block at `place` to the one before it, that to the one before, and so on. Gives where what
    /// came of them is and how many are gone.
    private mutating func joinLefts(
        _ client: Int, _ place: ClientBlocks.Place
    ) -> (place: ClientBlocks.Place, joined: Int) {
        var at = place
        var joined = 0
        while let before = clients[client].previous(at),
            join(clients[client][before].block, clients[client][at].block)
        {
            clients[client].remove(at)
            at = before
            joined += 1
        }
        return (at, joined)
    }

    /// Makes one block of two that are neighbours in clock order, where Yjs would (`Item.mergeWith`).
    private mutating func join(_ left: UInt32, _ right: UInt32) -> Bool {
        // Most that cannot be joined shows in the right one alone.
        let b = blocks[right]
        guard b.kind.isMergeable, b.kind == .gc || b.originClock == b.clock &- 1 && b.originClient == b.client
        else { return false }
        let a = blocks[left]
        guard a.kind == b.kind, a.isDeleted == b.isDeleted else { return false }
        if a.isRedone || b.isRedone { return false }
        if a.kind != .gc {
            guard b.originClient == a.client, b.originClock == a.end - 1, a.right == right,
                a.rightClient == b.rightClient, a.rightClient == absent || a.rightClock == b.rightClock
            else { return false }
            joinItems(left, a, right, b)
        }
        blocks[left].length += b.length
        if b.isKept { blocks[left].isKept = true }
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
            client.forEach { index in
                switch blocks[index].kind {
                case .gc, .deleted, .skip, .type: return
                default: blocks[index].content = fresh.append(arena.bytes(blocks[index].content))
                }
            }
        }
        arena = fresh
    }
}
