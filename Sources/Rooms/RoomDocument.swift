import CRDT
import SyncProtocol

/// One document of a room: what is committed and applied, what is accepted and on its way to disk, whose client
/// ids are whose, who is present, and the shadow that delayed readers see.
struct RoomDocument {
    let name: String
    /// Committed and applied: all that live readers ever see.
    var live: Document
    /// At least the state vector of every accepted update, applied or not.
    var accepted = StateVector()
    var owners: [ClientID: String] = [:]
    /// States of those who may write, and of those who may not.
    var writersPresence = AwarenessStates()
    var readersPresence = AwarenessStates()
    var shadow: Shadow?
    var serverWrites = ServerWrites()
    /// The encoded state for joiners who have nothing, until the next change.
    private var encodedState: [UInt8]?

    init(name: String) {
        self.name = name
        live = Document(clientID: serverClientID)
    }

    /// Applies a committed update.
    mutating func apply(_ update: Update) {
        live.apply(update)
        encodedState = nil
    }

    /// Counts an update as accepted and gives its new client ids to its author.
    mutating func accept(_ ranges: [Update.ClientRange], from author: String) {
        for range in ranges {
            accepted[range.client] = max(accepted[range.client], range.to)
            if !author.isEmpty && owners[range.client] == nil { owners[range.client] = author }
        }
    }

    /// The difference to what a live reader has.
    mutating func difference(since stateVector: StateVector) -> [UInt8] {
        guard stateVector.clients.isEmpty else { return live.encodeStateAsUpdate(since: stateVector) }
        if let encodedState { return encodedState }
        let state = live.encodeStateAsUpdate()
        encodedState = state
        return state
    }
}

/// Edits by the server that wait for their turn: one planned update a document is on its way to disk at a time,
/// because the next is planned on top of it.
struct ServerWrites {
    struct Acknowledgement {
        var subscriber: SubscriberID
        var nonce: String
        var messageID: String
    }

    var edits: [PlannedEdit] = []
    var acknowledgements: [Acknowledgement] = []
    var notes: [String] = []
    var acknowledgementsInFlight: [Acknowledgement] = []
    var isInFlight = false
}

/// What delayed readers see of a document: the engine applied to the log up to the newest record older than the
/// delay. Cut from the live document, it would leak deletions and the delete set.
struct Shadow {
    enum Entry {
        case update(Update)
        case presence([UInt8])
    }

    let document: Document
    /// Nil: nothing is shown before the battle is over.
    let delayMs: Int64?
    /// Committed and not yet old enough, oldest first; `head` is the first that still waits.
    private var backlog: [(committedAtMs: Int64, entry: Entry)] = []
    private var head = 0
    private var presenceEntries = 0
    var presence = AwarenessStates()

    init(delayMs: Int64?) {
        document = Document(clientID: serverClientID)
        self.delayMs = delayMs
    }

    var nextDueMs: Int64? {
        guard let delayMs, head < backlog.count else { return nil }
        return backlog[head].committedAtMs + delayMs
    }

    mutating func add(_ update: Update, committedAtMs: Int64) {
        guard delayMs != nil else { return }
        backlog.append((committedAtMs, .update(update)))
    }

    mutating func add(presence update: [UInt8], atMs: Int64) {
        guard delayMs != nil, presenceEntries < Limits.delayedPresence else { return }
        presenceEntries += 1
        backlog.append((atMs, .presence(update)))
    }

    /// Takes the next entry that is old enough; an update is applied to the shadow by it.
    mutating func next(atMs: Int64) -> Entry? {
        guard let due = nextDueMs, due <= atMs else { return nil }
        let entry = backlog[head].entry
        head += 1
        if head > 64 && head * 2 > backlog.count {
            backlog.removeFirst(head)
            head = 0
        }
        switch entry {
        case .update(let update): document.apply(update)
        case .presence: presenceEntries -= 1
        }
        return entry
    }
}
