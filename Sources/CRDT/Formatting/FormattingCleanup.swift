/// Deleting format items that say nothing (yjs `cleanupFormattingGap`, `cleanupContextlessFormattingGap`,
/// `cleanupYTextFormatting`).
extension Store {
    /// Deletes what is overwritten or was in force anyway among the format items from `start` up to the next
    /// content. `attributes` are those in force at `current`. Gives how many it deleted.
    mutating func cleanGap(
        from start: UInt32, current: UInt32, startAttributes: AttributeMap, attributes: inout AttributeMap
    ) -> Int {
        var end = start
        var lastFormats: [(key: String, block: UInt32)] = []
        while end != absent, blocks[end].isDeleted || !blocks[end].kind.isCountable {
            if !blocks[end].isDeleted, let format = format(of: end) {
                lastFormats.removeAll { $0.key.isSame(format.key) }
                lastFormats.append((format.key, end))
            }
            end = blocks[end].right
        }
        var cleaned = 0
        var isBeforeCurrent = true
        var next = start
        while next != end {
            if next == current { isBeforeCurrent = false }
            if !blocks[next].isDeleted, let format = format(of: next) {
                let before = startAttributes[format.key] ?? .null
                let isLast = lastFormats.contains { $0.block == next }
                let isRedundant = before.isIdentical(to: format.attribute)
                if !isLast || isRedundant {
                    delete(next)
                    cleaned += 1
                    if isBeforeCurrent, !isRedundant,
                        (attributes[format.key] ?? .null).isIdentical(to: format.attribute)
                    {
                        attributes.setOrRemove(format.key, before)
                    }
                }
                if isBeforeCurrent, !blocks[next].isDeleted { attributes.apply(format) }
            }
            next = blocks[next].right
        }
        return cleaned
    }

    /// Deletes all but the last format item of each name in the gap around a block.
    mutating func cleanContextlessGap(around block: UInt32) {
        var item = block
        while item != absent {
            let right = blocks[item].right
            guard right != absent, blocks[right].isDeleted || !blocks[right].kind.isCountable else { break }
            item = right
        }
        var seen: [String] = []
        while item != absent, blocks[item].isDeleted || !blocks[item].kind.isCountable {
            if !blocks[item].isDeleted, let format = format(of: item) {
                if seen.contains(where: { $0.isSame(format.key) }) {
                    delete(item)
                } else {
                    seen.append(format.key)
                }
            }
            item = blocks[item].left
        }
    }

    /// Deletes all redundant format items of a text. O(n).
    mutating func cleanFormatting(of type: UInt32) {
        var start = types[Int(type)].start
        var end = start
        var startAttributes = AttributeMap()
        var attributes = AttributeMap()
        while end != absent {
            let right = blocks[end].right
            if !blocks[end].isDeleted {
                if let format = format(of: end) {
                    attributes.apply(format)
                } else {
                    _ = cleanGap(
                        from: start, current: end, startAttributes: startAttributes, attributes: &attributes)
                    startAttributes = attributes
                    start = end
                }
            }
            end = right
        }
    }
}
