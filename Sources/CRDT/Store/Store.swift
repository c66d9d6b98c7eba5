/// Everything a document holds, as plain arrays. `Document` owns one and is the only way to it from outside.
///
/// The members follow Yjs: `StructStore` (blocks of each client in clock order), the linked list of every
/// type and the chains of map values (`Block.left`, `Block.right`), and the transaction under way.
struct Store: ~Copyable {
    var blocks = Slab<Block>()
    var arena = ContentArena()
    var clients: [ClientBlocks] = []
    var clientIndex: [ClientID: UInt32] = [:]
    /// Number of clients that have blocks.
    var appeared: UInt32 = 0
    var types: [TypeRecord] = []
    var freeTypes: [UInt32] = []
    var keys = KeyTable()
    /// Type of a root by the key of its name, and the keys in order of appearance.
    var roots: [UInt32: UInt32] = [:]
    var rootKeys: [UInt32] = []
    /// Rightmost block of the chain of a map key; the key is `MapKey.code`.
    var mapTails: [UInt64: UInt32] = [:]
    /// Number of the last visit of a conflict scan.
    var visits: UInt32 = 0
    var siblings = SiblingRuns()
    var deleted = DeletedUnits()
    var encoded = EncodedState()
    /// Blocks passed by conflict scans and bytes of values passed by cuts so far.
    var work: UInt64 = 0
    var transaction = TransactionLog()
    /// Grows with every struct and deletion that takes effect.
    var changes: UInt64 = 0
    /// Grows with every cut of a block. Blocks are joined again, but a surrogate pair stays apart, copies of undo
    /// do too, and neighbours may be joined that were not before: the bytes of the state can be others.
    var cuts: UInt64 = 0
    /// Tells whether the bytes of the state may have changed.
    var version: UInt64 { changes &+ cuts }
    /// What undo made of blocks with `isRedone`: the first unit of the copy.
    var redone: [UInt32: TransactionLog.Place] = [:]
    /// Format blocks whose value is an object that another one had before, by their `unitCode`.
    var formatObjects: [UInt64: UInt64] = [:]
    /// Whether transactions note the types they change; set while someone wants to know.
    var tracksChanges = false
    let collectsGarbage: Bool

    init(collectsGarbage: Bool) { self.collectsGarbage = collectsGarbage }

    // MARK: Clients

    func clientPlace(_ id: ClientID) -> UInt32? { clientIndex[id] }

    mutating func makeClient(_ id: ClientID) -> UInt32 {
        if let known = clientIndex[id] { return known }
        let place = UInt32(clients.count)
        clients.append(ClientBlocks(id: id))
        clientIndex[id] = place
        return place
    }

    /// Clients that grew, in the order in which clients first appeared.
    func inOrderOfAppearance(_ grown: [TransactionLog.Place]) -> [TransactionLog.Place] {
        if grown.count < 2 { return grown }
        return grown.sorted { clients[Int($0.client)].appearance < clients[Int($1.client)].appearance }
    }

    func state(_ client: UInt32) -> UInt32 { clients[Int(client)].state }

    func state(of id: ClientID) -> UInt64 { clientIndex[id].map { UInt64(clients[Int($0)].state) } ?? 0 }

    // MARK: Types and keys

    static func mapCode(_ type: UInt32, _ key: UInt32) -> UInt64 { UInt64(type) << 32 | UInt64(key) }

    mutating func makeType(_ type: TypeRecord) -> UInt32 {
        if let place = freeTypes.popLast() {
            let generation = types[Int(place)].generation
            types[Int(place)] = type
            types[Int(place)].generation = generation
            return place
        }
        types.append(type)
        return UInt32(types.count - 1)
    }

    /// The root type of that name, made when it is not there (yjs `doc.get(name)`).
    mutating func root(_ name: [UInt8]) -> UInt32 {
        let key = keys.intern(name)
        if let type = roots[key] { return type }
        let type = makeType(TypeRecord(name: key))
        roots[key] = type
        rootKeys.append(key)
        return type
    }

    func findRoot(_ name: String) -> UInt32? { keys.find(Array(name.utf8)).flatMap { roots[$0] } }

    /// Rightmost block of a map key's chain, live or deleted.
    func mapTail(_ type: UInt32, _ key: UInt32) -> UInt32 { mapTails[Self.mapCode(type, key)] ?? absent }

    mutating func setMapTail(_ type: UInt32, _ key: UInt32, _ block: UInt32) {
        if mapTails.updateValue(block, forKey: Self.mapCode(type, key)) == nil {
            types[Int(type)].keys.append(key)
        }
    }

    /// Leftmost block of a map key's chain.
    func mapHead(_ type: UInt32, _ key: UInt32) -> UInt32 {
        var block = mapTail(type, key)
        while block != absent {
            let left = blocks[block].left
            if left == absent { break }
            block = left
        }
        return block
    }

    // MARK: Finding

    /// The block that holds a unit; its clock must be known.
    func block(_ client: UInt32, _ clock: UInt32) -> UInt32 {
        clients[Int(client)][clients[Int(client)].place(of: clock)].block
    }

    /// The block beginning at exactly that clock, cut there when needed (yjs `getItemCleanStart`).
    mutating func blockStarting(_ client: UInt32, _ clock: UInt32) -> UInt32 {
        let place = clients[Int(client)].nearPlace(of: clock)
        let block = clients[Int(client)][place].block
        let start = blocks[block].clock
        guard start < clock, blocks[block].isItem else { return block }
        return split(block, at: clock - start, place: place)
    }

    /// The block ending with exactly that clock, cut behind it when needed (yjs `getItemCleanEnd`).
    mutating func blockEnding(_ client: UInt32, _ clock: UInt32) -> UInt32 {
        let place = clients[Int(client)].nearPlace(of: clock)
        let block = clients[Int(client)][place].block
        guard blocks[block].end - 1 != clock, blocks[block].isItem else { return block }
        _ = split(block, at: clock + 1 - blocks[block].clock, place: place)
        return block
    }

    /// Appends a block to those of its client; its clock must be the client's state.
    mutating func append(_ block: UInt32) {
        let client = Int(blocks[block].client)
        willChange(UInt32(client))
        changes &+= 1
        let clock = blocks[block].clock
        if clients[client].count == 0 {
            clients[client].appearance = appeared
            appeared += 1
        }
        clients[client].append(ClientBlocks.Entry(clock: clock, block: block))
        clients[client].state = blocks[block].end
    }

    // MARK: Splitting

    /// Cuts a block; `place` is where it is among its client's blocks. Gives the right part (yjs
    /// `splitItem`).
    mutating func split(_ left: UInt32, at length: UInt32, place: ClientBlocks.Place) -> UInt32 {
        cuts &+= 1
        var right = blocks[left]
        right.clock += length
        right.length -= length
        right.left = left
        right.originClient = right.client
        right.originClock = right.clock - 1
        right.leaf = absent
        right.content = splitContent(left, at: length)
        blocks[left].length = length
        let index = blocks.insert(right)
        blocks[left].right = index
        if right.isRedone, let copy = redone[left] {
            redone[index] = TransactionLog.Place(client: copy.client, clock: copy.clock + length)
        }
        if right.right != absent { blocks[right.right].left = index }
        let entry = ClientBlocks.Entry(clock: right.clock, block: index)
        clients[Int(right.client)].insert(entry, after: place)
        transaction.splits.append(TransactionLog.Place(client: right.client, clock: right.clock))
        if right.sub != absent {
            if right.right == absent { setMapTail(right.parent, right.sub, index) }
        } else if types[Int(right.parent)].index != nil {
            let parent = Int(right.parent)
            types[parent].index?.setWeight(blocks[left].weight, of: left, leaf: blocks[left].leaf)
            types[parent].index?.insert(index, weight: right.weight, after: left, in: &blocks)
        }
        return index
    }

    /// Cuts the content of a block in the arena and gives the right part's.
    private mutating func splitContent(_ block: UInt32, at length: UInt32) -> ArenaSlice {
        var content = blocks[block].content
        let right: ArenaSlice
        switch blocks[block].kind {
        case .string:
            if content.length == blocks[block].length {
                right = arena.split(&content, at: Int(length))
            } else {
                let (offset, inside) = UTF8Text.byteOffset(
                    arena.bytes(content), units: Int(length), of: Int(blocks[block].length))
                if inside {
                    // The pair is lost, whether or not the cut leads to a change.
                    encoded = EncodedState()
                    right = arena.splitPair(&content, at: offset)
                } else {
                    right = arena.split(&content, at: offset)
                }
            }
        case .any, .json:
            let offset = WireValues.offset(
                of: Int(length), in: arena.bytes(content), kind: blocks[block].kind)
            work += UInt64(offset)
            right = arena.split(&content, at: offset)
        default:
            right = ArenaSlice()
        }
        blocks[block].content = content
        return right
    }
}
