/// A shared type with keys: `SharedMap`, `XMLHook`, and the attributes of texts and XML elements.
public protocol KeyedType: SharedType {}

extension KeyedType {
    func liveBlock(_ key: String) -> UInt32? {
        reference.place.flatMap { document.store.liveValue($0, key) }
    }

    func write(_ key: String, _ content: Content) throws(EditError) -> SharedValue? {
        try document.edit(reference) { (type, client) throws(EditError) in
            try document.checkFresh([content])
            let name = document.store.keys.intern(Array(key.utf8))
            let contents = Store.contents(of: [content])
            let block = try document.store.setValue(type, name, contents[0], client: client)
            document.adopt([content], [block])
            return document.elements(of: block).last
        }
    }

    func erase(_ key: String) throws(EditError) {
        try document.edit(reference) { (type, _) throws(EditError) in document.store.deleteKey(type, key) }
    }

    func read(_ key: String) -> SharedValue? {
        liveBlock(key).flatMap { document.elements(of: $0).last }
    }

    func readAll() -> [(key: String, value: SharedValue)] {
        guard let type = reference.place else { return [] }
        let store = document
        return store.store.types[Int(type)].keys.compactMap { key in
            let tail = store.store.mapTail(type, key)
            guard tail != absent, !store.store.blocks[tail].isDeleted,
                let value = store.elements(of: tail).last
            else { return nil }
            return (store.store.keys.string(key), value)
        }
    }
}

/// A shared type that is a map.
public protocol MapType: KeyedType {}

extension MapType {
    /// The value of a key; nil when it has none. O(1).
    public subscript(key: String) -> SharedValue? { read(key) }

    /// Whether the key has a value.
    public func has(_ key: String) -> Bool { liveBlock(key) != nil }

    /// Keys with their values, in the order in which the keys first appeared.
    public var entries: [(key: String, value: SharedValue)] { readAll() }

    /// Keys that have a value, in the order in which they first appeared.
    public var keys: [String] { readAll().map(\.key) }

    /// Number of keys that have a value.
    public var count: Int { readAll().count }

    /// Sets a key (yjs `set`). Gives the value as it is then, so that a new shared type can be filled.
    @discardableResult
    public func set(_ key: String, _ content: Content) throws(EditError) -> SharedValue? {
        try write(key, content)
    }

    /// Sets a key to a plain value.
    public func set(_ key: String, _ value: Value) throws(EditError) { _ = try write(key, .value(value)) }

    /// Removes a key, if it has a value.
    public func delete(_ key: String) throws(EditError) { try erase(key) }

    /// Removes all keys (yjs `clear`).
    public func clear() throws(EditError) {
        try document.run(nil, isLocal: true) { () throws(EditError) in
            for key in keys { try erase(key) }
        }
    }
}

/// A shared type with attributes beside its content.
public protocol AttributedType: KeyedType {}

extension AttributedType {
    /// The value of an attribute; nil when it has none.
    public func attribute(_ name: String) -> SharedValue? { read(name) }

    /// All attributes in the order of their first appearance.
    public var attributes: [(key: String, value: SharedValue)] { readAll() }

    /// Sets an attribute (yjs `setAttribute`).
    public func setAttribute(_ name: String, _ value: Value) throws(EditError) {
        _ = try write(name, .value(value))
    }

    /// Sets an attribute to anything a map can hold. Gives the value as it is then, so that a new shared type
    /// can be filled.
    @discardableResult
    public func setAttribute(_ name: String, _ content: Content) throws(EditError) -> SharedValue? {
        try write(name, content)
    }

    /// Removes an attribute, if it has a value (yjs `removeAttribute`).
    public func removeAttribute(_ name: String) throws(EditError) { try erase(name) }
}
