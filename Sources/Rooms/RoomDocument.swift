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
    /// What accepted updates will take that are not applied yet, bytes.
    private var acceptedBytes = 0
    var owners: [ClientID: String] = [:]
    /// The sockets that announced who is present.
    var presenceHolders: [ClientID: SubscriberID] = [:]
    /// States of those who may write, and of those who may not.
    var writersPresence = AwarenessStates()
    var readersPresence = AwarenessStates()
    var presenceNews = PresenceNews()
    var shadow: Shadow?
    var serverWrites = ServerWrites()
    /// The answer to joiners who have nothing, until the next change: a join storm is answered with the same bytes.
    private var stateAnswer: [UInt8]?

    init(name: String) {
        self.name = name
        live = Document(clientID: serverClientID)
    }

    /// Applies a committed update.
    mutating func apply(_ update: Update) {
        acceptedBytes = max(0, acceptedBytes - Self.cost(of: update))
        live.apply(update)
        stateAnswer = nil
    }

    /// Counts an update as accepted and gives its new client ids to its author.
    mutating func accept(_ update: Update, _ ranges: [Update.ClientRange], from author: String) {
        acceptedBytes += Self.cost(of: update)
        for range in ranges {
            accepted[range.client] = max(accepted[range.client], range.to)
            if !author.isEmpty && owners[range.client] == nil { owners[range.client] = author }
        }
    }

    /// The owners that the log knows: those of accepted updates may still be lost with them.
    var committedOwners: [ClientID: String] { owners.filter { live.clock(of: $0.key) > 0 } }

    /// Whether what is committed reaches a state vector.
    func covers(_ wanted: StateVector) -> Bool {
        wanted.clients.allSatisfy { live.clock(of: $0.key) >= $0.value }
    }

    /// Approximate memory of the document with all that was accepted.
    var byteSize: Int { live.byteSize + acceptedBytes }

    /// Approximate memory that an update may take once it is applied.
    static func cost(of update: Update) -> Int { update.byteCount + update.structCount * Limits.structBytes }

    /// The update without the structs that the room knows. A writer may send known clocks again with other content;
    /// whoever has not synced yet would take it for the text.
    func withoutKnownStructs(_ update: Update) -> Update {
        var known = StateVector()
        var overlaps = false
        for range in update.ranges {
            known[range.client] = max(live.clock(of: range.client), accepted[range.client])
            if range.from < known[range.client] { overlaps = true }
        }
        return overlaps ? update.difference(since: known) : update
    }

    /// The difference to what a live reader has.
    func difference(since stateVector: StateVector) -> [UInt8] {
        live.encodeStateAsUpdate(since: stateVector)
    }

    /// The frame that answers a live reader's step 1.
    mutating func answer(toStep1 stateVector: StateVector) -> [UInt8] {
        guard stateVector.clients.isEmpty else {
            return ServerFrame.syncStep2(update: difference(since: stateVector))
        }
        if let stateAnswer { return stateAnswer }
        let answer = ServerFrame.syncStep2(update: live.encodeStateAsUpdate())
        stateAnswer = answer
        return answer
    }
}

/// Edits by the server that wait for their turn: one planned update a document is on its way to disk at a time,
/// because the next is planned on top of it.
struct ServerWrites {
    struct Acknowledgement {
        var subscriber: SubscriberID
        var nonce: String
        var messageID: String
        /// `chat.accepted` about a line, `chat.moderated` about anything else.
        var type = "chat.accepted"
    }

    var edits: [PlannedEdit] = []
    var acknowledgements: [Acknowledgement] = []
    var notes: [String] = []
    var acknowledgementsInFlight: [Acknowledgement] = []
    /// The log sequence of the write that is on its way.
    var sequenceInFlight: Int64?
}

/// Updates of a socket that lacked their dependencies and were not kept.
struct Gap {
    /// How often it was looked at and still there. Checks come a second apart or more, whatever the clock is set to,
    /// so that a clock that jumps takes no writer's time away.
    var checks = 0
    /// The clocks that the room must reach to know all of them.
    private(set) var dropped: [ClientID: UInt64] = [:]

    /// Writes that were dropped.
    var writes = 0

    mutating func raise(_ client: ClientID, to clock: UInt64) {
        dropped[client] = max(dropped[client] ?? 0, clock)
    }
}

/// Things that wait for their time, oldest first.
struct DelayQueue<Element> {
    private var entries: [(atMs: Int64, element: Element)] = []
    /// The first that still waits.
    private var head = 0

    var count: Int { entries.count - head }
    var firstMs: Int64? { head < entries.count ? entries[head].atMs : nil }

    mutating func add(_ element: Element, atMs: Int64) {
        entries.append((max(atMs, entries.last?.atMs ?? atMs), element))
    }

    mutating func removeFirst() -> Element? {
        guard head < entries.count else { return nil }
        let element = entries[head].element
        head += 1
        if head > 64 && head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return element
    }
}

/// What delayed readers see of a document: the engine applied to the log up to the newest record older than the
/// delay. Cut from the live document, it would leak deletions and the delete set.
struct Shadow {
    enum Entry {
        case update([UInt8])
        case presence([UInt8])
    }

    let document = Document(clientID: serverClientID)
    /// Nil: nothing is shown before the battle is over.
    let delayMs: Int64?
    private var updates = DelayQueue<[UInt8]>()
    private var announcements = DelayQueue<[UInt8]>()
    /// Approximate memory of the updates that wait.
    private(set) var waitingBytes = 0
    var presence = AwarenessStates()

    private static let entryBytes = 64

    init(delayMs: Int64?) {
        self.delayMs = delayMs
    }

    var nextDueMs: Int64? {
        guard let delayMs, let first = [updates.firstMs, announcements.firstMs].compactMap(\.self).min()
        else { return nil }
        return first + delayMs
    }

    mutating func add(_ update: [UInt8], committedAtMs: Int64) {
        guard delayMs != nil else { return }
        updates.add(update, atMs: committedAtMs)
        waitingBytes += update.count + Self.entryBytes
    }

    /// Keeps a writer's presence back; when too much waits, the oldest is left out: what came later replaces it.
    mutating func add(presence update: [UInt8], atMs: Int64) {
        guard delayMs != nil else { return }
        announcements.add(update, atMs: atMs)
        if announcements.count > Limits.delayedPresence { _ = announcements.removeFirst() }
    }

    /// Takes the next entry that is old enough; an update is applied to the shadow by it.
    mutating func next(atMs: Int64) -> Entry? {
        guard let due = nextDueMs, due <= atMs else { return nil }
        if let first = updates.firstMs, first <= announcements.firstMs ?? first {
            guard let update = updates.removeFirst() else { return nil }
            waitingBytes -= update.count + Self.entryBytes
            if let decoded = try? Update(decodingV1: update) { document.apply(decoded) }
            return .update(update)
        }
        return announcements.removeFirst().map(Entry.presence)
    }
}
