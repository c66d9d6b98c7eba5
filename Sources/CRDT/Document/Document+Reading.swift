/// Reading. Roots are untyped: the caller says as what a root is read.
extension Document {
    /// Names of root types that hold or held something, in order of appearance.
    public var rootNames: [String] { store.rootKeys.map { store.keys.string($0) } }

    /// A root read as Y.Text. O(blocks).
    public func text(_ root: String) -> String { store.findRoot(root).map { store.text($0) } ?? "" }

    /// Visible UTF-16 length of a root's list. O(1).
    public func length(_ root: String) -> Int {
        store.findRoot(root).map { store.types[Int($0)].length } ?? 0
    }

    /// A root read as Y.Text, as delta operations.
    public func delta(_ root: String) -> [Value] { store.findRoot(root).map { store.delta($0) } ?? [] }

    /// A root read as Y.XmlFragment.
    public func xml(_ root: String) -> String { store.findRoot(root).map { store.xml($0) } ?? "" }

    /// A root read as Y.Map (`toJSON`).
    public func map(_ root: String) -> [String: Value] {
        var out: [String: Value] = [:]
        for entry in mapEntries(root) { out[entry.key] = entry.value }
        return out
    }

    /// A root read as Y.Map, in JavaScript's order of keys.
    public func mapEntries(_ root: String) -> [Value.Entry] {
        store.findRoot(root).map { store.map($0) } ?? []
    }

    /// Keys of a root read as Y.Map that have a value.
    public func mapKeys(_ root: String) -> [String] {
        guard let type = store.findRoot(root) else { return [] }
        return store.types[Int(type)].keys.filter { key in
            let tail = store.mapTail(type, key)
            return tail != absent && !store.blocks[tail].isDeleted
        }.map { store.keys.string($0) }
    }

    /// The value of a key of a root read as Y.Map; nested types as `toJSON`.
    public func mapValue(_ root: String, _ key: String) -> Value? {
        guard let type = store.findRoot(root), let block = store.liveValue(type, key) else { return nil }
        return store.elements(of: store.blocks[block]).last
    }

    /// What the value of a map key is.
    public func kindInMap(_ root: String, _ key: String) -> SharedKind {
        guard let type = store.findRoot(root) else { return .absent }
        return store.kind(of: store.liveValue(type, key))
    }

    /// The text under a key of a root map; nil when it is absent or no Y.Text.
    public func textInMap(_ root: String, _ key: String) -> String? {
        guard let type = store.findRoot(root), let block = store.liveValue(type, key),
            store.kind(of: block) == .text
        else { return nil }
        return store.text(store.blocks[block].content.offset)
    }

    /// A root read as Y.Array (`toJSON`).
    public func array(_ root: String) -> [Value] { store.findRoot(root).map { store.array($0) } ?? [] }

    /// Number of elements of a root's list. O(1).
    public func arrayCount(_ root: String) -> Int { length(root) }

    /// The plain value of the shared type at `path`; nil when there is none. A root reads as an array.
    public func value(at path: SharedPath) -> Value? { store.find(path).map { store.value(ofType: $0) } }

    /// The text at `path`, whatever type is there.
    public func text(at path: SharedPath) -> String? { store.find(path).map { store.text($0) } }

    /// Visible length of the list at `path`.
    public func length(at path: SharedPath) -> Int? { store.find(path).map { store.types[Int($0)].length } }
}
