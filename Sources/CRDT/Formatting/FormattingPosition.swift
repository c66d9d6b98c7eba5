/// A place between two blocks of a text and the formatting in force there (yjs `ItemTextListPosition`).
struct FormattingPosition {
    var left: UInt32
    var right: UInt32
    var attributes = AttributeMap()
}

extension Store {
    /// What a format block says; nil for other blocks.
    func format(of block: UInt32) -> Format? {
        guard blocks[block].kind == .format else { return nil }
        let (key, value) = WireValues.format(arena.bytes(blocks[block].content))
        return Format(key: key, attribute: Attribute(value, object: formatObject(of: block)))
    }

    /// Names a unit.
    static func unitCode(_ block: Block) -> UInt64 { UInt64(block.client) << 32 | UInt64(block.clock) }

    /// The unit that first held the value of a format block.
    func formatObject(of block: UInt32) -> UInt64 {
        let code = Self.unitCode(blocks[block])
        return formatObjects[code] ?? code
    }

    /// Passes the block right of a position (yjs `forward`).
    func advance(_ position: inout FormattingPosition) {
        guard position.right != absent else { return }
        let block = blocks[position.right]
        if !block.isDeleted, let format = format(of: position.right) { position.attributes.apply(format) }
        position.left = position.right
        position.right = block.right
    }

    /// The place right behind `count` visible units (yjs `findPosition`). O(blocks before it).
    mutating func formattingPosition(_ type: UInt32, _ count: Int) throws(EditError) -> FormattingPosition {
        guard count >= 0, count <= types[Int(type)].length else { throw EditError(.outOfRange) }
        if !types[Int(type)].hasFormatting {
            let (left, right) = try neighbours(type, count)
            return FormattingPosition(left: left, right: right)
        }
        var position = FormattingPosition(left: absent, right: types[Int(type)].start)
        var rest = count
        while position.right != absent && rest > 0 {
            let block = blocks[position.right]
            let weight = Int(block.weight)
            if weight > rest { _ = blockStarting(block.client, block.clock + UInt32(rest)) }
            rest -= min(rest, weight)
            advance(&position)
        }
        return position
    }
}
