/// Writing blocks as v1 structs (yjs `writeClientsStructs`, `Item.write`, `writeDeleteSet`).
extension Store {
    /// The clients that have more than `vector` says, descending, each with the first clock to write.
    func missing(since vector: StateVector) -> [(client: UInt32, from: UInt32)] {
        var out: [(client: UInt32, from: UInt32)] = []
        for (place, client) in clients.enumerated() where client.state > 0 {
            let known = vector[client.id]
            if known < UInt64(client.state) { out.append((UInt32(place), UInt32(known))) }
        }
        return out
    }

    /// Structs from the given clocks on and the given deletions, as one update. Both are sorted here.
    func encode(_ ranges: [(client: UInt32, from: UInt32)], deletions: [Update.ClientRange]) -> [UInt8] {
        var out = ByteWriter(capacity: 16)
        let ordered = ranges.count < 2 ? ranges : ranges.sorted { id($0.client) > id($1.client) }
        out.varUint(UInt64(ordered.count))
        for (client, from) in ordered { write(client, from: from, to: &out) }
        DeleteRanges.write(deletions, to: &out)
        return out.bytes
    }

    @inline(__always)
    func id(_ client: UInt32) -> ClientID { clients[Int(client)].id }

    private func write(_ client: UInt32, from clock: UInt32, to out: inout ByteWriter) {
        let own = Int(client)
        let first = clients[own].place(of: clock)
        out.varUint(UInt64(clients[own].count(from: first)))
        out.varUint(clients[own].id)
        out.varUint(clock)
        var offset = clock - clients[own][first].clock
        clients[own].forEach(from: first) { index in
            write(blocks[index], offset: offset, to: &out)
            offset = 0
        }
    }

    private func write(_ block: Block, offset: UInt32, to out: inout ByteWriter) {
        guard block.isItem else {
            out.byte(ContentKind.gc.rawValue)
            out.varUint(block.length - offset)
            return
        }
        let hasOrigin = block.originClient != absent || offset > 0
        let hasRight = block.rightClient != absent
        var info = block.kind.rawValue
        if hasOrigin { info |= 0x80 }
        if hasRight { info |= 0x40 }
        if block.sub != absent { info |= 0x20 }
        out.byte(info)
        if offset > 0 {
            out.varUint(id(block.client))
            out.varUint(block.clock + offset - 1)
        } else if hasOrigin {
            out.varUint(id(block.originClient))
            out.varUint(block.originClock)
        }
        if hasRight {
            out.varUint(id(block.rightClient))
            out.varUint(block.rightClock)
        }
        if !hasOrigin && !hasRight { writeParent(block, to: &out) }
        writeContent(block, offset: offset, to: &out)
    }

    private func writeParent(_ block: Block, to out: inout ByteWriter) {
        let parent = Int(block.parent)
        let item = types[parent].item
        if item == absent {
            out.byte(1)
            out.varBytes(keys[types[parent].name])
        } else {
            out.byte(0)
            out.varUint(id(blocks[item].client))
            out.varUint(blocks[item].clock)
        }
        if block.sub != absent { out.varBytes(keys[block.sub]) }
    }

    private func writeContent(_ block: Block, offset: UInt32, to out: inout ByteWriter) {
        switch block.kind {
        case .gc, .deleted, .skip:
            out.varUint(block.length - offset)
        case .string:
            let text = arena.bytes(block.content)
            if offset == 0 {
                out.varUint(UInt64(text.count))
                out.raw(text)
            } else {
                RecordWriter.writeText(text, from: Int(offset), of: Int(block.length), &out)
            }
        case .any, .json:
            out.varUint(block.length - offset)
            let bytes = arena.bytes(block.content)
            let start = offset == 0 ? 0 : WireValues.offset(of: Int(offset), in: bytes, kind: block.kind)
            out.raw(UnsafeBufferPointer(rebasing: bytes[start...]))
        case .type:
            let type = types[Int(block.content.offset)]
            out.varUint(UInt64(type.kind?.rawValue ?? 0))
            if type.kind?.hasName == true { out.varBytes(type.name == absent ? [] : keys[type.name]) }
        default:
            out.raw(arena.bytes(block.content))
        }
    }

    /// All deleted runs, clients descending.
    func deletedRanges() -> [Update.ClientRange] {
        var out: [Update.ClientRange] = []
        let order = clients.indices.sorted { clients[$0].id > clients[$1].id }
        for place in order {
            let id = clients[place].id
            var isOpen = false
            clients[place].forEach { index in
                let block = blocks[index]
                guard block.isDeleted else {
                    isOpen = false
                    return
                }
                if isOpen {
                    out[out.count - 1].to = UInt64(block.end)
                } else {
                    let range = Update.ClientRange(
                        client: id, from: UInt64(block.clock), to: UInt64(block.end))
                    out.append(range)
                    isOpen = true
                }
            }
        }
        return out
    }
}
