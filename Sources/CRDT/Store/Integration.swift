/// Placing new structs (yjs `Item.integrate`; YATA with both origins).
extension Store {
    /// Integrates one struct of an update. Its dependencies are known and its client's state is `record.clock
    /// + offset`, with `offset < record.length`. `map` gives the store's place of each client of the update.
    mutating func integrate(
        _ record: StructRecord, offset: UInt32, map: [UInt32], storage: UnsafeBufferPointer<UInt8>
    ) {
        let client = map[Int(record.client)]
        if record.kind == .gc { return appendGC(client, record.clock + offset, record.length - offset) }

        var left = absent
        var right = absent
        if record.hasOrigin { left = blockEnding(map[Int(record.originClient)], record.originClock) }
        if record.hasRightOrigin {
            right = rightBlock(of: map[Int(record.rightClient)], record.rightClock, behind: left)
        }
        var (parent, sub) = place(of: record, left, right, map, storage)
        var block = Block(kind: record.kind, client: client, clock: record.clock, length: record.length)
        if record.hasOrigin {
            block.originClient = map[Int(record.originClient)]
            block.originClock = record.originClock
        }
        if record.hasRightOrigin {
            block.rightClient = map[Int(record.rightClient)]
            block.rightClock = record.rightClock
        }
        if offset > 0 {
            block.clock += offset
            block.length -= offset
            block.originClient = client
            block.originClock = block.clock - 1
            left = blockEnding(client, block.clock - 1)
            if !blocks[left].isItem { parent = absent }
            // The left part may be in another list than the struct says; it is never linked across lists.
            if parent != absent { (parent, sub) = (blocks[left].parent, blocks[left].sub) }
        }
        guard parent != absent else { return appendGC(client, block.clock, block.length) }
        block.parent = parent
        block.sub = sub
        block.content = store(record, offset: offset, storage: storage)
        link(block, left: left, right: right)
    }

    /// The block that begins at a right origin: mostly the one that follows the origin, which saves the search.
    @inline(__always)
    private mutating func rightBlock(of client: UInt32, _ clock: UInt32, behind left: UInt32) -> UInt32 {
        let next = left == absent ? absent : blocks[left].right
        if next != absent, blocks[next].clock == clock, blocks[next].client == client { return next }
        return blockStarting(client, clock)
    }

    /// Parent type and map key of a struct; an absent parent means that it is gone and the struct becomes a
    /// GC.
    private mutating func place(
        of record: StructRecord, _ left: UInt32, _ right: UInt32, _ map: [UInt32],
        _ storage: UnsafeBufferPointer<UInt8>
    ) -> (parent: UInt32, sub: UInt32) {
        if left != absent && !blocks[left].isItem || right != absent && !blocks[right].isItem {
            return (absent, absent)
        }
        if left != absent { return (blocks[left].parent, blocks[left].sub) }
        if right != absent { return (blocks[right].parent, blocks[right].sub) }
        var sub = absent
        if record.subStart != absent {
            sub = keys.intern(Self.bytes(storage, record.subStart, record.subLength))
        }
        if record.nameStart != absent {
            return (root(Self.bytes(storage, record.nameStart, record.nameLength)), sub)
        }
        let item = block(map[Int(record.parentClient)], record.parentClock)
        guard blocks[item].kind == .type else { return (absent, absent) }
        return (blocks[item].content.offset, sub)
    }

    private static func bytes(
        _ storage: UnsafeBufferPointer<UInt8>, _ start: UInt32, _ length: UInt32
    ) -> [UInt8] {
        Array(storage[Int(start)..<Int(start) + Int(length)])
    }

    /// Takes the content of a record from `offset` on into the arena.
    private mutating func store(
        _ record: StructRecord, offset: UInt32, storage: UnsafeBufferPointer<UInt8>
    ) -> ArenaSlice {
        let start = Int(record.payloadStart)
        let payload = UnsafeBufferPointer(rebasing: storage[start..<start + Int(record.payloadLength)])
        switch record.kind {
        case .gc, .deleted, .skip:
            return ArenaSlice()
        case .type:
            return ArenaSlice(offset: makeType(typeRecord(record, payload)))
        case .string where offset > 0:
            let (cut, inside) = UTF8Text.byteOffset(payload, units: Int(offset), of: Int(record.length))
            if inside {
                var whole = arena.append(payload)
                return arena.splitPairTail(&whole, at: cut)
            }
            return arena.append(UnsafeBufferPointer(rebasing: payload[cut...]))
        case .any where offset > 0, .json where offset > 0:
            let cut = WireValues.offset(of: Int(offset), in: payload, kind: record.kind)
            return arena.append(UnsafeBufferPointer(rebasing: payload[cut...]))
        default:
            return arena.append(payload)
        }
    }

    private mutating func typeRecord(
        _ record: StructRecord, _ payload: UnsafeBufferPointer<UInt8>
    ) -> TypeRecord {
        var type = TypeRecord(kind: TypeKind(rawValue: record.typeRef))
        if type.kind?.hasName == true, let (_, name) = RecordPayload.typeName(payload) {
            type.name = keys.intern(name)
        }
        return type
    }

    mutating func appendGC(_ client: UInt32, _ clock: UInt32, _ length: UInt32) {
        var block = Block(kind: .gc, client: client, clock: clock, length: length)
        block.isDeleted = true
        deleted.note(client, clock, length)
        append(blocks.insert(block))
    }

    /// Links a complete block between its neighbours as they are, resolving conflicts with concurrent ones,
    /// and lets its content take effect. Gives its index.
    @discardableResult
    mutating func link(_ new: Block, left: UInt32, right: UInt32) -> UInt32 {
        var block = new
        let parent = block.parent
        let (left, first) = conflictFreeGap(block, left: left, right: right)
        let index = blocks.insert(block)
        block.left = left
        if left != absent {
            block.right = blocks[left].right
            blocks[left].right = index
        } else {
            block.right = first
            if block.sub == absent { types[Int(parent)].start = index }
        }
        let isDeletedContent = block.kind == .deleted
        block.isDeleted = isDeletedContent
        blocks[index] = block
        if block.right != absent { blocks[block.right].left = index }
        if block.sub == absent {
            let weight = block.weight
            types[Int(parent)].length += Int(weight)
            if types[Int(parent)].index != nil {
                types[Int(parent)].index?.insert(index, weight: weight, after: left, in: &blocks)
            }
        }
        append(index)
        if block.sub != absent && block.right == absent {
            setMapTail(parent, block.sub, index)
            if left != absent { delete(left) }
        }
        if isDeletedContent {
            noteDeletion(index)
        } else if block.kind == .type {
            let type = Int(block.content.offset)
            types[type].item = index
            types[type].depth = types[Int(parent)].depth + 1
        } else if block.kind == .format {
            types[Int(parent)].hasFormatting = true
        } else if block.kind == .document {
            transaction.documents.add(id(of: index))
        }
        noteChange(of: parent, key: block.sub)
        let holder = types[Int(parent)].item
        if holder != absent && blocks[holder].isDeleted || block.sub != absent && block.right != absent {
            delete(index)
        }
        return index
    }
}

/// Reading parts of a record's payload that the decoder has checked.
enum RecordPayload {
    /// Type reference and node name of a type's payload that has a name.
    static func typeName(_ payload: UnsafeBufferPointer<UInt8>) -> (ref: UInt64, name: [UInt8])? {
        var reader = ByteReader(payload)
        do throws(UpdateError) {
            let ref = try reader.varUint()
            let (start, length, _) = try reader.string()
            return (ref, Array(reader.slice(start, length)))
        } catch {
            return nil
        }
    }
}
