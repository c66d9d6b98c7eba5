import CRDT
import SyncProtocol

/// A write by HTTP: the same checks, log and fan-out as a socket's.
public struct DocumentWrite: Sendable {
    public var requestID: SubscriberID
    public var caller: RoomCaller
    public var document: String
    public var update: Update
    /// Set where the update was made from a copy of the room: the server's client id that it writes under, which
    /// must go on where the room's knowledge of it ends.
    public var editor: UInt64?

    public init(
        requestID: SubscriberID, caller: RoomCaller, document: String, update: Update, editor: UInt64? = nil
    ) {
        self.requestID = requestID
        self.caller = caller
        self.document = document
        self.update = update
        self.editor = editor
    }
}

/// How a write by HTTP ended.
public enum DocumentWriteOutcome: Sendable, Equatable {
    /// It is on disk, at this place of the log or before.
    case saved(sequence: Int64)
    case refused(WriteRefusal)
    /// Nobody may know of such a document.
    case noSuchDocument
    /// Somebody else used the editor's client id meanwhile: make the update anew.
    case stale
    /// The room was thrown away before it was known.
    case unavailable
}

/// Writes by HTTP that wait for the disk.
struct WaitingWrite {
    var requestID: SubscriberID
    var sequence: Int64
}

extension Room {
    /// Checks and accepts a write; answered by `writeFinished`, at once or when it is on disk.
    public mutating func write(_ request: DocumentWrite, atMs: Int64) {
        hear(atMs)
        func finish(_ outcome: DocumentWriteOutcome) {
            actions.append(.writeFinished(requestID: request.requestID, outcome))
        }
        guard let access = policy.access(to: request.document, for: request.caller), access != .none,
            let document = documents[request.document]
        else { return finish(.noSuchDocument) }
        guard access == .write else { return finish(.refused(.readOnly)) }
        guard !isReadOnly else { return finish(.refused(.diskFull)) }
        if let editor = request.editor {
            let known = max(document.live.clock(of: editor), document.accepted[editor])
            let start = request.update.ranges.first { $0.client == editor }?.from ?? known
            guard start == known else { return finish(.stale) }
        }
        var writer = Subscriber(
            id: request.requestID, caller: request.caller, document: request.document, access: access)
        writer.editor = request.editor
        switch acceptance(of: request.update, from: writer) {
        case .taken(let update, let ranges):
            accept(update, ranges, from: writer, atMs: atMs)
            waitingWrites.append(WaitingWrite(requestID: request.requestID, sequence: log.lastSequence))
        case .known:
            waitingWrites.append(WaitingWrite(requestID: request.requestID, sequence: log.lastSequence))
            finishWrites()
        case .refused(let refusal): finish(.refused(refusal))
        case .missing: finish(.refused(.gap))
        case .reader, nil: finish(.refused(.readOnly))
        }
    }

    /// Answers the writes that are on disk.
    mutating func finishWrites() {
        guard !waitingWrites.isEmpty else { return }
        let done = waitingWrites.filter { $0.sequence <= log.applied }
        waitingWrites.removeAll { $0.sequence <= log.applied }
        for write in done {
            actions.append(.writeFinished(requestID: write.requestID, .saved(sequence: write.sequence)))
        }
    }

    /// The disk is full: nobody knows when what waits will be on it.
    mutating func giveUpWrites() {
        for write in waitingWrites {
            actions.append(.writeFinished(requestID: write.requestID, .unavailable))
        }
        waitingWrites = []
    }

    /// Where a caller who may write edits a document from.
    ///
    /// - Throws: a refusal when the document is not theirs to write, or too many have written in it this way.
    public func editingBasis(
        of name: String, for caller: RoomCaller
    ) throws(DoorRefusal) -> EditingBasis {
        let copy = try copy(of: name, for: caller)
        guard policy.access(to: name, for: caller) == .write else {
            throw DoorRefusal(.forbidden, "this document is not yours to write")
        }
        let own = Limits.editorClients.first { copy.owners[$0] == caller.userID }
        let free = Limits.editorClients.first { client in
            documents[name]?.owners[client] == nil && documents[name]?.live.clock(of: client) == 0
        }
        guard let client = own ?? free else {
            throw DoorRefusal(.tryAgainLater, "too many have edited this document without a replica of it")
        }
        return EditingBasis(copy: copy, clientID: client)
    }

    /// A document as it is on disk, for whoever reads it live.
    ///
    /// - Throws: `notFound` where the caller may not know of it, `forbidden` where it is not theirs to read now.
    public func copy(of name: String, for caller: RoomCaller) throws(DoorRefusal) -> DocumentCopy {
        guard policy.maySee(caller), let access = policy.access(to: name, for: caller),
            let document = documents[name]
        else { throw DoorRefusal(.notFound, "no such room or document") }
        guard access == .write || access == .read else {
            throw DoorRefusal(.forbidden, "this document is not yours to read")
        }
        return DocumentCopy(
            document: name, sequence: log.applied, atMs: log.lastCommittedAtMs,
            state: document.live.encodeStateAsUpdate(), owners: document.committedOwners)
    }
}
