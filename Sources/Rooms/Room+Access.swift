import SyncProtocol

// Access is looked at again whenever what it depends on changes: open sockets are told, and moved or closed.
extension Room {
    /// Takes up a change of what the room is. The host has stored it already.
    public mutating func apply(_ change: RoomChange, atMs: Int64) {
        hear(atMs)
        guard change.apply(to: &specification) else { return }
        recheckAccess(atMs: atMs)
        writeState(atMs: atMs)
    }

    /// Looks at every socket's access anew.
    mutating func recheckAccess(atMs: Int64) {
        let policy = policy
        for id in subscribers.keys.sorted() {
            guard let subscriber = subscribers[id] else { continue }
            recount(subscriber, atMs: atMs)
            switch policy.access(to: subscriber.document, for: subscriber.caller) ?? .none {
            case .none:
                let reason = "this document is no longer yours to read"
                close(id, DoorRefusal(policy.maySee(subscriber.caller) ? .forbidden : .notFound, reason))
            case subscriber.access: continue
            case .delayedRead:
                // What it has seen cannot be taken back; what it may see from now on is another document.
                close(id, DoorRefusal(.restarting, "access to this document has changed"))
            case let access: move(subscriber, to: access)
            }
        }
    }

    /// Closes every socket that `isMeant` says, with a reason; gives how many.
    @discardableResult
    public mutating func close(
        _ refusal: DoorRefusal, where isMeant: (_ id: SubscriberID, _ caller: RoomCaller) -> Bool
    ) -> Int {
        let meant = subscribers.values.filter { isMeant($0.id, $0.caller) }.map(\.id).sorted()
        for id in meant { close(id, refusal) }
        return meant.count
    }

    /// Ends a socket here and now: nothing it sends is heard any more.
    private mutating func close(_ id: SubscriberID, _ refusal: DoorRefusal) {
        actions.append(.close(id, refusal))
        leave(id, atMs: clockMs)
    }

    private mutating func move(_ subscriber: Subscriber, to access: DocumentAccess) {
        guard let document = documents[subscriber.document] else { return }
        let id = subscriber.id
        withdrawPresence(of: subscriber)
        subscribers[id]?.presenceClients = []
        subscribers[id]?.access = access
        gaps[id] = nil
        if subscriber.access == .delayedRead, let shadow = document.shadow {
            let missed = document.live.encodeStateAsUpdate(since: shadow.document.stateVector)
            actions.append(.send(id, frame: ServerFrame.update(missed)))
        }
        if let tier = subscribers[id]?.tier { actions.append(.move(id, to: tier)) }
        if access == .write {
            actions.append(
                .send(id, frame: ServerFrame.syncStep1(stateVector: document.live.encodeStateVector())))
        } else if subscriber.access == .write {
            // As after a refused write: updates flow on, and what it writes is refused.
            subscribers[id]?.quarantine = subscriber.quarantine ?? .readOnly
            let reason = WriteRefusal.readOnly.reason
            actions.append(.send(id, frame: ServerFrame.permissionDenied(reason: reason)))
        }
    }

    /// Whoever became a participant, or ceased to be one, is counted as such from now on.
    private mutating func recount(_ subscriber: Subscriber, atMs: Int64) {
        let isParticipant = policy.isParticipant(subscriber.caller)
        guard isParticipant != subscriber.isParticipant else { return }
        attend(subscriber, isJoining: false, atMs: atMs)
        subscribers[subscriber.id]?.isParticipant = isParticipant
        if let now = subscribers[subscriber.id] { attend(now, isJoining: true, atMs: atMs) }
    }
}

/// A socket of a room, for those who run the server.
public struct SubscriberView: Sendable, Equatable {
    public var id: SubscriberID
    public var userID: String
    public var handle: String
    public var document: String
    public var access: DocumentAccess
    /// The code of its quarantine.
    public var quarantine: String?
}

extension Room {
    /// Why a socket's writes are refused.
    public func quarantine(of id: SubscriberID) -> WriteRefusal? { subscribers[id]?.quarantine }

    /// The sockets of the room, by id.
    public var subscriberViews: [SubscriberView] {
        subscribers.values.map {
            SubscriberView(
                id: $0.id, userID: $0.caller.userID, handle: $0.caller.handle, document: $0.document,
                access: $0.access, quarantine: $0.quarantine?.rawValue)
        }.sorted { $0.id < $1.id }
    }
}
