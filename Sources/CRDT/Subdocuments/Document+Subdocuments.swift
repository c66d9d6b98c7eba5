/// The subdocuments that one transaction brought, asked for or took away.
public struct SubdocumentEvent {
    /// New in the document.
    public var added: [Document]
    /// To be loaded, that is synchronised: new ones that load by themselves, and those asked for.
    public var loaded: [Document]
    /// Deleted.
    public var removed: [Document]
    /// The transaction.
    public var transaction: Transaction
}

/// Documents in documents (yjs `ContentDoc`, `doc.getSubdocs`). The document that holds one knows its guid and
/// options; what is in it is synchronised apart, under its guid.
extension Document {
    /// Subdocuments in the document, in the order they came.
    public var subdocuments: [Document] { presentSubdocuments.compactMap { present($0) } }

    /// Guids of the subdocuments (yjs `getSubdocGuids`).
    public var subdocumentGuids: Set<String> { Set(subdocuments.map(\.guid)) }

    /// Asks for a subdocument to be loaded: the observers of the document it is in hear of it (yjs `load`).
    public func load() {
        if let holder, !shouldLoad {
            holder.document?.transact {
                holder.document?.store.transaction.documents.load(holder.item)
            }
        }
        shouldLoad = true
    }

    /// The options that are written beside the guid.
    var options: Value {
        var entries: [Value.Entry] = []
        if !store.collectsGarbage { entries.append(Value.Entry("gc", false)) }
        if autoLoad { entries.append(Value.Entry("autoLoad", true)) }
        if meta != .null { entries.append(Value.Entry("meta", meta)) }
        return .object(entries)
    }

    /// The subdocument that a block holds; made at the first question.
    func subdocument(of block: UInt32) -> Document {
        let id = store.id(of: block)
        if let known = subdocumentsByID[id] { return known }
        let (guid, options) = WireValues.document(store.arena.bytes(store.blocks[block].content))
        let document = Document(clientID: clientID, guid: guid, gc: options["gc"]?.isTruthy ?? true)
        document.autoLoad = options["autoLoad"]?.isTruthy ?? false
        document.shouldLoad = options["shouldLoad"]?.isTruthy ?? document.autoLoad
        document.meta = options["meta"] ?? .null
        document.holder = Holder(document: self, item: id)
        subdocumentsByID[id] = document
        return document
    }

    /// Refuses documents that are in a document already.
    func checkFresh(_ contents: [Content]) throws(EditError) {
        for case .document(let document) in contents where document.holder != nil || document === self {
            throw EditError(.alreadyInserted)
        }
    }

    /// Ties subdocuments that were inserted to their blocks.
    func adopt(_ contents: [Content], _ blocks: [UInt32]) {
        var documents: [Document] = []
        for case .document(let document) in contents { documents.append(document) }
        for (document, block) in zip(documents, blocks.filter { store.blocks[$0].kind == .document }) {
            let id = store.id(of: block)
            document.holder = Holder(document: self, item: id)
            subdocumentsByID[id] = document
        }
    }

    /// Tells of the subdocuments that came and went with a transaction.
    func emitSubdocuments(_ transaction: Transaction) {
        let changes = transaction.closed.documents
        guard !changes.isEmpty else { return }
        let added = changes.addedInOrder
        presentSubdocuments.append(contentsOf: added)
        if !changes.removed.isEmpty { presentSubdocuments.removeAll { changes.removed.contains($0) } }
        if !observers.documents.isEmpty { tell(transaction, added, changes) }
        for id in changes.removed { subdocumentsByID[id] = nil }
    }

    private func tell(_ transaction: Transaction, _ added: [ID], _ changes: DocumentChanges) {
        let new = added.compactMap { present($0) }
        for document in new { document.clientID = clientID }
        let asked = changes.loaded.compactMap { subdocumentsByID[$0] }
        let event = SubdocumentEvent(
            added: new,
            loaded: new.filter(\.shouldLoad) + asked.filter { one in !new.contains { $0 === one } },
            removed: changes.removedInOrder.compactMap { subdocumentsByID[$0] }, transaction: transaction)
        for body in observers.documents.bodies { body(event) }
    }

    private func present(_ id: ID) -> Document? {
        guard let block = store.block(of: id), store.blocks[block].kind == .document else {
            return subdocumentsByID[id]
        }
        return subdocument(of: block)
    }
}

/// Where a subdocument is.
struct Holder {
    weak var document: Document?
    var item: ID
}

extension WireValues {
    /// Guid and options of a subdocument.
    static func document(_ bytes: UnsafeBufferPointer<UInt8>) -> (guid: String, options: Value) {
        var reader = ByteReader(bytes)
        do throws(UpdateError) {
            let (start, length, _) = try reader.string()
            let guid = String(decoding: reader.slice(start, length), as: UTF8.self)
            return (guid, try reader.any(depth: Limits.maxValueNesting))
        } catch {
            return ("", .object([]))
        }
    }
}
