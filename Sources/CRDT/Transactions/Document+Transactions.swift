/// Running transactions (yjs `transact`, `cleanupTransactions`).
extension Document {
    /// Runs `body` as one transaction: observers are called and the update is made once, when it is over.
    /// Within another transaction it is a part of that. When `body` throws, what it did before stands.
    /// `origin` is handed to observers, and undo managers tell by it whose edits they track.
    @discardableResult
    public func transact<Result, Failure: Error>(
        origin: AnyHashable? = nil, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try run(origin, isLocal: true, body)
    }

    /// Runs `body` as one transaction and gives the v1 update it made; nil when nothing changed, and within
    /// another transaction or an observer, where the update is made later. When `body` throws, what it did
    /// before stands and its update goes to `observeUpdates` alone.
    @discardableResult
    public func update<Failure: Error>(
        origin: AnyHashable? = nil, _ body: () throws(Failure) -> Void
    ) throws(Failure) -> [UInt8]? {
        let isOutermost = openTransaction == nil && cleanups.isEmpty
        if isOutermost { wantsUpdate = true }
        try run(origin, isLocal: true, body)
        guard isOutermost else { return nil }
        defer { wantedUpdate = nil }
        return wantedUpdate
    }

    func run<Result, Failure: Error>(
        _ origin: AnyHashable?, isLocal: Bool, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if openTransaction != nil {
            if !isLocal { openTransaction?.isLocal = false }
            return try body()
        }
        openTransaction = OpenTransaction(origin: origin, isLocal: isLocal, wantsUpdate: wantsUpdate)
        wantsUpdate = false
        do throws(Failure) {
            let result = try body()
            finishBody()
            return result
        } catch {
            finishBody()
            throw error
        }
    }

    private func finishBody() {
        guard let open = openTransaction.take() else { return }
        if cleanups.isEmpty && !store.tracksChanges && store.transaction.documents.isEmpty {
            finishUnobserved(open)
            return
        }
        let transaction = Transaction(
            self, origin: open.origin, isLocal: open.isLocal, closed: store.closeTransaction())
        cleanups.append((transaction, open.wantsUpdate))
        guard cleanups.count == 1 else { return }
        var next = 0
        while next < cleanups.count {
            cleanUp(next)
            next += 1
        }
        cleanups.removeAll()
    }

    /// The end of a transaction of whose types nobody wants to know.
    private func finishUnobserved(_ open: OpenTransaction) {
        let (grown, deletions) = store.endTransaction()
        let isWatched = !observers.updates.isEmpty || !observers.updatesV2.isEmpty
        guard open.wantsUpdate || isWatched || !open.isLocal else { return }
        if !open.isLocal { leaveTakenClientID(grown) }
        if open.wantsUpdate && !isWatched {
            guard !grown.isEmpty || !deletions.isEmpty else { return }
            wantedUpdate = store.encode(
                grown.map { (client: $0.client, from: $0.clock) },
                deletions: DeleteRanges.merged(deletions.map { store.range(of: $0) }))
        } else if isWatched {
            var closed = ClosedTransaction(log: TransactionLog())
            closed.grown = grown
            closed.deletions = deletions
            let transaction = Transaction(self, origin: open.origin, isLocal: open.isLocal, closed: closed)
            cleanups.append((transaction, open.wantsUpdate))
            emitUpdates(transaction, isWanted: open.wantsUpdate)
            var next = 1
            while next < cleanups.count {
                cleanUp(next)
                next += 1
            }
            cleanups.removeAll()
        }
    }

    /// Calls the observers of one transaction and cleans up behind it.
    private func cleanUp(_ place: Int) {
        let (transaction, isWanted) = cleanups[place]
        includeLater(transaction, place)
        let grown = transaction.closed.grown
        transaction.closed.ends = grown.map {
            TransactionLog.Place(client: $0.client, clock: store.state($0.client))
        }
        currentCleanup = place
        callObservers(transaction)
        for body in observers.afterTransaction.bodies { body(transaction) }
        if cleansFormatting { cleanFormatting(after: transaction) }
        includeLater(transaction, place)
        // Observers that looked at what was deleted have cut blocks at its ends.
        transaction.closed.splits += store.transaction.splits
        store.transaction.splits.removeAll()
        // What only observers have added is joined when their own transactions are cleaned up.
        store.cleanUp(
            grown: grown, deletions: transaction.closed.deletions, splits: transaction.closed.splits)
        if !transaction.isLocal { leaveTakenClientID(transaction.closed.grown) }
        emitUpdates(transaction, isWanted: isWanted)
        emitSubdocuments(transaction)
    }

    /// What transactions made by observers have added belongs to the update of this one too, because an
    /// update holds everything since its transaction began.
    private func includeLater(_ transaction: Transaction, _ place: Int) {
        for (later, _) in cleanups[(place + 1)...] {
            for grown in later.closed.grown
            where !transaction.closed.grown.contains(where: { $0.client == grown.client }) {
                transaction.closed.grown.append(grown)
            }
        }
    }

    private func emitUpdates(_ transaction: Transaction, isWanted: Bool) {
        let (first, second) = (observers.updates.bodies, observers.updatesV2.bodies)
        guard isWanted || !first.isEmpty || !second.isEmpty else { return }
        guard let update = transaction.update() else { return }
        if isWanted { wantedUpdate = update }
        for body in first { body(update, transaction) }
        if !second.isEmpty, let update = transaction.updateV2() {
            for body in second { body(update, transaction) }
        }
    }

    /// When an update brings structs of our own client id, somebody else uses it: another one is taken, if
    /// there is a source of them.
    private func leaveTakenClientID(_ grown: [TransactionLog.Place]) {
        guard let makeClientID, grown.contains(where: { store.id($0.client) == clientID }) else { return }
        clientID = makeClientID()
    }
}

/// A transaction whose body is running.
struct OpenTransaction {
    var origin: AnyHashable?
    var isLocal: Bool
    var wantsUpdate: Bool
}
