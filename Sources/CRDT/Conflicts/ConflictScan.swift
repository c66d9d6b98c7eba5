/// Where a new block goes among concurrent insertions at the same place (yjs `Item.integrate`), scanning as Yjs
/// does. What the scan says of one block it passes depends on where that block's origin lies:
///
/// - it is the new block's origin: the two are *siblings*. The new block goes behind it if its client is lower;
///   the scan ends there if not and the right origins are equal.
/// - it lies in what this scan has passed: the block *grew* from that. The new block goes behind it if it goes
///   behind its origin.
/// - it lies before: the scan ends.
///
/// All that a scan passes is therefore behind the new block's origin and in the end grew from it.
extension Store {
    /// The left neighbour of a block that is about to be linked, and when there is none the right one.
    mutating func conflictFreeGap(
        _ new: Block, left: UInt32, right: UInt32
    ) -> (left: UInt32, first: UInt32) {
        let isAdjacent: Bool
        if left == absent {
            isAdjacent = right != absent && blocks[right].left == absent
        } else {
            isAdjacent = blocks[left].right == right
            // The right origin lay before the origin in the same block and cut it: then the new block goes where
            // Yjs puts it, before its origin, and the list has lost its order.
            if blocks[left].end &- 1 != new.originClock { siblings.noteTangle(new) }
        }
        if isAdjacent {
            if !siblings.isEmpty { noteFirstSibling(new) }
            return (left, right)
        }
        if visits > UInt32.max / 2 { forgetVisits() }
        if siblings.isTangled(new) {
            return scan(new, left: left, right: right, patience: .max) ?? (left, right)
        }
        if !siblings.isEmpty, let gap = gapByKnownRun(new, left: left, right: right) { return gap }
        if let gap = scan(new, left: left, right: right, patience: SiblingRuns.patience) { return gap }
        if let gap = gapByNewRun(new, left: left, right: right) { return gap }
        return scan(new, left: left, right: right, patience: .max) ?? (left, right)
    }

    /// Yjs's scan. Gives nil when it passes more than `patience` blocks.
    ///
    /// Yjs's two sets are numbers here: a visit number tells what was passed in this scan ("before origin") and
    /// what since the last change of `left` ("conflicting").
    private mutating func scan(
        _ new: Block, left start: UInt32, right: UInt32, patience: Int
    ) -> (left: UInt32, first: UInt32)? {
        var left = start
        let first = firstBehind(start, new)
        var other = first
        let scanStart = visits
        var conflictStart = visits
        while other != absent && other != right {
            if Int(visits &- scanStart) >= patience { return nil }
            visits &+= 1
            work &+= 1
            blocks[other].visit = visits
            let it = blocks[other]
            if Self.areSiblings(it, new) {
                if id(it.client) < id(new.client) {
                    left = other
                    conflictStart = visits
                } else if Self.haveEqualRights(it, new) {
                    break
                }
            } else if it.originClient != absent {
                let visit = blocks[originBlock(of: it)].visit
                guard visit > scanStart else { break }
                if visit <= conflictStart {
                    left = other
                    conflictStart = visits
                }
            } else {
                break
            }
            other = it.right
        }
        noteTangle(new, left: left, stop: other, right: right, scanStart)
        return (left, first)
    }

    /// Notes when the new block comes to lie between its right origin and what that grew from: the order that
    /// `SiblingRun` relies on is lost. `stop` is where the scan ended.
    private mutating func noteTangle(
        _ new: Block, left: UInt32, stop: UInt32, right: UInt32, _ scanStart: UInt32
    ) {
        guard stop == right, right != absent, blocks[right].left == left else { return }
        if grewInScan(blocks[right], new, scanStart) { siblings.noteTangle(new) }
    }

    /// Whether the origin of a block lies in what the scan since `scanStart` has passed.
    func grewInScan(_ block: Block, _ new: Block, _ scanStart: UInt32) -> Bool {
        block.originClient != absent && !Self.areSiblings(block, new)
            && blocks[originBlock(of: block)].visit > scanStart
    }

    @inline(__always)
    static func areSiblings(_ a: Block, _ b: Block) -> Bool {
        a.originClient == b.originClient && (a.originClient == absent || a.originClock == b.originClock)
    }

    @inline(__always)
    static func haveEqualRights(_ a: Block, _ b: Block) -> Bool {
        a.rightClient == b.rightClient && (a.rightClient == absent || a.rightClock == b.rightClock)
    }

    /// The block behind `left`, or the first of the list or chain.
    mutating func firstBehind(_ left: UInt32, _ new: Block) -> UInt32 {
        if left != absent { return blocks[left].right }
        if new.sub == absent { return types[Int(new.parent)].start }
        var block = mapTail(new.parent, new.sub)
        while block != absent, blocks[block].left != absent {
            block = blocks[block].left
            work &+= 1
        }
        return block
    }

    /// The block that holds the origin of `block`: mostly its left neighbour.
    @inline(__always)
    func originBlock(of block: Block) -> UInt32 {
        if block.left != absent {
            let left = blocks[block.left]
            if left.client == block.originClient, left.clock <= block.originClock,
                block.originClock < left.end
            {
                return block.left
            }
        }
        return self.block(block.originClient, block.originClock)
    }

    private mutating func forgetVisits() {
        for index in 0..<UInt32(blocks.count) { blocks[index].visit = 0 }
        visits = 0
    }
}
