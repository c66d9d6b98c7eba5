/// A counted B-tree over the blocks of one list, deleted ones included with weight 0: from a position in
/// UTF-16 units to the block there in O(log n), and back. Leaves and nodes lie in flat arrays and are
/// addressed by index; a block knows its leaf (`Block.leaf`), so changes start at the bottom.
///
/// Underfull leaves stay as they are and empty ones are unlinked: lists mostly grow, and squashing takes
/// blocks away one at a time.
package struct SequenceIndex {
    /// Entries of a leaf and children of a node.
    package static let width = 32

    private struct Leaf: BitwiseCopyable {
        var parent: UInt32
        var count = 0
        var weight = 0
    }

    private struct Node: BitwiseCopyable {
        var parent: UInt32
        var count = 0
        var weight = 0
        /// Whether the children are leaves.
        var isBottom: Bool
    }

    private var leaves: [Leaf] = []
    private var entries: [UInt32] = []
    private var weights: [UInt32] = []
    private var nodes: [Node] = []
    private var children: [UInt32] = []
    private var freeLeaves: [UInt32] = []
    private var freeNodes: [UInt32] = []
    private var root: UInt32 = 0

    package init() {
        root = makeNode(parent: absent, isBottom: true)
        let leaf = makeLeaf(parent: root)
        children[Int(root) * Self.width] = leaf
        nodes[Int(root)].count = 1
    }

    /// Sum of all weights.
    package var total: Int { nodes[Int(root)].weight }

    private mutating func makeLeaf(parent: UInt32) -> UInt32 {
        if let leaf = freeLeaves.popLast() {
            leaves[Int(leaf)] = Leaf(parent: parent)
            return leaf
        }
        leaves.append(Leaf(parent: parent))
        entries.append(contentsOf: repeatElement(absent, count: Self.width))
        weights.append(contentsOf: repeatElement(0, count: Self.width))
        return UInt32(leaves.count - 1)
    }

    private mutating func makeNode(parent: UInt32, isBottom: Bool) -> UInt32 {
        if let node = freeNodes.popLast() {
            nodes[Int(node)] = Node(parent: parent, isBottom: isBottom)
            return node
        }
        nodes.append(Node(parent: parent, isBottom: isBottom))
        children.append(contentsOf: repeatElement(absent, count: Self.width))
        return UInt32(nodes.count - 1)
    }

    // MARK: Reading

    /// The block that holds the unit at `position` and the unit's offset in it; nil beyond the end.
    package func locate(_ position: Int) -> (block: UInt32, offset: Int)? {
        guard position >= 0, position < total else { return nil }
        var rest = position
        var node = root
        while true {
            let base = Int(node) * Self.width
            let isBottom = nodes[Int(node)].isBottom
            var slot = 0
            var child = children[base]
            while true {
                let weight = isBottom ? leaves[Int(child)].weight : nodes[Int(child)].weight
                if rest < weight { break }
                rest -= weight
                slot += 1
                child = children[base + slot]
            }
            if isBottom { return locate(rest, inLeaf: child) }
            node = child
        }
    }

    private func locate(_ position: Int, inLeaf leaf: UInt32) -> (block: UInt32, offset: Int)? {
        var rest = position
        let base = Int(leaf) * Self.width
        for slot in base..<base + leaves[Int(leaf)].count {
            let weight = Int(weights[slot])
            if rest < weight { return (entries[slot], rest) }
            rest -= weight
        }
        return nil
    }

    /// Position of the first unit of a block that is in this index.
    package func position(of block: UInt32, leaf: UInt32) -> Int {
        let base = Int(leaf) * Self.width
        var sum = 0
        for slot in base..<base + leaves[Int(leaf)].count {
            if entries[slot] == block { break }
            sum += Int(weights[slot])
        }
        var child = leaf
        var node = leaves[Int(leaf)].parent
        var childIsLeaf = true
        while node != absent {
            let start = Int(node) * Self.width
            for slot in start..<start + nodes[Int(node)].count {
                let sibling = children[slot]
                if sibling == child { break }
                sum += childIsLeaf ? leaves[Int(sibling)].weight : nodes[Int(sibling)].weight
            }
            child = node
            childIsLeaf = false
            node = nodes[Int(node)].parent
        }
        return sum
    }

    /// Whether one block lies before another; both are in this index. O(log n).
    package func precedes(_ a: UInt32, leaf leafA: UInt32, _ b: UInt32, leaf leafB: UInt32) -> Bool {
        if leafA == leafB { return slot(of: a, in: leafA) < slot(of: b, in: leafB) }
        var (childA, childB) = (leafA, leafB)
        var (nodeA, nodeB) = (leaves[Int(leafA)].parent, leaves[Int(leafB)].parent)
        // All leaves are equally deep.
        while nodeA != nodeB {
            (childA, childB) = (nodeA, nodeB)
            (nodeA, nodeB) = (nodes[Int(nodeA)].parent, nodes[Int(nodeB)].parent)
        }
        let base = Int(nodeA) * Self.width
        for slot in base..<base + nodes[Int(nodeA)].count {
            if children[slot] == childA { return true }
            if children[slot] == childB { return false }
        }
        return false
    }

    // MARK: Changing

    /// Puts `block` right of `left`, or first when `left` is absent.
    package mutating func insert(
        _ block: UInt32, weight: UInt32, after left: UInt32, in blocks: inout Slab<Block>
    ) {
        var leaf: UInt32
        var slot: Int
        if left == absent {
            leaf = firstLeaf
            slot = 0
        } else {
            leaf = blocks[left].leaf
            slot = self.slot(of: left, in: leaf) + 1
        }
        if leaves[Int(leaf)].count == Self.width {
            let kept = slot == Self.width ? Self.width : Self.width / 2
            let next = splitLeaf(leaf, keeping: kept, &blocks)
            if slot >= kept {
                leaf = next
                slot -= kept
            }
        }
        let base = Int(leaf) * Self.width
        let count = leaves[Int(leaf)].count
        var i = base + count
        while i > base + slot {
            entries[i] = entries[i - 1]
            weights[i] = weights[i - 1]
            i -= 1
        }
        entries[i] = block
        weights[i] = weight
        leaves[Int(leaf)].count = count + 1
        blocks[block].leaf = leaf
        if weight > 0 { add(Int(weight), toLeaf: leaf) }
    }

    /// Takes `block` out.
    package mutating func remove(_ block: UInt32, in blocks: inout Slab<Block>) {
        let leaf = blocks[block].leaf
        let slot = slot(of: block, in: leaf)
        let base = Int(leaf) * Self.width
        let weight = weights[base + slot]
        let count = leaves[Int(leaf)].count - 1
        for i in base + slot..<base + count {
            entries[i] = entries[i + 1]
            weights[i] = weights[i + 1]
        }
        leaves[Int(leaf)].count = count
        if weight > 0 { add(-Int(weight), toLeaf: leaf) }
        blocks[block].leaf = absent
        if count == 0 { unlinkLeaf(leaf) }
    }

    /// Sets the weight of `block`.
    package mutating func setWeight(_ weight: UInt32, of block: UInt32, leaf: UInt32) {
        let at = Int(leaf) * Self.width + slot(of: block, in: leaf)
        let change = Int(weight) - Int(weights[at])
        guard change != 0 else { return }
        weights[at] = weight
        add(change, toLeaf: leaf)
    }

    private var firstLeaf: UInt32 {
        var node = root
        while !nodes[Int(node)].isBottom { node = children[Int(node) * Self.width] }
        return children[Int(node) * Self.width]
    }

    private func slot(of block: UInt32, in leaf: UInt32) -> Int {
        let base = Int(leaf) * Self.width
        for slot in 0..<leaves[Int(leaf)].count where entries[base + slot] == block { return slot }
        // Leaf and block name each other by this type alone; no input reaches it.
        preconditionFailure("block is not in the leaf it names")
    }

    private mutating func add(_ change: Int, toLeaf leaf: UInt32) {
        leaves[Int(leaf)].weight += change
        var node = leaves[Int(leaf)].parent
        while node != absent {
            nodes[Int(node)].weight += change
            node = nodes[Int(node)].parent
        }
    }

    // MARK: Splitting and unlinking

    private mutating func splitLeaf(
        _ leaf: UInt32, keeping kept: Int, _ blocks: inout Slab<Block>
    ) -> UInt32 {
        let next = makeLeaf(parent: absent)
        let from = Int(leaf) * Self.width
        let to = Int(next) * Self.width
        var moved = 0
        for i in kept..<Self.width {
            entries[to + i - kept] = entries[from + i]
            weights[to + i - kept] = weights[from + i]
            moved += Int(weights[from + i])
            blocks[entries[from + i]].leaf = next
        }
        leaves[Int(leaf)].count = kept
        leaves[Int(leaf)].weight -= moved
        leaves[Int(next)].count = Self.width - kept
        leaves[Int(next)].weight = moved
        link(next, after: leaf, parent: leaves[Int(leaf)].parent, isLeaf: true)
        return next
    }

    /// Makes `child` a child of `parent` right of `sibling`, splitting the parent when it is full. What
    /// `child` holds came from `sibling`, so until it is linked its weight is counted in the parent of
    /// `sibling`.
    private mutating func link(_ child: UInt32, after sibling: UInt32, parent: UInt32, isLeaf: Bool) {
        var parent = parent
        if nodes[Int(parent)].count == Self.width {
            let next = splitNode(parent, isLeaf: isLeaf)
            let base = Int(next) * Self.width
            if (0..<nodes[Int(next)].count).contains(where: { children[base + $0] == sibling }) {
                shift(isLeaf ? leaves[Int(child)].weight : nodes[Int(child)].weight, from: parent, to: next)
                parent = next
            }
        }
        let base = Int(parent) * Self.width
        let count = nodes[Int(parent)].count
        var i = base + count
        while i > base, children[i - 1] != sibling {
            children[i] = children[i - 1]
            i -= 1
        }
        children[i] = child
        nodes[Int(parent)].count = count + 1
        if isLeaf { leaves[Int(child)].parent = parent } else { nodes[Int(child)].parent = parent }
    }

    private mutating func shift(_ weight: Int, from: UInt32, to: UInt32) {
        var node = from
        while node != absent {
            nodes[Int(node)].weight -= weight
            node = nodes[Int(node)].parent
        }
        node = to
        while node != absent {
            nodes[Int(node)].weight += weight
            node = nodes[Int(node)].parent
        }
    }

    /// Moves the upper half of a node into a new sibling and gives that. A weight counted in the node for a
    /// child that is not linked yet stays with the node.
    private mutating func splitNode(_ node: UInt32, isLeaf: Bool) -> UInt32 {
        if node == root {
            let top = makeNode(parent: absent, isBottom: false)
            children[Int(top) * Self.width] = node
            nodes[Int(top)].count = 1
            nodes[Int(top)].weight = nodes[Int(node)].weight
            nodes[Int(node)].parent = top
            root = top
        }
        let next = makeNode(parent: absent, isBottom: nodes[Int(node)].isBottom)
        let half = Self.width / 2
        let from = Int(node) * Self.width
        let to = Int(next) * Self.width
        for i in half..<Self.width {
            let child = children[from + i]
            children[to + i - half] = child
            if isLeaf { leaves[Int(child)].parent = next } else { nodes[Int(child)].parent = next }
        }
        nodes[Int(node)].count = half
        nodes[Int(next)].count = Self.width - half
        nodes[Int(next)].weight = weightOfChildren(next)
        nodes[Int(node)].weight -= nodes[Int(next)].weight
        link(next, after: node, parent: nodes[Int(node)].parent, isLeaf: false)
        return next
    }

    private func weightOfChildren(_ node: UInt32) -> Int {
        let base = Int(node) * Self.width
        var sum = 0
        for slot in base..<base + nodes[Int(node)].count {
            let child = Int(children[slot])
            sum += nodes[Int(node)].isBottom ? leaves[child].weight : nodes[child].weight
        }
        return sum
    }

    private mutating func unlinkLeaf(_ leaf: UInt32) {
        var child = leaf
        var node = leaves[Int(leaf)].parent
        // The last leaf of the tree stays, empty.
        if node == root && nodes[Int(node)].count == 1 { return }
        freeLeaves.append(leaf)
        while true {
            let base = Int(node) * Self.width
            let count = nodes[Int(node)].count
            var i = base
            while i < base + count, children[i] != child { i += 1 }
            while i + 1 < base + count {
                children[i] = children[i + 1]
                i += 1
            }
            nodes[Int(node)].count = count - 1
            if count > 1 || node == root { break }
            child = node
            node = nodes[Int(node)].parent
            freeNodes.append(child)
        }
        // The root must reach a leaf: shorten the tree while the root has one child, refill it when it has
        // none.
        while !nodes[Int(root)].isBottom, nodes[Int(root)].count == 1 {
            let only = children[Int(root) * Self.width]
            freeNodes.append(root)
            root = only
            nodes[Int(root)].parent = absent
        }
        if nodes[Int(root)].count == 0 {
            nodes[Int(root)].isBottom = true
            nodes[Int(root)].weight = 0
            children[Int(root) * Self.width] = makeLeaf(parent: root)
            nodes[Int(root)].count = 1
        }
    }
}
