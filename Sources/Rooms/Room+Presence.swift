import CRDT
import SyncProtocol

// Awareness: who is present, with cursors. States of writers and of those who may not write are kept apart.
extension Room {
    /// Presence of those who may not write stays among themselves in rooms with players.
    private var separatesPresence: Bool { specification.kind == .battle }

    private func audience(ofWriters: Bool) -> Tiers {
        if ofWriters { return .live }
        return separatesPresence ? [.readers, .delayed] : .all
    }

    /// Tells a socket everyone it may know of.
    mutating func greet(_ subscriber: Subscriber) {
        guard let document = documents[subscriber.document] else { return }
        var known: [AwarenessStates?] = [
            subscriber.access == .delayedRead ? document.shadow?.presence : document.writersPresence
        ]
        if subscriber.access != .write || !separatesPresence { known.append(document.readersPresence) }
        for case let states? in known where states.count > 0 {
            actions.append(
                .send(subscriber.id, frame: ServerFrame.awareness(states.encode(states.clients))))
        }
    }

    mutating func receive(_ update: AwarenessUpdate, from subscriber: Subscriber, atMs: Int64) {
        guard var document = documents[subscriber.document] else { return }
        let entries = update.entries.compactMap { admitted($0, from: subscriber, in: document) }
        guard !entries.isEmpty else { return }
        let isWriter = subscriber.access == .write
        let accepted = AwarenessUpdate(entries: entries)
        if isWriter {
            document.writersPresence.apply(accepted, atMs: atMs)
            document.shadow?.add(presence: accepted.encoded(), atMs: atMs)
        } else {
            document.readersPresence.apply(accepted, atMs: atMs)
        }
        documents[subscriber.document] = document
        tellPresence(accepted.encoded(), of: subscriber.document, ofWriters: isWriter)
        if nextPresenceCheckMs == nil { nextPresenceCheckMs = atMs + Limits.presenceCheckMs }
    }

    /// An entry as this socket may announce it, with the user's id and name written in by the server; nil when the
    /// client id is somebody else's or one too many. (Stock clients also tell time-outs of others: not theirs to tell.)
    private mutating func admitted(
        _ entry: AwarenessUpdate.Entry, from subscriber: Subscriber, in document: RoomDocument
    ) -> AwarenessUpdate.Entry? {
        guard let current = subscribers[subscriber.id] else { return nil }
        if !current.presenceClients.contains(entry.client) {
            guard current.presenceClients.count < Limits.awarenessClients, !entry.isRemoval,
                entry.client >= Limits.reservedClients || specification.kind == .open,
                document.writersPresence.json(of: entry.client) == nil,
                document.readersPresence.json(of: entry.client) == nil
            else { return nil }
            if let owner = document.owners[entry.client], owner != current.caller.userID { return nil }
            subscribers[subscriber.id]?.presenceClients.insert(entry.client)
        }
        guard !entry.isRemoval, !current.caller.userID.isEmpty else { return entry }
        guard
            let rewritten = AwarenessUpdate.rewritingUser(
                entry.json, id: current.caller.userID, name: current.caller.handle)
        else { return nil }
        return AwarenessUpdate.Entry(client: entry.client, clock: entry.clock, json: rewritten)
    }

    private mutating func tellPresence(_ encoded: [UInt8], of document: String, ofWriters: Bool) {
        actions.append(
            .broadcast(
                document: document, tiers: audience(ofWriters: ofWriters),
                frame: ServerFrame.awareness(encoded)))
    }

    /// Removes what a closing socket announced.
    mutating func withdrawPresence(of subscriber: Subscriber) {
        removePresence(
            subscriber.presenceClients.sorted(), of: subscriber.document,
            ofWriters: subscriber.access == .write)
    }

    private mutating func removePresence(_ clients: [ClientID], of name: String, ofWriters: Bool) {
        guard var document = documents[name], !clients.isEmpty else { return }
        let removal: [UInt8]
        if ofWriters {
            let removed = document.writersPresence.remove(clients)
            guard !removed.isEmpty else { return }
            removal = document.writersPresence.encode(removed)
            document.shadow?.add(presence: removal, atMs: log.lastCommittedAtMs)
        } else {
            let removed = document.readersPresence.remove(clients)
            guard !removed.isEmpty else { return }
            removal = document.readersPresence.encode(removed)
        }
        documents[name] = document
        tellPresence(removal, of: name, ofWriters: ofWriters)
    }

    /// Drops states that were not renewed for 30 s; looked at every 3 s, as y-protocols does.
    mutating func expirePresence(atMs: Int64) {
        guard let due = nextPresenceCheckMs, due <= atMs else { return }
        var isAnyonePresent = false
        for name in documents.keys.sorted() {
            guard let document = documents[name] else { continue }
            removePresence(
                document.writersPresence.outdated(atMs: atMs, timeoutMs: Limits.awarenessTimeoutMs), of: name,
                ofWriters: true)
            removePresence(
                document.readersPresence.outdated(atMs: atMs, timeoutMs: Limits.awarenessTimeoutMs), of: name,
                ofWriters: false)
            if document.writersPresence.count + document.readersPresence.count > 0 { isAnyonePresent = true }
        }
        nextPresenceCheckMs = isAnyonePresent ? atMs + Limits.presenceCheckMs : nil
    }

    /// A writer's presence has become old enough for delayed readers.
    mutating func releasePresence(_ encoded: [UInt8], of name: String, atMs: Int64) {
        guard let update = try? AwarenessUpdate(decoding: encoded) else { return }
        documents[name]?.shadow?.presence.apply(update, atMs: atMs)
        actions.append(.broadcast(document: name, tiers: .delayed, frame: ServerFrame.awareness(encoded)))
    }
}
