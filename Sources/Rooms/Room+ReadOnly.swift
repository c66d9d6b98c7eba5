import SyncProtocol

// A full disk: the room goes on for readers, and takes no writes until there is space.
extension Room {
    /// The log had no space for the batch handed out last, and holds nothing of it. The host keeps the batch and tries
    /// it again; until `committed` is called, reads go on as ever and writes are refused with `reset:disk_full`.
    public mutating func suspendWrites() {
        isReadOnly = true
        // What would have come again cannot be taken now: it is asked for with the rest.
        for (id, gap) in gaps.sorted(by: { $0.key < $1.key }) {
            guard let subscriber = subscribers[id] else { continue }
            for _ in 0..<gap.writes { suspend(subscriber) }
        }
        gaps = [:]
        giveUpWrites()
        nextGapCheckMs = nil
    }

    /// Refuses a write that there is no space for. The reason is told once a socket.
    mutating func suspend(_ subscriber: Subscriber) {
        if subscribers[subscriber.id]?.isSuspended == false {
            subscribers[subscriber.id]?.isSuspended = true
            let reason = WriteRefusal.diskFull.reason
            actions.append(.send(subscriber.id, frame: ServerFrame.permissionDenied(reason: reason)))
        }
        actions.append(.refused(subscriber.id))
    }

    /// There is space again: asks every socket whose write was refused for what the room lacks.
    mutating func resumeWrites(atMs: Int64) {
        guard isReadOnly else { return }
        isReadOnly = false
        for id in subscribers.keys.sorted() {
            guard let subscriber = subscribers[id], subscriber.isSuspended else { continue }
            subscribers[id]?.isSuspended = false
            guard subscriber.quarantine == nil, let document = documents[subscriber.document] else {
                continue
            }
            let stateVector = document.live.encodeStateVector()
            actions.append(.send(id, frame: ServerFrame.syncStep1(stateVector: stateVector)))
        }
        // What was left out meanwhile.
        writeState(atMs: atMs)
    }
}
