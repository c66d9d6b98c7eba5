import CRDT

/// A document as it was at one place of the log: its bytes, and whose its client ids are. Reading and editing happen
/// on a replica made from it, away from the room's event loop.
public struct DocumentCopy: Sendable {
    public var document: String
    /// The last record of the log that it knows of.
    public var sequence: Int64
    /// When that was, ms since 1970.
    public var atMs: Int64
    /// `encodeStateAsUpdate`, version 1.
    public var state: [UInt8]
    /// Yjs client id → user who brought it.
    public var owners: [UInt64: String]

    public init(document: String, sequence: Int64, atMs: Int64, state: [UInt8], owners: [UInt64: String]) {
        self.document = document
        self.sequence = sequence
        self.atMs = atMs
        self.state = state
        self.owners = owners
    }

    /// A replica of it under a client id.
    ///
    /// - Throws: when the bytes are no update; those of a room always are.
    public func replica(clientID: UInt64 = 0) throws(UpdateError) -> Document {
        let replica = Document(clientID: clientID)
        try replica.applyUpdate(state)
        return replica
    }

    // MARK: Reading

    /// Everything as plain values, root by root, each read as what it seems to be.
    public func json() throws(UpdateError) -> Value {
        let replica = try replica()
        return .object(
            replica.rootNames.compactMap { root in
                let value: Value
                switch replica.rootKind(root) {
                case .absent: return nil
                case .text: value = .string(replica.text(root))
                case .map: value = .object(replica.mapEntries(root))
                case .xml: value = .string(replica.xml(root))
                case .array, .value: value = .array(replica.array(root))
                }
                return Value.Entry(root, value)
            })
    }

    /// The plain value at a place; nil where there is nothing.
    public func value(at path: DocumentPath) throws(UpdateError) -> Value? {
        try found(path, in: replica())?.json
    }

    /// The text at a place; nil where there is none.
    public func text(at path: DocumentPath) throws(UpdateError) -> String? {
        switch try found(path, in: replica()) {
        case .text(let text)?: text.string
        case .xmlText(let text)?: text.string
        case .xmlElement(let element)?: element.description
        case .xmlFragment(let fragment)?: fragment.description
        case .value(.string(let text))?: text
        default: nil
        }
    }

    /// Who wrote what of the text or list at a place: runs of one client; nil where there is none.
    public func authors(at path: DocumentPath) throws(UpdateError) -> [AuthoredRange]? {
        let value = try found(path, in: replica())
        return value?.textType?.authors ?? value?.listType?.authors
    }

    private func found(_ path: DocumentPath, in replica: Document) -> SharedValue? {
        guard replica.rootKind(path.root) != .absent else { return nil }
        return (try? DocumentEditor(document: replica).find(path, else: .text)) ?? nil
    }
}

/// What an edit of a copy is to do.
public enum DocumentChange: Sendable {
    case edits([DocumentEdit])
    /// To read as that copy does.
    case restore(DocumentCopy)
}

/// Where somebody without a replica edits from: the document as it is on disk, and the client id to write under.
public struct EditingBasis: Sendable {
    public var copy: DocumentCopy
    public var clientID: UInt64

    public init(copy: DocumentCopy, clientID: UInt64) {
        self.copy = copy
        self.clientID = clientID
    }

    /// The update that makes the change; nil when there is nothing to change.
    ///
    /// - Throws: `EditError` when a place does not exist; the bytes of a room are always readable.
    public func update(making change: DocumentChange) throws -> [UInt8]? {
        let replica = try copy.replica(clientID: clientID)
        let wanted: Document? = if case .restore(let copy) = change { try copy.replica() } else { nil }
        return try replica.update { () throws(EditError) in
            switch change {
            case .edits(let edits): try DocumentEditor(document: replica).run(edits)
            case .restore:
                if let wanted { try Restoration(live: replica, wanted: wanted).run() }
            }
        }
    }
}
