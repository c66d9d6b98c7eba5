/// Deleting and collecting (yjs `Item.delete`, `ContentType.delete`, `Item.gc`). Nested types are followed
/// with a list of what is left to do, not by recursion: depth is in the hands of whoever sends updates.
extension Store {
    /// Deletes one block and everything in it.
    mutating func delete(_ block: UInt32) {
        guard let type = markDeleted(block) else { return }
        deleteContents(of: type)
    }

    /// Marks one block deleted. Gives its type when there are contents to delete too.
    private mutating func markDeleted(_ index: UInt32) -> UInt32? {
        let block = blocks[index]
        guard !block.isDeleted else { return nil }
        if block.sub == absent && block.kind.isCountable {
            let parent = Int(block.parent)
            types[parent].length -= Int(block.length)
            if types[parent].index != nil {
                types[parent].index?.setWeight(0, of: index, leaf: block.leaf)
            }
        }
        blocks[index].isDeleted = true
        noteDeletion(index)
        noteChange(of: block.parent, key: block.sub)
        if block.kind == .document { transaction.documents.remove(id(of: index)) }
        return block.kind == .type ? block.content.offset : nil
    }

    private mutating func deleteContents(of type: UInt32) {
        var open = [type]
        while let type = open.popLast() {
            var children: [UInt32] = []
            var child = types[Int(type)].start
            while child != absent {
                children.append(child)
                child = blocks[child].right
            }
            for key in types[Int(type)].keys { children.append(mapTail(type, key)) }
            var nested: [UInt32] = []
            for child in children where child != absent {
                if !blocks[child].isDeleted {
                    if let type = markDeleted(child) { nested.append(type) }
                } else if blocks[child].clock < stateBefore(blocks[child].client) {
                    // Deleted earlier, so not among the deletions of this transaction, but it may be joined
                    // now.
                    let place = TransactionLog.Place(client: blocks[child].client, clock: blocks[child].clock)
                    transaction.splits.append(place)
                }
            }
            open.append(contentsOf: nested.reversed())
            if tracksChanges { transaction.types.forget(type) }
        }
    }

    // MARK: Garbage collection

    /// Drops the content of a deleted item; what was nested in it becomes GC.
    mutating func collect(_ block: UInt32) {
        guard blocks[block].isItem, blocks[block].isDeleted, blocks[block].kind != .deleted,
            !blocks[block].isKept
        else { return }
        if blocks[block].kind == .type { collectContents(of: blocks[block].content.offset) }
        dropContent(block)
        blocks[block].kind = .deleted
    }

    private mutating func dropContent(_ block: UInt32) {
        if blocks[block].kind != .type && blocks[block].kind != .deleted {
            arena.release(blocks[block].content)
        }
        blocks[block].content = ArenaSlice()
    }

    private mutating func collectContents(of type: UInt32) {
        var open = [type]
        while let type = open.popLast() {
            types[Int(type)].index = nil
            var child = types[Int(type)].start
            while child != absent {
                let next = blocks[child].right
                becomeGC(child, &open)
                child = next
            }
            for key in types[Int(type)].keys {
                var child = mapTail(type, key)
                while child != absent {
                    let next = blocks[child].left
                    becomeGC(child, &open)
                    child = next
                }
                mapTails[Self.mapCode(type, key)] = nil
            }
            types[Int(type)] = TypeRecord(generation: types[Int(type)].generation &+ 1)
            freeTypes.append(type)
        }
    }

    private mutating func becomeGC(_ index: UInt32, _ open: inout [UInt32]) {
        if blocks[index].kind == .type { open.append(blocks[index].content.offset) }
        if blocks[index].isRedone { redone[index] = nil }
        dropContent(index)
        let old = blocks[index]
        var block = Block(kind: .gc, client: old.client, clock: old.clock, length: old.length)
        block.isDeleted = true
        blocks[index] = block
    }
}
