/// Reverting a step (yjs `popStackItem`, `redoItem`).
extension Document {
    /// Deletes what the step inserted and makes anew what it deleted. False when nothing was left to do.
    func revert(_ step: StackItem, _ manager: UndoManager) -> Bool {
        var toDelete: [UInt32] = []
        for block in store.blocks(of: step.insertions) where store.blocks[block].isItem {
            let (last, offset) = store.followRedone(store.id(of: block)) ?? (block, 0)
            let item =
                offset > 0
                ? store.blockStarting(store.blocks[last].client, store.blocks[last].clock + offset) : last
            if !store.blocks[item].isDeleted, store.isIn(manager.scope, item) { toDelete.append(item) }
        }
        let toRedo = store.blocks(of: step.deletions).filter {
            store.blocks[$0].isItem && store.isIn(manager.scope, $0)
                && !step.insertions.contains(store.blocks[$0].client, store.blocks[$0].clock)
        }
        var redo = Redo(manager, step, Set(toRedo), client: store.makeClient(clientID))
        var isChanged = false
        for block in toRedo where redo.make(block, in: self, depth: 0) != nil { isChanged = true }
        // Children are deleted before their parents, so that filters see them where they were.
        for block in toDelete.reversed() where manager.deletes(value(ofType: store.blocks[block].parent)) {
            store.delete(block)
            isChanged = true
        }
        return isChanged
    }
}

/// Making deleted items anew.
private struct Redo {
    private let manager: UndoManager
    private let step: StackItem
    private let wanted: Set<UInt32>
    private let client: UInt32

    init(_ manager: UndoManager, _ step: StackItem, _ wanted: Set<UInt32>, client: UInt32) {
        self.manager = manager
        self.step = step
        self.wanted = wanted
        self.client = client
    }

    /// The copy of an item, made when there is none; nil when it cannot come back.
    mutating func make(_ block: UInt32, in document: Document, depth: Int) -> UInt32? {
        if let copy = document.store.copy(of: block) { return copy }
        guard depth < Limits.maxRedoDepth else { return nil }
        let item = document.store.blocks[block]
        var holder = document.store.types[Int(item.parent)].item
        if holder != absent, document.store.blocks[holder].isDeleted {
            // What it is in has to come back first.
            if !document.store.blocks[holder].isRedone,
                !wanted.contains(holder) || make(holder, in: document, depth: depth + 1) == nil
            {
                return nil
            }
            while let copy = document.store.copy(of: holder) { holder = copy }
        }
        guard holder == absent || document.store.blocks[holder].kind == .type else { return nil }
        let parent = holder == absent ? item.parent : document.store.blocks[holder].content.offset
        guard let (left, right) = neighbours(of: block, holder, parent, document) else { return nil }
        return document.store.redo(block, parent: parent, left: left, right: right, client: client)
    }

    private mutating func neighbours(
        of block: UInt32, _ holder: UInt32, _ parent: UInt32, _ document: Document
    ) -> (left: UInt32, right: UInt32)? {
        let item = document.store.blocks[block]
        guard item.sub != absent else {
            return (
                document.store.trace(from: item.left, \.left, to: holder),
                document.store.trace(from: block, \.right, to: holder)
            )
        }
        var left = document.store.mapTail(parent, item.sub)
        if item.right != absent && !manager.ignoresRemoteMapChanges {
            left = block
            while document.store.blocks[left].right != absent,
                isForgotten(document.store.blocks[left].right, document.store)
            {
                left = document.store.blocks[left].right
                while let copy = document.store.copy(of: left) { left = copy }
            }
            // Somebody else has set another value.
            if document.store.blocks[left].right != absent { return nil }
        }
        if left != absent, document.store.types[Int(document.store.blocks[left].parent)].item != holder {
            left = document.store.mapTail(parent, item.sub)
        }
        return (left, absent)
    }

    /// Whether a later value of a key is one of ours that is undone, or was made anew.
    private func isForgotten(_ block: UInt32, _ store: borrowing Store) -> Bool {
        let item = store.blocks[block]
        if item.isRedone { return true }
        let (client, clock) = (item.client, item.clock)
        return step.insertions.contains(client, clock)
            || manager.undoStack.contains { $0.deletions.contains(client, clock) }
            || manager.redoStack.contains { $0.deletions.contains(client, clock) }
    }
}

extension Store {
    /// Whether a block is in one of the types or in something that is.
    func isIn(_ scope: [SharedTypeReference], _ block: UInt32) -> Bool {
        guard blocks[block].isItem else { return false }
        var block = block
        while block != absent {
            let parent = blocks[block].parent
            let generation = types[Int(parent)].generation
            if scope.contains(where: { $0.type == parent && $0.generation == generation }) { return true }
            block = types[Int(parent)].item
        }
        return false
    }

    /// Keeps the content of an item, and everything it is in, from being dropped, or lets it go (yjs
    /// `keepItem`).
    mutating func keep(_ block: UInt32, _ isKept: Bool) {
        var block = block
        while block != absent, blocks[block].isKept != isKept {
            blocks[block].isKept = isKept
            block = types[Int(blocks[block].parent)].item
        }
    }

    /// What undo made of a block, cut so that it begins there; nil when it made nothing.
    mutating func copy(of block: UInt32) -> UInt32? {
        guard blocks[block].isRedone, let place = redone[block] else { return nil }
        return blockStarting(place.client, place.clock)
    }

    /// Where a unit is now: the last of its copies, one made of the other, with the unit's offset in that;
    /// nil when it was not received. O(copies × log blocks).
    func followRedone(_ id: ID) -> (block: UInt32, offset: UInt32)? {
        guard var block = block(of: id) else { return nil }
        var offset = UInt32(id.clock) - blocks[block].clock
        while blocks[block].isRedone, let place = redone[block] {
            let clock = place.clock + offset
            guard clock < state(place.client) else { break }
            block = self.block(place.client, clock)
            offset = clock - blocks[block].clock
        }
        return (block, offset)
    }

    /// The nearest block on one side that is, or has a copy that is, in the type that `holder` holds.
    fileprivate mutating func trace(
        from start: UInt32, _ side: KeyPath<Block, UInt32>, to holder: UInt32
    ) -> UInt32 {
        var block = start
        while block != absent {
            var trace: UInt32? = block
            while let it = trace, types[Int(blocks[it].parent)].item != holder { trace = copy(of: it) }
            if let trace { return trace }
            block = blocks[block][keyPath: side]
        }
        return absent
    }

    /// Makes a copy of an item under this document's client.
    fileprivate mutating func redo(
        _ block: UInt32, parent: UInt32, left: UInt32, right: UInt32, client: UInt32
    ) -> UInt32? {
        let old = blocks[block]
        let clock = state(client)
        guard UInt64(clock) + UInt64(old.length) <= Limits.maxClock,
            blocks.liveCount < Limits.maxDocumentBlocks, arena.used < Limits.maxDocumentBytes
        else { return nil }
        var new = Block(kind: old.kind, client: client, clock: clock, length: old.length)
        new.parent = parent
        new.sub = old.sub
        new.isKept = true
        if left != absent {
            new.originClient = blocks[left].client
            new.originClock = blocks[left].end - 1
        }
        if right != absent {
            new.rightClient = blocks[right].client
            new.rightClock = blocks[right].clock
        }
        switch old.kind {
        case .type:
            let type = types[Int(old.content.offset)]
            var copy = TypeRecord(kind: type.kind)
            copy.name = type.name
            new.content = ArenaSlice(offset: makeType(copy))
        case .gc, .deleted, .skip: break
        default:
            // The bytes are copied out first: appending may move the arena.
            let bytes = Array(arena.bytes(old.content))
            new.content = bytes.withUnsafeBufferPointer { arena.append($0) }
        }
        blocks[block].isRedone = true
        redone[block] = TransactionLog.Place(client: client, clock: clock)
        keepHolders(of: parent)
        if old.kind == .format { formatObjects[Self.unitCode(new)] = formatObject(of: block) }
        return link(new, left: left, right: right)
    }

    private mutating func keepHolders(of parent: UInt32) {
        let holder = types[Int(parent)].item
        if holder != absent { keep(holder, true) }
    }
}
