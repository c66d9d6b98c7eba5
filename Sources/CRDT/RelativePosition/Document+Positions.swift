/// Where a relative position is now (yjs `AbsolutePosition`).
public struct AbsolutePosition: Sendable, Hashable {
    /// The type the position is in.
    public var type: SharedTypeID
    /// Visible units (UTF-16 in texts, elements in lists) before the position.
    public var index: Int
    /// The `assoc` of the relative position.
    public var assoc: Int

    /// A position of the given parts, which are not checked against any document.
    public init(type: SharedTypeID, index: Int, assoc: Int = 0) {
        self.type = type
        self.index = index
        self.assoc = assoc
    }
}

/// Positions that survive concurrent edits.
extension Document {
    /// The lasting name of the shared type at `path`; nil when there is none. A root has its name before
    /// anything is in it.
    public func sharedTypeID(at path: SharedPath) -> SharedTypeID? {
        if path.steps.isEmpty { return .root(path.root) }
        return store.find(path).map { store.typeID($0) }
    }

    /// The position `index` of the list (text, array, XML children) at `path`, bound to the unit right of it
    /// or, with `assoc < 0`, left of it (yjs `createRelativePositionFromTypeIndex`).
    ///
    /// As in Yjs an index beyond the end means the end; with `assoc < 0` it is then bound to the last unit,
    /// deleted or not, for which the list is walked. Otherwise O(log n) once the list has its position
    /// index, which the first use builds in O(n). Throws `noSuchType` where `path` leads to no shared type
    /// and `outOfRange` for a negative index.
    public func relativePosition(
        in path: SharedPath, at index: Int, assoc: Int = 0
    ) throws(EditError) -> RelativePosition {
        guard index >= 0 else { throw EditError(.outOfRange) }
        guard let id = sharedTypeID(at: path) else { throw EditError(.noSuchType) }
        guard let type = store.find(path), assoc >= 0 || index > 0 else {
            return RelativePosition(type: id, assoc: assoc)
        }
        if let (block, offset) = store.locate(type, assoc < 0 ? index - 1 : index) {
            return RelativePosition(
                item: store.id(of: block, offset: UInt32(offset)), in: id, assoc: assoc)
        }
        guard assoc < 0, let last = store.lastBlock(type) else {
            return RelativePosition(type: id, assoc: assoc)
        }
        let item = store.id(of: last, offset: store.blocks[last].length - 1)
        return RelativePosition(item: item, in: id, assoc: assoc)
    }

    /// Where a position is now (yjs `createAbsolutePositionFromRelativePosition`); nil when what it names has
    /// not been received or was collected as garbage. A position at deleted content is where that was; one
    /// in a deleted type has index 0.
    ///
    /// A position at content that an undo of this document has brought back is at the copy; other documents
    /// do not know of the link between the two. Cost as for making one.
    public func absolutePosition(of position: RelativePosition) -> AbsolutePosition? {
        if let item = position.item { return absolutePosition(at: item, assoc: position.assoc) }
        switch position.type {
        case nil: return nil
        case .root(let name):
            let index = position.assoc >= 0 ? length(name) : 0
            return AbsolutePosition(type: .root(name), index: index, assoc: position.assoc)
        case .item(let id):
            guard let (block, _) = store.followRedone(id), store.blocks[block].kind == .type else {
                return nil
            }
            let type = store.types[Int(store.blocks[block].content.offset)]
            let index = position.assoc >= 0 ? type.length : 0
            return AbsolutePosition(type: .item(store.id(of: block)), index: index, assoc: position.assoc)
        }
    }

    private func absolutePosition(at item: ID, assoc: Int) -> AbsolutePosition? {
        guard let (index, offset) = store.followRedone(item), store.blocks[index].isItem else { return nil }
        let block = store.blocks[index]
        let type = store.typeID(block.parent)
        let holder = store.types[Int(block.parent)].item
        if holder != absent, store.blocks[holder].isDeleted {
            return AbsolutePosition(type: type, index: 0, assoc: assoc)
        }
        var place = store.position(of: index)
        if block.weight > 0 { place += Int(offset) + (assoc >= 0 ? 0 : 1) }
        return AbsolutePosition(type: type, index: place, assoc: assoc)
    }
}

extension Store {
    /// The block that holds a unit; nil when it was not received. O(log blocks).
    func block(of id: ID) -> UInt32? {
        guard let client = clientPlace(id.client), id.clock < UInt64(state(client)) else { return nil }
        return block(client, UInt32(id.clock))
    }

    /// The id of a unit of a block.
    func id(of block: UInt32, offset: UInt32 = 0) -> ID {
        ID(client: id(blocks[block].client), clock: UInt64(blocks[block].clock) + UInt64(offset))
    }

    func typeID(_ type: UInt32) -> SharedTypeID {
        let item = types[Int(type)].item
        return item == absent ? .root(keys.string(types[Int(type)].name)) : .item(id(of: item))
    }

    /// The last block of a list, deleted or not. O(n).
    func lastBlock(_ type: UInt32) -> UInt32? {
        var block = types[Int(type)].start
        guard block != absent else { return nil }
        while blocks[block].right != absent { block = blocks[block].right }
        return block
    }
}
