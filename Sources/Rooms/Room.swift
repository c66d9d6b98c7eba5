import Battles
import CRDT
import SyncProtocol

/// A room as a state machine: sockets, frames, commits and time go in, actions come out. It does no I/O and knows
/// no clock. Confined to one event loop by its host.
///
/// Order of things for a write: checked against the document without changing anything → accepted (its place in the
/// log is fixed) → handed to the log → committed → applied → sent to all. Nothing uncommitted is visible to anyone,
/// so every prefix of the log is a state and nothing is ever pending.
public struct Room {
    public internal(set) var specification: RoomSpecification
    public let limits: RoomLimits
    let ports: RoomPorts
    var documents: [String: RoomDocument] = [:]
    var subscribers: [SubscriberID: Subscriber] = [:]
    var log: PendingLog
    /// All payloads that the log has or will have, bytes.
    var logBytes: Int
    var story: RoomStory
    var chat = ChatPolicy()
    var moderation = ChatModeration()
    /// What is on its way in the chat documents, by name.
    var chats: [String: ChatState] = [:]
    var state = StateWriter()
    var attendance = Attendance()
    /// When presence is next looked through for states that were not renewed.
    var nextPresenceCheckMs: Int64?
    /// Whether somebody's presence changed that not all were told of.
    var hasPresenceNews = false
    var coverWaiters: [SubmissionRequest] = []
    var waitingForFile: [WaitingForFile] = []
    /// Sockets that sent what lacks its dependencies.
    var gaps: [SubscriberID: Gap] = [:]
    var nextGapCheckMs: Int64?
    /// The latest time the host told; never falls.
    var clockMs: Int64 = 0
    /// Whether a document has edits of the server that are not planned.
    var hasServerEdits = false
    var hasRaisedAlarm = false
    /// Who waits for the answer to an accepted submission, by submission id.
    var submissionReplies: [String: TakenSubmission.Reply] = [:]
    /// The sequence of the snapshot this room was loaded from.
    var snapshotSequence: Int64 = 0
    /// Submissions that are accepted and not on disk yet, by user.
    var submittersInFlight: [String: Int] = [:]
    var verdictsInFlight: Set<String> = []
    /// Writes by HTTP that are accepted and not on disk yet.
    var waitingWrites: [WaitingWrite] = []
    var actions: [RoomAction] = []
    /// Whether the log takes no more for now; see `suspendWrites`.
    public internal(set) var isReadOnly = false
    /// Set when a battle event of passed time is on its way to disk, so that it is logged once.
    var timeEventInFlight = false

    var battleIsOver: Bool { story.battle?.phase == .finished }

    public var policy: AccessPolicy {
        AccessPolicy(specification: specification, battleIsOver: battleIsOver)
    }

    public var phase: BattlePhase { story.battle?.phase ?? .running }
    public var battle: Battle? { story.battle }
    /// The last sequence whose record is on disk and applied.
    public var sequence: Int64 { log.applied }
    /// Whether everything that was accepted is on disk and applied.
    public var isSettled: Bool { log.isEmpty }
    public var isIdle: Bool { subscribers.isEmpty && log.isEmpty && coverWaiters.isEmpty }
    /// A battle that is not over stays loaded: its deadline must come.
    public var hasUnfinishedBattle: Bool { story.battle != nil && !battleIsOver }
    public var hasChangedSinceSnapshot: Bool { log.applied > snapshotSequence }
    public var subscriberCount: Int { subscribers.count }
    public var uncommittedBytes: Int { log.bytes }

    /// What live readers have of every document.
    public var stateVectors: [String: StateVector] { documents.mapValues(\.live.stateVector) }

    /// The document a socket is on.
    public func document(of id: SubscriberID) -> String? { subscribers[id]?.document }

    /// The actions since the last call, in order. Call it after every event.
    public mutating func takeActions() -> [RoomAction] {
        planServerWrites()
        tellPresenceNews()
        if let records = log.nextBatch() { actions.append(.append(records)) }
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    // MARK: Sockets

    /// Opens a socket on a document: tells it the server's step 1 where it may write, and who is present.
    ///
    /// - Throws: a refusal at the door; nothing has changed then.
    public mutating func join(
        _ id: SubscriberID, _ caller: RoomCaller, document: String, atMs: Int64
    ) throws(DoorRefusal) -> Tiers {
        let policy = policy
        guard policy.maySee(caller), let access = policy.access(to: document, for: caller),
            let target = documents[document]
        else { throw DoorRefusal(.notFound, "no such room or document") }
        guard access != .none else { throw DoorRefusal(.forbidden, "this document is not yours to read") }
        let places = limits.subscribers - (policy.isParticipant(caller) ? 0 : Limits.participantPlaces)
        guard subscribers.count < places else { throw DoorRefusal(.tryAgainLater, "the room is full") }
        hear(atMs)
        var subscriber = Subscriber(id: id, caller: caller, document: document, access: access)
        subscriber.isParticipant = policy.isParticipant(caller)
        subscribers[id] = subscriber
        if access == .write {
            actions.append(
                .send(id, frame: ServerFrame.syncStep1(stateVector: target.live.encodeStateVector())))
        }
        greet(subscriber, atMs: atMs)
        attend(subscriber, isJoining: true, atMs: atMs)
        return subscriber.tier
    }

    public mutating func leave(_ id: SubscriberID, atMs: Int64) {
        hear(atMs)
        guard let subscriber = subscribers.removeValue(forKey: id) else { return }
        gaps[id] = nil
        withdrawPresence(of: subscriber)
        attend(subscriber, isJoining: false, atMs: atMs)
    }

    /// One message of a socket.
    public mutating func receive(_ message: Inbound, from id: SubscriberID, atMs: Int64) {
        hear(atMs)
        guard let subscriber = subscribers[id] else { return }
        switch message {
        case .step1(let stateVector): answerStep1(stateVector, to: subscriber)
        case .update(let update, let isStep2): receive(update, isStep2: isStep2, from: subscriber, atMs: atMs)
        case .refusedWrite(let refusal): refuse(subscriber, refusal)
        case .awareness(let update): receive(update, from: subscriber, atMs: atMs)
        case .queryAwareness: answerPresence(to: subscriber, atMs: atMs)
        case .stateless(let text, let newID):
            receiveStateless(text, newID: newID, from: subscriber, atMs: atMs)
        }
    }

    /// The frame that brings a socket level which was sent nothing for a while.
    public mutating func catchUp(
        _ id: SubscriberID, since stateVector: StateVector
    ) -> (frame: [UInt8], now: StateVector)? {
        guard let subscriber = subscribers[id], let document = documents[subscriber.document],
            let update = difference(for: subscriber, since: stateVector)
        else { return nil }
        // Presence was left out too: it may be asked for again at once.
        subscribers[id]?.greetedAtMs = nil
        let known = subscriber.access == .delayedRead ? document.shadow?.document : nil
        return (ServerFrame.update(update), (known ?? document.live).stateVector)
    }

    // MARK: Time

    /// When `tick` should be called next, ms since 1970.
    public var nextWakeMs: Int64? {
        var wake = timeEventInFlight ? nil : story.battle?.nextDeadlineMs
        func consider(_ candidate: Int64?) {
            guard let candidate else { return }
            wake = min(wake ?? candidate, candidate)
        }
        for document in documents.values {
            consider(document.shadow?.nextDueMs)
        }
        consider(nextGapCheckMs)
        for waiter in coverWaiters { consider(waiter.deadlineMs) }
        consider(nextPresenceCheckMs)
        consider(nextPresenceNewsMs)
        consider(attendance.nextWriteMs)
        return wake
    }

    public mutating func tick(atMs: Int64) {
        hear(atMs)
        if let deadline = story.battle?.nextDeadlineMs, deadline <= atMs, !timeEventInFlight {
            timeEventInFlight = true
            log(.timePassed, atMs: atMs)
        }
        releaseDelayed(atMs: atMs)
        expirePresence(atMs: atMs)
        expireGaps(atMs: atMs)
        expireCoverWaiters(atMs: atMs)
        writeAttendance(atMs: atMs)
    }

    // MARK: Closing sockets

    /// Closes every socket of a session that ended.
    public mutating func endSession(_ sessionID: String) {
        close(DoorRefusal(.unauthenticated, "the session has ended")) { $1.sessionID == sessionID }
    }

    mutating func hear(_ atMs: Int64) { clockMs = max(clockMs, atMs) }
}
