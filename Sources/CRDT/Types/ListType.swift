/// A shared type whose content is a list of elements: `SharedArray`, `XMLFragment`, `XMLElement`.
public protocol ListType: SharedType {}

extension ListType {
    /// Number of elements. O(1).
    public var length: Int { reference.place.map { document.store.types[Int($0)].length } ?? 0 }

    /// The element at a position; nil beyond the end. O(log n), the first time O(n).
    public subscript(index: Int) -> SharedValue? {
        guard let type = reference.place, index >= 0, let (block, offset) = document.store.locate(type, index)
        else { return nil }
        let elements = document.elements(of: block)
        return offset < elements.count ? elements[offset] : nil
    }

    /// All elements (yjs `toArray`). O(n).
    public var elements: [SharedValue] {
        guard let type = reference.place else { return [] }
        var out: [SharedValue] = []
        var index = document.store.types[Int(type)].start
        while index != absent {
            if document.store.blocks[index].weight > 0 { out += document.elements(of: index) }
            index = document.store.blocks[index].right
        }
        return out
    }

    /// Inserts elements before the one at `position` (yjs `insert`). Gives them as they are then, so that new
    /// shared types can be filled. Throws `outOfRange` when there are fewer elements than `position`.
    /// O(log n + elements).
    @discardableResult
    public func insert(_ contents: [Content], at position: Int) throws(EditError) -> [SharedValue] {
        try document.edit(reference) { (type, client) throws(EditError) in
            try document.checkFresh(contents)
            let blocks = try document.store.insertElements(
                type, at: position, Store.contents(of: contents), client: client)
            document.adopt(contents, blocks)
            return blocks.flatMap { document.elements(of: $0) }
        }
    }

    /// Inserts plain values.
    public func insert(values: [Value], at position: Int) throws(EditError) {
        try document.edit(reference) { (type, client) throws(EditError) in
            _ = try document.store.insertElements(
                type, at: position, Store.contents(of: values.map { .value($0) }), client: client)
        }
    }

    /// Adds elements at the end (yjs `push`): in an array behind everything, deleted elements included; in XML
    /// behind the last child that is there, as Yjs does.
    @discardableResult
    public func push(_ contents: [Content]) throws(EditError) -> [SharedValue] {
        try document.edit(reference) { (type, client) throws(EditError) in
            guard document.store.types[Int(type)].kind == .array else {
                return try insert(contents, at: length)
            }
            try document.checkFresh(contents)
            let blocks = try document.store.pushElements(type, Store.contents(of: contents), client: client)
            document.adopt(contents, blocks)
            return blocks.flatMap { document.elements(of: $0) }
        }
    }

    /// Adds elements at the beginning (yjs `unshift`).
    @discardableResult
    public func unshift(_ contents: [Content]) throws(EditError) -> [SharedValue] {
        try insert(contents, at: 0)
    }

    /// Deletes elements. Throws `outOfRange`, and deletes nothing, when there are not as many.
    public func delete(at position: Int, length: Int = 1) throws(EditError) {
        try document.edit(reference) { (type, _) throws(EditError) in
            try document.store.deleteRange(type, at: position, length: length)
        }
    }
}

extension Document {
    /// Runs one edit of a type in the transaction under way or in one of its own. The closure gets the places
    /// of the type and of this document's client.
    func edit<Result>(
        _ reference: SharedTypeReference, _ body: (UInt32, UInt32) throws(EditError) -> Result
    ) throws(EditError) -> Result {
        let type = try reference.checked()
        return try run(nil, isLocal: true) { () throws(EditError) in
            try body(type, store.makeClient(clientID))
        }
    }
}
