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
        var known: [[UInt8]] = []
        if subscriber.access == .delayedRead {
            known.append(document.shadow?.presence.encoded() ?? [])
        } else {
            known.append(document.writersPresence.encoded())
        }
        if subscriber.access != .write || !separatesPresence { known.append(document.readersPresence.encoded()) }
        for states in known where states.count > 1 {
            actions.append(.send(subscriber.id, frame: ServerFrame.awareness(states)))
        }
    }

    mutating func receive(_ update: AwarenessUpdate, from subscriber: Subscriber, atMs: Int64) {
        guard var document = documents[subscriber.document] else { return }
        let own = update.entries.compactMap { entry in
            admitted(entry, from: subscriber, in: document)
        }
        guard !own.isEmpty else { return }
        let isWriter = subscriber.access == .write
        let filtered = AwarenessUpdate(entries: own)
        if isWriter {
            document.writersPresence.apply(filtered, atMs: atMs)
        } else {
            document.readersPresence.apply(filtered, atMs: atMs)
        }
        for entry in own { subscribers[subscriber.id]?.presenceClients.insert(entry.client) }
        let encoded = filtered.encoded()
        if isWriter { document.shadow?.add(presence: encoded, atMs: atMs) }
        documents[subscriber.document] = document
        actions.append(
            .broadcast(
                document: subscriber.document, tiers: audience(ofWriters: isWriter),
                frame: ServerFrame.awareness(encoded)))
    }

    /// An entry as this socket may announce it, with the user's id and name written in by the server; nil when the
    /// client id is somebody else's or one too many. (Stock clients also tell time-outs of others: not theirs to tell.)
    private func admitted(
        _ entry: AwarenessUpdate.Entry, from subscriber: Subscriber, in document: RoomDocument
    ) -> AwarenessUpdate.Entry? {
        guard let current = subscribers[subscriber.id] else { return nil }
        if !current.presenceClients.contains(entry.client) {
            guard current.presenceClients.count < Limits.awarenessClients, entry.state != nil,
                entry.client >= Limits.reservedClients || specification.kind == .open,
                !document.writersPresence.contains(entry.client),
                !document.readersPresence.contains(entry.client)
            else { return nil }
            if let owner = document.owners[entry.client], owner != current.caller.userID { return nil }
        }
        guard let state = entry.state, !current.caller.userID.isEmpty else { return entry }
        guard
            let rewritten = AwarenessUpdate.rewritingUser(
                state, id: current.caller.userID, name: current.caller.handle)
        else { return nil }
        return AwarenessUpdate.Entry(client: entry.client, clock: entry.clock, state: rewritten)
    }

    /// Removes what a closing socket announced.
    mutating func withdrawPresence(of subscriber: Subscriber) {
        guard var document = documents[subscriber.document], !subscriber.presenceClients.isEmpty else { return }
        let clients = subscriber.presenceClients.sorted()
        let isWriter = subscriber.access == .write
        let removal =
            isWriter
            ? document.writersPresence.remove(clients) : document.readersPresence.remove(clients)
        if isWriter, let removal { document.shadow?.add(presence: removal.encoded(), atMs: log.lastCommittedAtMs) }
        documents[subscriber.document] = document
        guard let removal else { return }
        actions.append(
            .broadcast(
                document: subscriber.document, tiers: audience(ofWriters: isWriter),
                frame: ServerFrame.awareness(removal.encoded())))
    }

    /// Drops states that were not renewed for 30 s.
    mutating func expirePresence(atMs: Int64) {
        for name in documents.keys {
            guard var document = documents[name] else { continue }
            let writers = document.writersPresence.removeOutdated(atMs: atMs)
            let readers = document.readersPresence.removeOutdated(atMs: atMs)
            guard writers != nil || readers != nil else { continue }
            documents[name] = document
            for (removal, isWriter) in [(writers, true), (readers, false)] {
                guard let removal else { continue }
                actions.append(
                    .broadcast(
                        document: name, tiers: audience(ofWriters: isWriter),
                        frame: ServerFrame.awareness(removal.encoded())))
            }
        }
    }

    /// A writer's presence has become old enough for delayed readers.
    mutating func releasePresence(_ encoded: [UInt8], of name: String, atMs: Int64) {
        guard let update = try? AwarenessUpdate(decoding: encoded) else { return }
        documents[name]?.shadow?.presence.apply(update, atMs: atMs)
        actions.append(.broadcast(document: name, tiers: .delayed, frame: ServerFrame.awareness(encoded)))
    }
}
