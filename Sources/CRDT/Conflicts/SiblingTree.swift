/// A sequence of units as a balanced tree (AVL, Adelson-Velsky and Landis 1962) that only grows. Entries are
/// addressed by handles that stay valid. Every node knows the least client id below it, so the last entry of a
/// smaller client before some place is found in O(log n), like everything here.
struct SiblingTree {
    private struct Node: BitwiseCopyable {
        var client: ClientID
        /// Least client id in this subtree.
        var least: ClientID
        var clock: UInt32
        var payload: UInt32
        var left = absent
        var right = absent
        var parent = absent
        var height: Int32 = 1
    }

    /// Memory of an entry in bytes.
    static var entrySize: Int { MemoryLayout<Node>.stride }

    private var nodes: [Node] = []
    private var root = absent

    var count: Int { nodes.count }
    var isEmpty: Bool { nodes.isEmpty }

    /// Steps that one search takes at most.
    var height: Int { root == absent ? 0 : Int(nodes[Int(root)].height) }

    func client(_ handle: UInt32) -> ClientID { nodes[Int(handle)].client }
    func clock(_ handle: UInt32) -> UInt32 { nodes[Int(handle)].clock }
    func payload(_ handle: UInt32) -> UInt32 { nodes[Int(handle)].payload }

    // MARK: Searching

    var first: UInt32 { root == absent ? absent : leftmost(root) }
    var last: UInt32 { root == absent ? absent : rightmost(root) }

    func next(_ handle: UInt32) -> UInt32 {
        let right = nodes[Int(handle)].right
        if right != absent { return leftmost(right) }
        var child = handle
        var parent = nodes[Int(child)].parent
        while parent != absent, nodes[Int(parent)].right == child {
            child = parent
            parent = nodes[Int(child)].parent
        }
        return parent
    }

    /// The last entry whose client is below `client`, of all or of those before `bound`.
    func last(below client: ClientID, before bound: UInt32 = absent) -> UInt32 {
        guard bound != absent else { return last(below: client, under: root) }
        let inner = last(below: client, under: nodes[Int(bound)].left)
        if inner != absent { return inner }
        var child = bound
        var parent = nodes[Int(child)].parent
        while parent != absent {
            if nodes[Int(parent)].right == child {
                if nodes[Int(parent)].client < client { return parent }
                let found = last(below: client, under: nodes[Int(parent)].left)
                if found != absent { return found }
            }
            child = parent
            parent = nodes[Int(child)].parent
        }
        return absent
    }

    private func last(below client: ClientID, under top: UInt32) -> UInt32 {
        guard top != absent, nodes[Int(top)].least < client else { return absent }
        var node = top
        while true {
            let right = nodes[Int(node)].right
            if right != absent, nodes[Int(right)].least < client {
                node = right
            } else if nodes[Int(node)].client < client {
                return node
            } else {
                // The least client below is neither here nor to the right.
                node = nodes[Int(node)].left
            }
        }
    }

    /// The first entry whose client is `client` or above; the entries' clients ascend.
    func first(from client: ClientID) -> UInt32 {
        var node = root
        var found = absent
        while node != absent {
            if nodes[Int(node)].client >= client {
                found = node
                node = nodes[Int(node)].left
            } else {
                node = nodes[Int(node)].right
            }
        }
        return found
    }

    /// The entry of a unit; clients ascend and the clocks of one client descend.
    func find(_ client: ClientID, _ clock: UInt32) -> UInt32 {
        var node = root
        while node != absent {
            let it = nodes[Int(node)]
            if it.client == client, it.clock == clock { return node }
            let isBehind = it.client < client || it.client == client && it.clock > clock
            node = isBehind ? it.right : it.left
        }
        return absent
    }

    private func leftmost(_ top: UInt32) -> UInt32 {
        var node = top
        while nodes[Int(node)].left != absent { node = nodes[Int(node)].left }
        return node
    }

    private func rightmost(_ top: UInt32) -> UInt32 {
        var node = top
        while nodes[Int(node)].right != absent { node = nodes[Int(node)].right }
        return node
    }

    // MARK: Inserting

    /// Adds an entry right behind `neighbour`, or as the first when that is absent. Gives its handle.
    @discardableResult
    mutating func insert(
        _ client: ClientID, _ clock: UInt32, payload: UInt32, after neighbour: UInt32
    ) -> UInt32 {
        let new = makeNode(client, clock, payload)
        if root == absent {
            root = new
        } else if neighbour == absent {
            attach(new, leftOf: leftmost(root))
        } else if nodes[Int(neighbour)].right == absent {
            attach(new, rightOf: neighbour)
        } else {
            attach(new, leftOf: leftmost(nodes[Int(neighbour)].right))
        }
        return new
    }

    /// Adds an entry right before `neighbour`, or as the last when that is absent. Gives its handle.
    @discardableResult
    mutating func insert(
        _ client: ClientID, _ clock: UInt32, payload: UInt32, before neighbour: UInt32
    ) -> UInt32 {
        let new = makeNode(client, clock, payload)
        if root == absent {
            root = new
        } else if neighbour == absent {
            attach(new, rightOf: rightmost(root))
        } else if nodes[Int(neighbour)].left == absent {
            attach(new, leftOf: neighbour)
        } else {
            attach(new, rightOf: rightmost(nodes[Int(neighbour)].left))
        }
        return new
    }

    private mutating func makeNode(_ client: ClientID, _ clock: UInt32, _ payload: UInt32) -> UInt32 {
        nodes.append(Node(client: client, least: client, clock: clock, payload: payload))
        return UInt32(nodes.count - 1)
    }

    private mutating func attach(_ new: UInt32, leftOf parent: UInt32) {
        nodes[Int(parent)].left = new
        nodes[Int(new)].parent = parent
        rebalance(from: parent)
    }

    private mutating func attach(_ new: UInt32, rightOf parent: UInt32) {
        nodes[Int(parent)].right = new
        nodes[Int(new)].parent = parent
        rebalance(from: parent)
    }

    // MARK: Balance

    private func height(_ node: UInt32) -> Int32 { node == absent ? 0 : nodes[Int(node)].height }

    private func lean(_ node: UInt32) -> Int32 {
        height(nodes[Int(node)].left) - height(nodes[Int(node)].right)
    }

    private mutating func rebalance(from start: UInt32) {
        var node = start
        while node != absent {
            update(node)
            let lean = lean(node)
            if lean > 1 {
                let child = nodes[Int(node)].left
                if self.lean(child) < 0 { rotateLeft(child) }
                rotateRight(node)
            } else if lean < -1 {
                let child = nodes[Int(node)].right
                if self.lean(child) > 0 { rotateRight(child) }
                rotateLeft(node)
            }
            node = nodes[Int(node)].parent
        }
    }

    private mutating func update(_ node: UInt32) {
        let (left, right) = (nodes[Int(node)].left, nodes[Int(node)].right)
        var least = nodes[Int(node)].client
        if left != absent { least = min(least, nodes[Int(left)].least) }
        if right != absent { least = min(least, nodes[Int(right)].least) }
        nodes[Int(node)].least = least
        nodes[Int(node)].height = 1 + max(height(left), height(right))
    }

    private mutating func rotateLeft(_ node: UInt32) {
        let top = nodes[Int(node)].right
        let middle = nodes[Int(top)].left
        nodes[Int(node)].right = middle
        if middle != absent { nodes[Int(middle)].parent = node }
        replace(node, by: top)
        nodes[Int(top)].left = node
        nodes[Int(node)].parent = top
        update(node)
        update(top)
    }

    private mutating func rotateRight(_ node: UInt32) {
        let top = nodes[Int(node)].left
        let middle = nodes[Int(top)].right
        nodes[Int(node)].left = middle
        if middle != absent { nodes[Int(middle)].parent = node }
        replace(node, by: top)
        nodes[Int(top)].right = node
        nodes[Int(node)].parent = top
        update(node)
        update(top)
    }

    /// Puts `top` where `node` hangs.
    private mutating func replace(_ node: UInt32, by top: UInt32) {
        let parent = nodes[Int(node)].parent
        nodes[Int(top)].parent = parent
        if parent == absent {
            root = top
        } else if nodes[Int(parent)].left == node {
            nodes[Int(parent)].left = top
        } else {
            nodes[Int(parent)].right = top
        }
    }
}
