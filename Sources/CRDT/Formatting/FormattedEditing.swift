/// Edits of formatted text (yjs `insertText`, `formatText`, `deleteText`).
extension Store {
    /// Inserts content that has the given formatting, writing the format items this takes around it. Gives
    /// the new block.
    mutating func insert(
        _ content: NewContent, at position: inout FormattingPosition, _ wanted: AttributeMap,
        _ type: UInt32, _ client: UInt32
    ) throws(EditError) -> UInt32 {
        var attributes = wanted
        for entry in position.attributes.entries where attributes[entry.key] == nil {
            attributes.set(entry.key, .null)
        }
        minimise(&position, attributes)
        var negated = try insertStart(of: attributes, at: &position, type, client)
        let block = try place(content, at: &position, type, client)
        try insertEnd(of: &negated, at: &position, type, client)
        return block
    }

    /// Puts a block at a position, which moves behind it.
    private mutating func place(
        _ content: NewContent, at position: inout FormattingPosition, _ type: UInt32, _ client: UInt32
    ) throws(EditError) -> UInt32 {
        let block = try insert(
            content, parent: type, sub: absent, left: position.left, right: position.right, client: client)
        position.right = block
        advance(&position)
        return block
    }

    /// Puts a format block at a position, which moves behind it.
    private mutating func place(
        _ key: String, _ attribute: Attribute, at position: inout FormattingPosition, _ type: UInt32,
        _ client: UInt32
    ) throws(EditError) {
        if let object = attribute.object {
            formatObjects[UInt64(client) << 32 | UInt64(state(client))] = object
        }
        _ = try place(.format(key, attribute.value), at: &position, type, client)
    }

    /// Passes deleted blocks and format items that say what is wanted anyway (yjs
    /// `minimizeAttributeChanges`).
    private func minimise(_ position: inout FormattingPosition, _ attributes: AttributeMap) {
        while position.right != absent {
            if !blocks[position.right].isDeleted {
                guard let format = format(of: position.right),
                    (attributes[format.key] ?? .null).isSame(as: format.attribute)
                else { return }
            }
            advance(&position)
        }
    }

    /// Writes format items for what is not in force yet. Gives what has to be restored behind the content
    /// (yjs `insertAttributes`).
    private mutating func insertStart(
        of attributes: AttributeMap, at position: inout FormattingPosition, _ type: UInt32, _ client: UInt32
    ) throws(EditError) -> AttributeMap {
        var negated = AttributeMap()
        for name in PropertyOrder.ordered(attributes.entries) {
            guard let wanted = attributes[name.key] else { continue }
            let current = position.attributes[name.key] ?? .null
            if current.isSame(as: wanted) { continue }
            negated.set(name.key, current)
            try place(name.key, wanted, at: &position, type, client)
        }
        return negated
    }

    /// Writes format items that restore what was in force before (yjs `insertNegatedAttributes`).
    private mutating func insertEnd(
        of negated: inout AttributeMap, at position: inout FormattingPosition, _ type: UInt32,
        _ client: UInt32
    ) throws(EditError) {
        while position.right != absent {
            if !blocks[position.right].isDeleted {
                guard let format = format(of: position.right),
                    negated[format.key]?.isSame(as: format.attribute) == true
                else { break }
                negated.remove(format.key)
            }
            advance(&position)
        }
        for (key, attribute) in negated.all { try place(key, attribute, at: &position, type, client) }
    }

    /// Formats `length` units from a position on; what is missing at the end becomes newlines.
    mutating func format(
        at position: inout FormattingPosition, length: Int, _ wanted: Attributes, _ type: UInt32,
        _ client: UInt32
    ) throws(EditError) {
        let attributes = AttributeMap(wanted)
        minimise(&position, attributes)
        var negated = try insertStart(of: attributes, at: &position, type, client)
        var rest = length
        while position.right != absent {
            let block = blocks[position.right]
            let isBehindContent = block.isDeleted || block.kind == .format
            guard rest > 0 || !negated.isEmpty && isBehindContent else { break }
            if !block.isDeleted {
                if let format = format(of: position.right) {
                    guard pass(format, &position, attributes, &negated, isAtEnd: rest == 0) else { break }
                } else {
                    if rest < Int(block.length) {
                        _ = blockStarting(block.client, block.clock + UInt32(rest))
                    }
                    rest -= min(rest, Int(block.length))
                }
            }
            advance(&position)
        }
        if rest > 0 {
            guard rest <= Limits.maxPadding else { throw EditError(.outOfRange) }
            let newlines = [UInt8](repeating: 0x0A, count: rest)
            _ = try place(.text(newlines, units: rest), at: &position, type, client)
        }
        try insertEnd(of: &negated, at: &position, type, client)
    }

    /// A format item within a piece that is being formatted: deleted when it speaks of what is set. False
    /// where formatting ends.
    private mutating func pass(
        _ format: Format, _ position: inout FormattingPosition, _ attributes: AttributeMap,
        _ negated: inout AttributeMap, isAtEnd: Bool
    ) -> Bool {
        guard let wanted = attributes[format.key] else {
            position.attributes.set(format.key, format.attribute)
            return true
        }
        if wanted.isSame(as: format.attribute) {
            negated.remove(format.key)
        } else {
            if isAtEnd { return false }
            negated.set(format.key, format.attribute)
        }
        delete(position.right)
        return true
    }

    /// Deletes `length` units from a position on, or as many as there are.
    mutating func deleteText(at position: inout FormattingPosition, length: Int) {
        let attributesBefore = position.attributes
        let start = position.right
        var rest = length
        while rest > 0, position.right != absent {
            let block = blocks[position.right]
            if !block.isDeleted {
                switch block.kind {
                case .type, .embed, .string:
                    if rest < Int(block.length) {
                        _ = blockStarting(block.client, block.clock + UInt32(rest))
                    }
                    rest -= min(rest, Int(block.length))
                    delete(position.right)
                default: break
                }
            }
            advance(&position)
        }
        if start != absent {
            _ = cleanGap(
                from: start, current: position.right, startAttributes: attributesBefore,
                attributes: &position.attributes)
        }
    }
}
