/// Edits of this document's own client (yjs `typeListInsertGenerics`, `typeListDelete`, `typeMapSet`).
extension Store {
    /// Neighbours of a list position; the block there is cut when the position lies within it.
    mutating func neighbours(
        _ type: UInt32, _ position: Int
    ) throws(EditError) -> (left: UInt32, right: UInt32) {
        guard position > 0 else {
            if position < 0 { throw EditError(.outOfRange) }
            return (absent, types[Int(type)].start)
        }
        guard let (block, offset) = locate(type, position - 1) else { throw EditError(.outOfRange) }
        let length = UInt32(offset) + 1
        if length < blocks[block].length {
            let clock = blocks[block].clock + length
            return (block, blockStarting(blocks[block].client, clock))
        }
        return (block, blocks[block].right)
    }

    /// Inserts content into a text without formatting; like Yjs behind all deleted blocks at the position.
    mutating func insertText(
        _ type: UInt32, at position: Int, _ content: NewContent, client: UInt32
    ) throws(EditError) -> UInt32 {
        var (left, right) = try neighbours(type, position)
        while right != absent, blocks[right].isDeleted {
            left = right
            right = blocks[right].right
        }
        return try insert(content, parent: type, sub: absent, left: left, right: right, client: client)
    }

    /// Inserts list elements right behind the element before the position. Gives their blocks.
    mutating func insertElements(
        _ type: UInt32, at position: Int, _ contents: [NewContent], client: UInt32
    ) throws(EditError) -> [UInt32] {
        let (left, _) = try neighbours(type, position)
        return try insertElements(type, after: left, contents, client: client)
    }

    /// Inserts list elements right behind a block, or at the beginning when that is `absent`.
    mutating func insertElements(
        _ type: UInt32, after block: UInt32, _ contents: [NewContent], client: UInt32
    ) throws(EditError) -> [UInt32] {
        var left = block
        var inserted: [UInt32] = []
        for content in contents {
            let right = left == absent ? types[Int(type)].start : blocks[left].right
            left = try insert(content, parent: type, sub: absent, left: left, right: right, client: client)
            inserted.append(left)
        }
        return inserted
    }

    /// Inserts list elements behind everything, deleted blocks included (yjs `typeListPushGenerics`).
    mutating func pushElements(
        _ type: UInt32, _ contents: [NewContent], client: UInt32
    ) throws(EditError) -> [UInt32] {
        var (last, next) = try neighbours(type, types[Int(type)].length)
        while next != absent {
            last = next
            next = blocks[last].right
        }
        return try insertElements(type, after: last, contents, client: client)
    }

    /// Gives the block of the value.
    mutating func setValue(
        _ type: UInt32, _ key: UInt32, _ content: NewContent, client: UInt32
    ) throws(EditError) -> UInt32 {
        let left = mapTail(type, key)
        return try insert(content, parent: type, sub: key, left: left, right: absent, client: client)
    }

    /// Makes a block of this document's client between two neighbours.
    mutating func insert(
        _ content: NewContent, parent: UInt32, sub: UInt32, left: UInt32, right: UInt32, client: UInt32
    ) throws(EditError) -> UInt32 {
        let clock = state(client)
        guard UInt64(clock) + UInt64(content.length) <= Limits.maxClock,
            blocks.liveCount < Limits.maxDocumentBlocks, arena.used < Limits.maxDocumentBytes
        else { throw EditError(.full) }
        var block = Block(
            kind: content.kind, client: client, clock: clock, length: UInt32(content.length))
        block.content = store(content)
        block.parent = parent
        block.sub = sub
        if left != absent {
            block.originClient = blocks[left].client
            block.originClock = blocks[left].end - 1
        }
        if right != absent {
            block.rightClient = blocks[right].client
            block.rightClock = blocks[right].clock
        }
        return link(block, left: left, right: right)
    }

    /// Deletes `length` visible units from `position` on.
    mutating func deleteRange(_ type: UInt32, at position: Int, length: Int) throws(EditError) {
        guard length > 0 else { return }
        guard position >= 0, length <= types[Int(type)].length, position <= types[Int(type)].length - length,
            let (first, offset) = locate(type, position)
        else { throw EditError(.outOfRange) }
        var block = first
        if offset > 0 { block = blockStarting(blocks[first].client, blocks[first].clock + UInt32(offset)) }
        var rest = UInt32(clamping: length)
        while rest > 0, block != absent {
            let weight = blocks[block].weight
            if weight > rest {
                _ = blockStarting(blocks[block].client, blocks[block].clock + rest)
            }
            if weight > 0 {
                rest -= min(rest, blocks[block].length)
                delete(block)
            }
            block = blocks[block].right
        }
    }

    mutating func deleteKey(_ type: UInt32, _ name: String) {
        if let block = liveValue(type, name) { delete(block) }
    }
}
