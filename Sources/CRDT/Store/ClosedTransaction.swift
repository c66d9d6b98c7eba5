/// What a transaction did, once its body is over and before it is cleaned up.
struct ClosedTransaction {
    /// Clients that grew, with their clocks before.
    var grown: [TransactionLog.Place] = []
    /// The same clients with their clocks when the observers were about to be called (yjs `afterState`).
    var ends: [TransactionLog.Place] = []
    /// Units deleted, sorted by client place and clock and joined.
    var deletions: [TransactionLog.Deletion] = []
    /// Clients of `deletions` in the order of their first one.
    var deletionOrder: [UInt32] = []
    var splits: [TransactionLog.Place]
    var types: ChangedTypes
    var documents: DocumentChanges

    init(log: TransactionLog) {
        splits = log.splits
        types = log.types
        documents = log.documents
        var seen: Set<UInt32> = []
        for deletion in log.deletions where seen.insert(deletion.client).inserted {
            deletionOrder.append(deletion.client)
        }
    }

    var isEmpty: Bool { grown.isEmpty && deletions.isEmpty }

    /// Whether a unit was deleted in this transaction. O(log n).
    func deletes(_ client: UInt32, _ clock: UInt32) -> Bool {
        var low = 0
        var high = deletions.count
        while low < high {
            let middle = (low + high) >> 1
            if (deletions[middle].client, deletions[middle].clock) <= (client, clock) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low > 0, deletions[low - 1].client == client else { return false }
        return clock < deletions[low - 1].clock + deletions[low - 1].length
    }
}
