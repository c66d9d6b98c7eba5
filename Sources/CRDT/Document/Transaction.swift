/// The edits of one local transaction. Positions and lengths are UTF-16 units in texts and elements in lists.
public struct Transaction {
    /// A kind of shared type to be made.
    public enum NewType: Sendable {
        case array
        case map
        case text

        var kind: TypeKind {
            switch self {
            case .array: .array
            case .map: .map
            case .text: .text
            }
        }
    }

    private let document: Document
    private let client: UInt32

    init(_ document: Document) {
        self.document = document
        client = document.store.makeClient(document.clientID)
    }

    private func type(_ path: SharedPath) throws(EditError) -> UInt32 {
        if path.steps.isEmpty { return document.store.root(Array(path.root.utf8)) }
        guard let type = document.store.find(path) else { throw EditError(.noSuchType) }
        return type
    }

    // MARK: Text

    /// Inserts text; it takes the formatting of what is left of it.
    public func insertText(_ text: String, at position: Int, in path: SharedPath) throws(EditError) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return }
        let content = Store.NewContent.text(bytes, units: text.utf16.count)
        try document.store.insertText(try type(path), at: position, content, client: client)
    }

    /// Deletes `length` units of a text or elements of a list.
    public func delete(at position: Int, length: Int, in path: SharedPath) throws(EditError) {
        try document.store.deleteRange(try type(path), at: position, length: length)
    }

    // MARK: Lists

    /// Inserts plain values.
    public func insert(_ values: [Value], at position: Int, in path: SharedPath) throws(EditError) {
        guard !values.isEmpty else { return }
        try document.store.insertElements(
            try type(path), at: position, Self.contents(of: values), client: client)
    }

    /// Inserts an empty shared type.
    public func insert(_ new: NewType, at position: Int, in path: SharedPath) throws(EditError) {
        try document.store.insertElements(try type(path), at: position, [.type(new.kind)], client: client)
    }

    /// Runs of values become one block each; bytes stand alone, as in Yjs.
    static func contents(of values: [Value]) -> [Store.NewContent] {
        var contents: [Store.NewContent] = []
        var run = ByteWriter()
        var count = 0
        for value in values {
            if case .bytes(let bytes) = value {
                if count > 0 { contents.append(.values(run.bytes, count: count)) }
                (run, count) = (ByteWriter(), 0)
                contents.append(content(of: .bytes(bytes)))
            } else {
                run.any(value)
                count += 1
            }
        }
        if count > 0 { contents.append(.values(run.bytes, count: count)) }
        return contents
    }

    static func content(of value: Value) -> Store.NewContent {
        var writer = ByteWriter()
        if case .bytes(let bytes) = value {
            writer.varBytes(bytes)
            return .binary(writer.bytes)
        }
        writer.any(value)
        return .values(writer.bytes, count: 1)
    }

    // MARK: Maps

    /// Sets a key to a plain value.
    public func set(_ key: String, to value: Value, in path: SharedPath) throws(EditError) {
        try set(key, Self.content(of: value), path)
    }

    /// Sets a key to an empty shared type.
    public func set(_ key: String, to new: NewType, in path: SharedPath) throws(EditError) {
        try set(key, .type(new.kind), path)
    }

    private func set(_ key: String, _ content: Store.NewContent, _ path: SharedPath) throws(EditError) {
        let type = try type(path)
        let key = document.store.keys.intern(Array(key.utf8))
        try document.store.setValue(type, key, content, client: client)
    }

    /// Removes a key, if it has a value.
    public func remove(_ key: String, in path: SharedPath) throws(EditError) {
        document.store.deleteKey(try type(path), key)
    }
}

extension Document {
    /// Runs local edits as one transaction. Gives the v1 update it made, nil when nothing changed. When
    /// `body` throws, the edits before stand and their update is lost to the caller: use
    /// `encodeStateAsUpdate` then.
    @discardableResult
    public func transact<Failure: Error>(
        _ body: (inout Transaction) throws(Failure) -> Void
    ) throws(Failure) -> [UInt8]? {
        var transaction = Transaction(self)
        do throws(Failure) {
            try body(&transaction)
        } catch {
            _ = store.endTransaction()
            throw error
        }
        let (grown, deleted) = store.endTransaction()
        if grown.isEmpty && deleted.isEmpty { return nil }
        let deletions = deleted.map {
            Update.ClientRange(
                client: store.id($0.client), from: UInt64($0.clock), to: UInt64($0.clock) + UInt64($0.length))
        }
        return store.encode(
            grown.map { (client: $0.client, from: $0.before) }, deletions: DeleteRanges.merged(deletions))
    }
}
