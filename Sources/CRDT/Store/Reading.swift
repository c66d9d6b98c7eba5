/// Reading what is visible.
extension Store {
    /// The type at `path`, or nil.
    mutating func find(_ path: SharedPath) -> UInt32? {
        guard var type = findRoot(path.root) else { return nil }
        for step in path.steps {
            let block: UInt32
            switch step {
            case .key(let name):
                guard let live = liveValue(type, name) else { return nil }
                block = live
            case .index(let index):
                guard let place = locate(type, index) else { return nil }
                block = place.block
            }
            guard blocks[block].kind == .type else { return nil }
            type = blocks[block].content.offset
        }
        return type
    }

    /// The block that is the value of a map key, unless it is deleted.
    func liveValue(_ type: UInt32, _ name: String) -> UInt32? {
        guard let key = keys.find(Array(name.utf8)) else { return nil }
        let tail = mapTail(type, key)
        return tail != absent && !blocks[tail].isDeleted ? tail : nil
    }

    /// Calls `body` with each visible countable block of a list, in order.
    func forEachVisible(_ type: UInt32, _ body: (Block) -> Void) {
        var index = types[Int(type)].start
        while index != absent {
            if blocks[index].weight > 0 { body(blocks[index]) }
            index = blocks[index].right
        }
    }

    /// The strings of a list put together (yjs `YText.toString`).
    func text(_ type: UInt32) -> String {
        // A list of nothing but ASCII has a byte a unit.
        var bytes = OutputBuffer(capacity: types[Int(type)].length)
        forEachVisible(type) { block in
            if block.kind == .string { bytes.raw(arena.bytes(block.content)) }
        }
        return String(decoding: bytes.contents, as: UTF8.self)
    }

    /// Elements of a list (yjs `toJSON` of an array).
    func array(_ type: UInt32) -> [Value] {
        var values: [Value] = []
        forEachVisible(type) { values.append(contentsOf: elements(of: $0)) }
        return values
    }

    /// The elements that one block holds.
    func elements(of block: Block) -> [Value] {
        let bytes = block.kind == .type ? nil : arena.bytes(block.content)
        switch block.kind {
        case .any, .json: return WireValues.values(bytes ?? .init(start: nil, count: 0), kind: block.kind)
        case .string:
            // JavaScript splits strings into UTF-16 units.
            let text = String(decoding: bytes ?? .init(start: nil, count: 0), as: UTF8.self)
            return text.utf16.map { .string(String(decoding: [$0], as: UTF16.self)) }
        case .binary: return bytes.map { [WireValues.binary($0)] } ?? []
        case .embed: return bytes.map { [WireValues.embed($0)] } ?? []
        case .document: return bytes.map { [["guid": .string(WireValues.guid($0))]] } ?? []
        case .type: return [value(ofType: block.content.offset)]
        case .gc, .deleted, .format, .skip: return []
        }
    }

    /// The plain value of a nested type (yjs `toJSON`). Types nested beyond the reading limit are undefined.
    func value(ofType type: UInt32) -> Value {
        let it = types[Int(type)]
        guard it.depth <= Limits.maxReadingDepth else { return .undefined }
        switch it.kind {
        case .array, nil: return .array(array(type))
        case .map, .xmlHook: return .object(map(type))
        case .text: return .string(text(type))
        case .xmlElement, .xmlFragment, .xmlText: return .string(xml(type))
        }
    }

    /// Members of a map in order of their first appearance.
    func map(_ type: UInt32) -> [Value.Entry] {
        var entries: [Value.Entry] = []
        for key in types[Int(type)].keys {
            let tail = mapTail(type, key)
            if tail != absent, !blocks[tail].isDeleted, let value = elements(of: blocks[tail]).last {
                entries.append(Value.Entry(keys.string(key), value))
            }
        }
        return PropertyOrder.ordered(entries)
    }

    func kind(of block: UInt32?) -> SharedKind {
        guard let block else { return .absent }
        guard blocks[block].kind == .type else { return .value }
        switch types[Int(blocks[block].content.offset)].kind {
        case .text: return .text
        case .map: return .map
        case .array: return .array
        case .xmlElement, .xmlFragment, .xmlHook, .xmlText, nil: return .xml
        }
    }

    // MARK: Positions

    /// The block and offset at a list position. The first call for a type builds its index, O(n); then O(log
    /// n).
    mutating func locate(_ type: UInt32, _ position: Int) -> (block: UInt32, offset: Int)? {
        if types[Int(type)].index == nil { buildIndex(type) }
        return types[Int(type)].index?.locate(position)
    }

    /// The list position of a block's first unit: visible units before it. Of the blocks of a map key only
    /// the last is ever visible, so there it is 0. Cost as for `locate`.
    mutating func position(of block: UInt32) -> Int {
        guard blocks[block].sub == absent else { return 0 }
        let type = blocks[block].parent
        if types[Int(type)].index == nil { buildIndex(type) }
        return types[Int(type)].index?.position(of: block, leaf: blocks[block].leaf) ?? 0
    }

    mutating func buildIndex(_ type: UInt32) {
        var index = SequenceIndex()
        var left = absent
        var block = types[Int(type)].start
        while block != absent {
            index.insert(block, weight: blocks[block].weight, after: left, in: &blocks)
            left = block
            block = blocks[block].right
        }
        types[Int(type)].index = index
    }
}
