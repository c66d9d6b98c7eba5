/// The scan of `ConflictScan.swift` by searching instead of passing every block, for places where scans get
/// long. It gives what the scan gives, because of an order that lists have:
///
/// **No block lies between another one and its origin without having grown from that origin** (whatever is
/// between them has an origin there or beyond; the lines from blocks to their origins do not cross).
///
/// A block right behind its origin crosses nothing. A scan puts a block behind a sibling and all that grew from
/// that, or behind a part of it when it meets the right origin there. So of all insertions only one that ends
/// before its right origin, inside what grew from a sibling, crosses a line: that of the right origin itself.
/// Yjs's own insertions do not do that when made (right origins are neighbours of the origin then), but an
/// update may. `noteTangle` sees it, and from then on that list is scanned block by block.
///
/// With that order, behind a unit come its siblings, each with what grew from it, then everything else. So
/// - what grew from a sibling follows it: a new block goes behind the last sibling it passes, with all that grew
///   from that, which ends where the next sibling begins;
/// - among siblings with equal right origins clients ascend: each was put before the first that is not lower and
///   behind the last that is;
/// - a right origin stops all scans at the same place: it is a sibling, or lies beyond all of them.
///
/// The scan passes the siblings up to the first with the same right origin and a client not lower, or up to the
/// right origin, and the new block goes behind the last of those with a lower client. Both are searches in trees.
extension Store {
    typealias Gap = (left: UInt32, first: UInt32)
    typealias RunIndex = Dictionary<UInt64, SiblingRun>.Index

    /// The gap when there is a run of the siblings of `new`; notes `new` in it. nil: the scan has to tell.
    mutating func gapByKnownRun(_ new: Block, left: UInt32, right: UInt32) -> Gap? {
        guard let run = knownRun(new) else { return nil }
        return gap(new, left: left, right: right, run)
    }

    mutating func gapByNewRun(_ new: Block, left: UInt32, right: UInt32) -> Gap? {
        guard let run = siblings.make(SiblingRuns.key(new), blocks: blocks.liveCount) else { return nil }
        return gap(new, left: left, right: right, run)
    }

    /// Notes in its run a block that is linked right behind its origin.
    mutating func noteFirstSibling(_ new: Block) {
        guard let run = knownRun(new) else { return }
        siblings.insert(new, id: id(new.client), after: absent, in: run)
    }

    private mutating func knownRun(_ new: Block) -> RunIndex? {
        let key = SiblingRuns.key(new)
        guard let run = siblings.index(key) else { return nil }
        // Runs without an origin go by the place of the type, which another type may have taken.
        if new.originClient == absent, !siblings[run].order.isEmpty {
            let first = blocks[block(of: siblings[run].order.first, run)]
            guard first.isItem, first.parent == new.parent, first.sub == new.sub else {
                siblings.drop(key)
                return nil
            }
        }
        return run
    }

    /// The block of a sibling. It begins with it: a block is only ever joined to its origin when nothing is to be
    /// inserted between, and here that was cut.
    private func block(of sibling: UInt32, _ run: RunIndex) -> UInt32 {
        block(siblings[run].order.payload(sibling), siblings[run].order.clock(sibling))
    }

    private mutating func gap(_ new: Block, left: UInt32, right: UInt32, _ run: RunIndex) -> Gap? {
        work &+= SiblingRuns.searchWork
        let client = id(new.client)
        let (bound, end) = self.bound(new, left: left, right: right, run)
        if end == .scan {
            siblings.drop(SiblingRuns.key(new))
            return nil
        }
        let previous = siblings[run].order.last(below: client, before: bound)
        let first = left == absent ? head(new, run) : absent
        var gapLeft = left
        if previous != absent {
            let next = siblings[run].order.next(previous)
            if next != absent {
                gapLeft = blocks[block(of: next, run)].left
            } else if case .behind(let last) = end {
                gapLeft = last
            }
        }
        siblings.insert(new, id: client, after: previous, in: run)
        return (gapLeft, first)
    }

    /// The first block of the list or chain: without an origin, so a sibling in the run that has none.
    private mutating func head(_ new: Block, _ run: RunIndex) -> UInt32 {
        let first = siblings[run].order.first
        return first == absent ? firstBehind(absent, new) : block(of: first, run)
    }

    /// How the search for the bound of a scan ended.
    private enum End: Equatable {
        /// At a sibling.
        case bound
        /// Behind this block, the last one that grew from the last sibling.
        case behind(UInt32)
        /// Not: the list has to be scanned.
        case scan
    }

    /// The sibling at which the scan for `new` ends, or `absent` and the end of what it passes.
    private mutating func bound(
        _ new: Block, left: UInt32, right: UInt32, _ run: RunIndex
    ) -> (sibling: UInt32, end: End) {
        let code = SiblingRuns.code(new.rightClient, new.rightClock)
        let client = id(new.client)
        let group = siblings[run].groups.index(forKey: code) ?? siblings[run].makeGroup(code)
        let stop = siblings[run].groups.values[group].stop ?? stop(at: right, new, left: left, run)
        siblings[run].groups.values[group].stop = stop
        if case .inside = stop { return (absent, .scan) }
        let match = siblings[run].groups.values[group].tree.first(from: client)
        if match != absent { return (siblings[run].groups.values[group].tree.payload(match), .bound) }
        if case .sibling(let handle) = stop { return (handle, .bound) }
        while true {
            switch walk(new, left: left, right: right, run) {
            case .end(let last): return (absent, .behind(last))
            case .tangle:
                siblings.noteTangle(new)
                return (absent, .scan)
            case .sibling(let index, let handle):
                let isBound = Self.haveEqualRights(blocks[index], new) && id(blocks[index].client) >= client
                if isBound || index == right { return (handle, .bound) }
            }
        }
    }

    /// What is known of a right origin without walking.
    private mutating func stop(
        at right: UInt32, _ new: Block, left: UInt32, _ run: RunIndex
    ) -> SiblingRun.Stop? {
        guard right != absent else { return .outside }
        let it = blocks[right]
        guard it.parent == new.parent, it.sub == new.sub else { return .outside }
        if Self.areSiblings(it, new) {
            let handle = siblings[run].find(it, id: id(it.client))
            return handle == absent ? nil : .sibling(handle)
        }
        guard it.originClient != absent else { return .outside }
        guard it.sub == absent else { return .inside }
        if left == absent { return .inside }
        // It grew from a sibling exactly if its origin lies behind theirs.
        let origin = originBlock(of: it)
        if origin == left { return .outside }
        if types[Int(new.parent)].index == nil { buildIndex(new.parent) }
        let isBehind = types[Int(new.parent)].index?.precedes(
            left, leaf: blocks[left].leaf, origin, leaf: blocks[origin].leaf)
        return isBehind == true ? .inside : .outside
    }

    private enum Walked {
        /// The next sibling, now noted: its block and handle.
        case sibling(UInt32, UInt32)
        /// There is none; what grew from the last one ends with this block.
        case end(UInt32)
        /// The right origin grew from the last sibling.
        case tangle
    }

    /// Passes what grew from the last sibling of the run, up to the next one.
    private mutating func walk(_ new: Block, left: UInt32, right: UInt32, _ run: RunIndex) -> Walked {
        let last = siblings[run].order.last
        var passed = left
        var other: UInt32
        let start = visits
        if last == absent {
            other = firstBehind(left, new)
        } else {
            passed = block(of: last, run)
            visits &+= 1
            blocks[passed].visit = visits
            other = blocks[passed].right
        }
        while other != absent {
            work &+= 1
            let it = blocks[other]
            if Self.areSiblings(it, new) {
                return .sibling(other, siblings.insert(it, id: id(it.client), after: last, in: run))
            }
            let grew = grewInScan(it, new, start)
            if other == right { return grew ? .tangle : .end(passed) }
            guard grew else { break }
            visits &+= 1
            blocks[other].visit = visits
            passed = other
            other = it.right
        }
        return .end(passed)
    }
}
