/// What the transaction under way has done so far.
struct TransactionLog {
    struct Place: BitwiseCopyable {
        var client: UInt32
        var clock: UInt32
    }

    struct Deletion: BitwiseCopyable {
        var client: UInt32
        var clock: UInt32
        var length: UInt32
    }

    /// Clients whose state has grown.
    var changed: [UInt32] = []
    /// Units deleted, in the order it happened.
    var deletions: [Deletion] = []
    /// Blocks made by splitting, and others whose neighbours may have become alike (yjs `_mergeStructs`).
    var splits: [Place] = []

    var isEmpty: Bool { changed.isEmpty && deletions.isEmpty }
}

extension Store {
    /// Notes the state of a client before its first change in this transaction.
    @inline(__always)
    mutating func willChange(_ client: UInt32) {
        if !clients[Int(client)].isChanged {
            clients[Int(client)].isChanged = true
            clients[Int(client)].stateBefore = clients[Int(client)].state
            transaction.changed.append(client)
        }
    }

    /// State of a client when the transaction began.
    func stateBefore(_ client: UInt32) -> UInt32 {
        clients[Int(client)].isChanged ? clients[Int(client)].stateBefore : clients[Int(client)].state
    }

    mutating func noteDeletion(_ block: UInt32) {
        let it = blocks[block]
        if var last = transaction.deletions.last, last.client == it.client,
            last.clock + last.length == it.clock
        {
            last.length += it.length
            transaction.deletions[transaction.deletions.count - 1] = last
            return
        }
        transaction.deletions.append(
            TransactionLog.Deletion(client: it.client, clock: it.clock, length: it.length))
    }
}
