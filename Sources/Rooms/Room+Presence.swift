import CRDT
import SyncProtocol

// Awareness: who is present, with cursors. States of writers and of those who may not write are kept apart.
extension Room {
    /// Presence of those who may not write stays among themselves in rooms with players.
    private var separatesPresence: Bool { specification.kind == .battle }

    /// Who is told of those who may not write.
    private var audienceOfReaders: Tiers { separatesPresence ? [.readers, .delayed] : .all }

    /// Tells a socket everyone it may know of.
    mutating func greet(_ subscriber: Subscriber, atMs: Int64) {
        guard let document = documents[subscriber.document] else { return }
        subscribers[subscriber.id]?.greetedAtMs = atMs
        var known: [AwarenessStates?] = [
            subscriber.access == .delayedRead ? document.shadow?.presence : document.writersPresence
        ]
        if subscriber.access != .write || !separatesPresence { known.append(document.readersPresence) }
        for case let states? in known where states.count > 0 {
            actions.append(
                .send(subscriber.id, frame: ServerFrame.awareness(states.encode(states.clients))))
        }
    }

    /// Answers who is present. A question of two bytes may have an answer of a megabyte, so not every one is answered.
    mutating func answerPresence(to subscriber: Subscriber, atMs: Int64) {
        if let last = subscriber.greetedAtMs, last <= atMs, last + Limits.greetingMs > atMs { return }
        greet(subscriber, atMs: atMs)
    }

    mutating func receive(_ update: AwarenessUpdate, from subscriber: Subscriber, atMs: Int64) {
        let name = subscriber.document
        let isWriter = subscriber.access == .write
        guard isWriter || takeAnnouncement(of: subscriber.id, atMs: atMs) else { return }
        let entries = update.entries.compactMap { admitted($0, from: subscriber) }
        guard !entries.isEmpty else { return }
        let accepted = AwarenessUpdate(entries: entries)
        let encoded = accepted.encoded()
        // In place: a copy of the document would copy its tables with every movement of a cursor.
        if isWriter {
            documents[name]?.writersPresence.apply(accepted, atMs: atMs)
            documents[name]?.shadow?.add(presence: encoded, atMs: atMs)
        } else {
            guard hasRoom(forReaders: accepted, of: name) else {
                // Told to nobody else; stock clients close a socket on which their own state does not come back.
                return actions.append(.send(subscriber.id, frame: ServerFrame.awareness(encoded)))
            }
            documents[name]?.readersPresence.apply(accepted, atMs: atMs)
        }
        tell(entries.map(\.client), encoded, of: name, ofWriters: isWriter)
        if nextPresenceCheckMs == nil { nextPresenceCheckMs = atMs + Limits.presenceCheckMs }
    }

    private mutating func takeAnnouncement(of id: SubscriberID, atMs: Int64) -> Bool {
        guard var subscriber = subscribers[id] else { return false }
        if subscriber.presenceSecond != atMs / 1_000 {
            subscriber.presenceSecond = atMs / 1_000
            subscriber.presenceCount = 0
        }
        subscriber.presenceCount += 1
        subscribers[id] = subscriber
        return subscriber.presenceCount <= Limits.readerAnnouncements
    }

    private func hasRoom(forReaders update: AwarenessUpdate, of name: String) -> Bool {
        guard let states = documents[name]?.readersPresence else { return false }
        let new = update.entries.count { states.json(of: $0.client) == nil && !$0.isRemoval }
        return new == 0 || states.count + new <= Limits.presentReaders
    }

    /// An entry as this socket may announce it, with the user's id and name written in by the server; nil when the
    /// client id is somebody else's or one too many. (Stock clients also tell time-outs of others: not theirs to tell.)
    private mutating func admitted(
        _ entry: AwarenessUpdate.Entry, from subscriber: Subscriber
    ) -> AwarenessUpdate.Entry? {
        guard let current = subscribers[subscriber.id] else { return nil }
        if !current.presenceClients.contains(entry.client) {
            guard !entry.isRemoval, mayAnnounce(entry, current) else { return nil }
            guard current.presenceClients.count < limits.awarenessClients else {
                actions.append(.limited(current.id, .awarenessClients))
                return nil
            }
            hold(entry.client, by: current)
        }
        guard !entry.isRemoval else { return entry }
        guard current.access == .write || entry.json.utf8.count <= Limits.readerStateBytes else { return nil }
        guard !current.caller.userID.isEmpty else { return entry }
        guard
            let rewritten = AwarenessUpdate.rewritingUser(
                entry.json, id: RoomCaller.publicID(current.caller.userID), name: current.caller.handle)
        else { return nil }
        return AwarenessUpdate.Entry(client: entry.client, clock: entry.clock, json: rewritten)
    }

    /// A client id is announced by one socket at a time. A client that comes back before its old socket was closed
    /// takes its id along; nobody else's. Stock clients repeat what they hear of others, so only news takes it along.
    private func mayAnnounce(_ entry: AwarenessUpdate.Entry, _ subscriber: Subscriber) -> Bool {
        let client = entry.client
        guard client >= Limits.reservedClients || specification.kind == .open,
            let document = documents[subscriber.document]
        else { return false }
        if let owner = document.owners[client], owner != subscriber.caller.userID { return false }
        guard let holder = document.presenceHolders[client].flatMap({ subscribers[$0] }) else { return true }
        let states = holder.access == .write ? document.writersPresence : document.readersPresence
        return entry.clock > states.clock(of: client) ?? 0 && holder.caller.userID == subscriber.caller.userID
            && (holder.access == .write) == (subscriber.access == .write)
    }

    private mutating func hold(_ client: ClientID, by subscriber: Subscriber) {
        if let before = documents[subscriber.document]?.presenceHolders[client] {
            subscribers[before]?.presenceClients.remove(client)
        }
        documents[subscriber.document]?.presenceHolders[client] = subscriber.id
        subscribers[subscriber.id]?.presenceClients.insert(client)
    }

    /// Writers hear of each other at once; those who only read, and all of those who only read, once a second.
    private mutating func tell(_ clients: [ClientID], _ encoded: [UInt8], of name: String, ofWriters: Bool) {
        if ofWriters {
            actions.append(
                .broadcast(document: name, tiers: .writers, frame: ServerFrame.awareness(encoded)))
            documents[name]?.presenceNews.writers.formUnion(clients)
        } else {
            documents[name]?.presenceNews.readers.formUnion(clients)
        }
        hasPresenceNews = true
    }

    /// Tells what changed since the last time, a document: the latest state of each client, once.
    mutating func tellPresenceNews() {
        guard hasPresenceNews else { return }
        hasPresenceNews = false
        for name in documents.keys.sorted() {
            guard let news = documents[name]?.presenceNews, !news.isEmpty, let document = documents[name]
            else {
                continue
            }
            guard news.dueMs <= clockMs else {
                hasPresenceNews = true
                continue
            }
            documents[name]?.presenceNews = PresenceNews(toldAtMs: clockMs)
            tell(news.writers, in: document.writersPresence, of: name, to: .readers)
            tell(news.delayed, in: document.shadow?.presence, of: name, to: .delayed)
            tell(news.readers, in: document.readersPresence, of: name, to: audienceOfReaders)
        }
    }

    private mutating func tell(
        _ clients: Set<ClientID>, in states: AwarenessStates?, of name: String, to tiers: Tiers
    ) {
        guard !clients.isEmpty, let states else { return }
        let frame = ServerFrame.awareness(states.encode(clients.sorted()))
        actions.append(.broadcast(document: name, tiers: tiers, frame: frame))
    }

    /// When what changed is told next.
    var nextPresenceNewsMs: Int64? {
        guard hasPresenceNews else { return nil }
        return documents.values.filter { !$0.presenceNews.isEmpty }.map(\.presenceNews.dueMs).min()
    }

    /// Removes what a closing socket announced.
    mutating func withdrawPresence(of subscriber: Subscriber) {
        for client in subscriber.presenceClients {
            documents[subscriber.document]?.presenceHolders[client] = nil
        }
        removePresence(
            subscriber.presenceClients.sorted(), of: subscriber.document,
            ofWriters: subscriber.access == .write)
    }

    private mutating func removePresence(_ clients: [ClientID], of name: String, ofWriters: Bool) {
        guard !clients.isEmpty else { return }
        let removal: [UInt8]
        if ofWriters {
            guard let removed = documents[name]?.writersPresence.remove(clients), !removed.isEmpty else {
                return
            }
            removal = documents[name]?.writersPresence.encode(removed) ?? []
            documents[name]?.shadow?.add(presence: removal, atMs: clockMs)
        } else {
            guard let removed = documents[name]?.readersPresence.remove(clients), !removed.isEmpty else {
                return
            }
            removal = documents[name]?.readersPresence.encode(removed) ?? []
        }
        tell(clients, removal, of: name, ofWriters: ofWriters)
    }

    /// Drops states that were not renewed for 30 s; looked at every 3 s, as y-protocols does.
    mutating func expirePresence(atMs: Int64) {
        guard let due = nextPresenceCheckMs, due <= atMs else { return }
        func outdated(_ states: AwarenessStates?) -> [ClientID] {
            states?.outdated(atMs: atMs, timeoutMs: Limits.awarenessTimeoutMs) ?? []
        }
        var isAnyonePresent = false
        for name in documents.keys.sorted() {
            removePresence(outdated(documents[name]?.writersPresence), of: name, ofWriters: true)
            removePresence(outdated(documents[name]?.readersPresence), of: name, ofWriters: false)
            expireDelayedPresence(outdated(documents[name]?.shadow?.presence), of: name)
            let present = [
                documents[name]?.writersPresence, documents[name]?.readersPresence,
                documents[name]?.shadow?.presence,
            ]
            if present.contains(where: { $0.map(\.count) ?? 0 > 0 }) { isAnyonePresent = true }
        }
        nextPresenceCheckMs = isAnyonePresent ? atMs + Limits.presenceCheckMs : nil
    }

    /// What delayed readers see of somebody who went may have been left out of the queue.
    private mutating func expireDelayedPresence(_ clients: [ClientID], of name: String) {
        guard !clients.isEmpty, let removed = documents[name]?.shadow?.presence.remove(clients) else {
            return
        }
        documents[name]?.presenceNews.delayed.formUnion(removed)
        hasPresenceNews = true
    }

    /// A writer's presence has become old enough for delayed readers.
    mutating func releasePresence(_ encoded: [UInt8], of name: String, atMs: Int64) {
        guard let update = try? AwarenessUpdate(decoding: encoded) else { return }
        documents[name]?.shadow?.presence.apply(update, atMs: atMs)
        documents[name]?.presenceNews.delayed.formUnion(update.entries.map(\.client))
        hasPresenceNews = true
        if nextPresenceCheckMs == nil { nextPresenceCheckMs = atMs + Limits.presenceCheckMs }
    }
}
