/// Writing blocks as structs (yjs `writeClientsStructs`, `Item.write`, `writeDeleteSet`).
extension Store {
    typealias StructRange = (client: UInt32, from: UInt32)

    /// The clients that have more than `vector` says, each with the first clock to write.
    func missing(since vector: StateVector) -> [StructRange] {
        var out: [StructRange] = []
        out.reserveCapacity(clients.count)
        for place in clients.indices where clients[place].state > 0 {
            let known = vector.clients.isEmpty ? 0 : vector[clients[place].id]
            if known < UInt64(clients[place].state) { out.append((UInt32(place), UInt32(known))) }
        }
        return out
    }

    /// Structs from the given clocks on and the given deletions, sorted and joined, as a v1 update.
    func encode(_ ranges: [StructRange], deletions: [Update.ClientRange]) -> [UInt8] {
        var out = UpdateWriterV1(capacity: 64)
        write(ranges, to: &out)
        DeleteRanges.write(deletions, to: &out)
        return out.bytes
    }

    /// `encode` in v2.
    func encodeV2(_ ranges: [StructRange], deletions: [Update.ClientRange]) -> [UInt8] {
        var out = UpdateWriterV2()
        write(ranges, to: &out)
        DeleteRanges.write(deletions, to: &out)
        return out.finish()
    }

    /// What a peer with state vector `vector` lacks, with all deletions, as a v1 update.
    mutating func encodeState(since vector: StateVector) -> [UInt8] {
        var out = UpdateWriterV1(capacity: vector.clients.isEmpty ? arena.used + 16 * blocks.liveCount : 256)
        write(missing(since: vector), to: &out)
        writeDeletions(to: &out)
        return out.bytes
    }

    /// `encodeState` in v2.
    mutating func encodeStateV2(since vector: StateVector) -> [UInt8] {
        var out = UpdateWriterV2(capacity: vector.clients.isEmpty ? arena.used : 256)
        write(missing(since: vector), to: &out)
        writeDeletions(to: &out)
        return out.finish()
    }

    @inline(__always)
    func id(_ client: UInt32) -> ClientID { clients[Int(client)].id }

    // MARK: Structs

    private func write<Writer: UpdateWriter & ~Copyable>(_ ranges: [StructRange], to out: inout Writer) {
        out.begin(clients: ranges.count)
        if ranges.count == 1 { return write(ranges[0].client, from: ranges[0].from, to: &out) }
        // Ids beside what they are of: looking them up while sorting takes longer than all the rest.
        let ordered = ranges.map { (id: id($0.client), range: $0) }.sorted { $0.id > $1.id }
        for (_, range) in ordered { write(range.client, from: range.from, to: &out) }
    }

    private func write<Writer: UpdateWriter & ~Copyable>(
        _ client: UInt32, from clock: UInt32, to out: inout Writer
    ) {
        let own = Int(client)
        let first = clients[own].place(of: clock)
        out.begin(id(client), structs: clients[own].count(from: first), clock: clock)
        var offset = clock - clients[own][first].clock
        clients[own].forEach(from: first) { index in
            write(blocks[index], offset: offset, to: &out)
            offset = 0
        }
    }

    @inline(__always)
    private func write<Writer: UpdateWriter & ~Copyable>(
        _ block: Block, offset: UInt32, to out: inout Writer
    ) {
        guard block.isItem else {
            out.info(ContentKind.gc.rawValue)
            return out.length(block.length - offset)
        }
        let hasOrigin = block.originClient != absent || offset > 0
        let hasRight = block.rightClient != absent
        out.info(
            block.kind.rawValue | (hasOrigin ? 0x80 : 0) | (hasRight ? 0x40 : 0)
                | (block.sub != absent ? 0x20 : 0))
        if offset > 0 {
            out.origin(id(block.client), block.clock + offset - 1)
        } else if hasOrigin {
            out.origin(id(block.originClient), block.originClock)
        }
        if hasRight { out.rightOrigin(id(block.rightClient), block.rightClock) }
        if !hasOrigin && !hasRight { writeParent(block, to: &out) }
        switch block.kind {
        case .string where offset == 0: out.text(arena.bytes(block.content), units: Int(block.length))
        case .deleted: out.length(block.length - offset)
        default: writeContent(block, offset: offset, to: &out)
        }
    }

    private func writeParent<Writer: UpdateWriter & ~Copyable>(_ block: Block, to out: inout Writer) {
        let parent = Int(block.parent)
        let item = types[parent].item
        if item == absent {
            out.parent(root: keys[types[parent].name])
        } else {
            out.parent(item: id(blocks[item].client), blocks[item].clock)
        }
        if block.sub != absent { out.mapKey(keys[block.sub]) }
    }

    private func writeContent<Writer: UpdateWriter & ~Copyable>(
        _ block: Block, offset: UInt32, to out: inout Writer
    ) {
        switch block.kind {
        case .string:
            let rest = UTF8Text.suffix(arena.bytes(block.content), from: Int(offset), of: Int(block.length))
            rest.withUnsafeBufferPointer { out.text($0, units: Int(block.length - offset)) }
        case .any, .json:
            out.length(block.length - offset)
            let bytes = arena.bytes(block.content)
            let start = offset == 0 ? 0 : WireValues.offset(of: Int(offset), in: bytes, kind: block.kind)
            let rest = UnsafeBufferPointer(rebasing: bytes[start...])
            if block.kind == .any { out.values(rest) } else { out.content(.json, rest) }
        case .type:
            let type = types[Int(block.content.offset)]
            let kind = type.kind ?? .array
            out.type(kind, name: kind.hasName ? (type.name == absent ? [] : keys[type.name]) : nil)
        default:
            out.content(block.kind, arena.bytes(block.content))
        }
    }

    // MARK: Deletions

    private mutating func writeDeletions<Writer: UpdateWriter & ~Copyable>(to out: inout Writer) {
        deleted.settle()
        let owners = deletedClients()
        out.beginDeletions(clients: owners.count)
        for client in owners {
            let runs = deleted.runs(of: client)
            out.beginDeletions(id(client), ranges: runs.count)
            for run in runs { out.deletion(from: UInt64(run.from), to: UInt64(run.to)) }
        }
    }

    /// The clients with deletions, descending.
    private func deletedClients() -> [UInt32] {
        var owners: [(id: ClientID, client: UInt32)] = []
        for client in 0..<UInt32(clients.count) where !deleted.runs(of: client).isEmpty {
            owners.append((id(client), client))
        }
        if owners.count > 1 { owners.sort { $0.id > $1.id } }
        return owners.map(\.client)
    }

    /// All deleted runs, clients descending.
    mutating func deletedRanges() -> [Update.ClientRange] {
        deleted.settle()
        var out: [Update.ClientRange] = []
        for client in deletedClients() {
            let id = id(client)
            for run in deleted.runs(of: client) {
                out.append(Update.ClientRange(client: id, from: UInt64(run.from), to: UInt64(run.to)))
            }
        }
        return out
    }
}
