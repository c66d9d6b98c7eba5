/// Cleaning up after what others wrote (yjs `cleanupYTextAfterTransaction`).
extension Document {
    /// In a transaction of its own deletes format items that have become redundant in the texts which a remote
    /// transaction changed.
    func cleanFormatting(after transaction: Transaction) {
        guard !transaction.isLocal, transaction.events.contains(where: { needsCleanup($0) }) else { return }
        var texts = addedFormats(transaction)
        transact {
            for block in deletedBlocks(transaction) {
                guard store.blocks[block].isItem else { continue }
                let parent = store.blocks[block].parent
                guard store.types[Int(parent)].hasFormatting, !texts.contains(parent) else { continue }
                if store.blocks[block].kind == .format {
                    texts.append(parent)
                } else {
                    store.cleanContextlessGap(around: block)
                }
            }
            for text in texts { store.cleanFormatting(of: text) }
        }
    }

    private func needsCleanup(_ type: UInt32) -> Bool {
        switch store.types[Int(type)].kind {
        case .text, .xmlText: store.types[Int(type)].hasFormatting
        default: false
        }
    }

    /// Types that have got format items since the transaction began.
    private func addedFormats(_ transaction: Transaction) -> [UInt32] {
        var types: [UInt32] = []
        for grown in store.inOrderOfAppearance(transaction.closed.grown) {
            let blocks = store.clients[Int(grown.client)]
            var next: ClientBlocks.Place? = blocks.place(of: grown.clock)
            while let place = next {
                let block = store.blocks[blocks[place].block]
                if block.kind == .format, !block.isDeleted, !types.contains(block.parent) {
                    types.append(block.parent)
                }
                next = blocks.next(place)
            }
        }
        return types
    }

    /// The blocks that a transaction deleted, by client in the order of their first deletions.
    func deletedBlocks(_ transaction: Transaction) -> [UInt32] {
        transaction.closed.deletionOrder.flatMap { client in
            transaction.closed.deletions.filter { $0.client == client }.flatMap {
                store.blocks(of: $0.client, from: $0.clock, to: $0.clock + $0.length)
            }
        }
    }
}

extension Store {
    /// The blocks of a run of clocks, cut at its ends (yjs `iterateStructs`); the run must begin below the
    /// client's state.
    mutating func blocks(of client: UInt32, from: UInt32, to end: UInt32) -> [UInt32] {
        guard from < state(client), from < end else { return [] }
        var found = [blockStarting(client, from)]
        while let last = found.last {
            let next = blocks[last].end
            if next > end, blocks[last].isItem { _ = blockStarting(client, end) }
            guard next < end, next < state(client) else { break }
            found.append(block(client, next))
        }
        return found
    }
}
