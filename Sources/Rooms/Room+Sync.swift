import CRDT
import SyncProtocol

// Documents: step 1, updates, refusals, commits.
extension Room {
    /// Answers a client's state vector with what it lacks.
    mutating func answerStep1(_ stateVector: StateVector, to subscriber: Subscriber) {
        guard var document = documents[subscriber.document] else { return }
        defer { documents[subscriber.document] = document }
        guard stateVector[serverClientID] <= document.live.stateVector[serverClientID] else {
            // The client holds text of the server that the log does not: history was lost.
            actions.append(
                .alarm(
                    "room \(specification.id), document \(document.name): a client is ahead of the server's own writes"
                ))
            actions.append(
                .send(subscriber.id, frame: ServerFrame.permissionDenied(reason: WriteRefusal.epoch.reason)))
            actions.append(.close(subscriber.id, DoorRefusal(.reset, WriteRefusal.epoch.reason)))
            return
        }
        let update: [UInt8]
        if subscriber.access == .delayedRead, let shadow = document.shadow {
            update = shadow.document.encodeStateAsUpdate(since: stateVector)
        } else {
            update = document.difference(since: stateVector)
        }
        actions.append(.send(subscriber.id, frame: ServerFrame.syncStep2(update: update)))
    }

    /// Checks an update without changing anything and accepts it whole, or refuses it whole.
    mutating func receive(_ update: Update, isStep2: Bool, from subscriber: Subscriber, atMs: Int64) {
        guard var document = documents[subscriber.document] else { return }
        let readiness = document.live.readiness(of: update, beyond: document.accepted)
        if readiness == .redundant {
            // A step 2 that adds nothing is no write; an update sent again is told that it is known.
            gaps[subscriber.id] = isStep2 ? nil : gaps[subscriber.id]
            if !isStep2, subscriber.access == .write, subscriber.quarantine == nil {
                actions.append(.send(subscriber.id, frame: ServerFrame.update(update.bytes)))
            }
            return
        }
        if let refusal = refusal(of: update, to: document, from: subscriber) {
            return refuse(subscriber, refusal)
        }
        if case .missing = readiness {
            if gaps[subscriber.id] == nil { gaps[subscriber.id] = atMs }
            actions.append(
                .send(
                    subscriber.id,
                    frame: ServerFrame.syncStep1(stateVector: document.live.encodeStateVector())))
            return
        }
        gaps[subscriber.id] = nil
        document.accept(
            document.live.newRanges(of: update, beyond: document.accepted), from: subscriber.caller.userID)
        documents[subscriber.document] = document
        log.add(
            .update, document: document.name, author: subscriber.caller.userID, payload: update.bytes,
            update: update, note: nil, atMs: atMs)
    }

    private func refusal(
        of update: Update, to document: RoomDocument, from subscriber: Subscriber
    ) -> WriteRefusal? {
        if let quarantine = subscriber.quarantine { return quarantine }
        guard subscriber.access == .write else { return .readOnly }
        guard update.bytes.count <= Limits.updateBytes else { return .tooLarge }
        let isOpen = specification.kind == .open
        let room = isOpen ? Limits.openDocumentBytes : Limits.documentBytes
        guard document.live.byteSize + log.bytes + update.bytes.count <= room else { return .documentFull }
        guard !isOpen else { return nil }
        for range in document.live.newRanges(of: update, beyond: document.accepted) {
            guard range.client >= Limits.reservedClients else { return .foreignClient }
            if let owner = document.owners[range.client], owner != subscriber.caller.userID {
                return .foreignClient
            }
        }
        return nil
    }

    /// Refuses a write: the socket is in quarantine from now on, and updates still flow to it.
    mutating func refuse(_ subscriber: Subscriber, _ refusal: WriteRefusal) {
        let reason = subscribers[subscriber.id]?.quarantine ?? refusal
        subscribers[subscriber.id]?.quarantine = reason
        gaps[subscriber.id] = nil
        actions.append(.send(subscriber.id, frame: ServerFrame.permissionDenied(reason: reason.reason)))
    }

    // MARK: Commit

    /// The batch handed out last is on disk: applies it and tells everyone.
    public mutating func committed(atMs: Int64) {
        for entry in log.takeCommitted() {
            apply(entry.record, entry.update, atMs: atMs)
        }
        for name in documents.keys.sorted() where documents[name]?.serverWrites.isInFlight == true {
            finishServerWrite(of: name)
        }
        retryWaitingForFile(atMs: atMs)
        retryCoverWaiters(atMs: atMs)
        writeState(atMs: atMs)
    }

    private mutating func apply(_ record: LogRecord, _ update: Update?, atMs: Int64) {
        switch record.kind {
        case .update:
            guard let update else { return }
            applyUpdate(update, of: record, atMs: atMs)
        case .submission, .verdict, .battle:
            applyStory(record, atMs: atMs)
        }
        updatesSinceSnapshot(record)
    }

    private mutating func applyUpdate(_ update: Update, of record: LogRecord, atMs: Int64) {
        guard var document = documents[record.document] else { return }
        document.apply(update)
        document.shadow?.add(update, committedAtMs: record.committedAtMs)
        documents[record.document] = document
        actions.append(
            .broadcast(document: record.document, tiers: .live, frame: ServerFrame.update(record.payload)))
    }

    private mutating func updatesSinceSnapshot(_ record: LogRecord) {
        if record.sequence % Int64(Limits.snapshotEvery) == 0 { actions.append(.snapshotDue) }
    }

    // MARK: Delay

    /// Sends delayed readers what has become old enough.
    mutating func releaseDelayed(atMs: Int64) {
        for name in documents.keys {
            while let entry = documents[name]?.shadow?.next(atMs: atMs) {
                switch entry {
                case .update(let update):
                    actions.append(
                        .broadcast(document: name, tiers: .delayed, frame: ServerFrame.update(update.bytes)))
                case .presence(let presence):
                    releasePresence(presence, of: name, atMs: atMs)
                }
            }
        }
    }

    /// The battle is over: delayed readers are brought level and read live from now on.
    mutating func endDelay(atMs: Int64) {
        for name in documents.keys {
            guard var document = documents[name], let shadow = document.shadow else { continue }
            let difference = document.live.encodeStateAsUpdate(since: shadow.document.stateVector)
            document.shadow = nil
            documents[name] = document
            let delayed = subscriberIDs(of: name, .delayedRead)
            guard !delayed.isEmpty else { continue }
            actions.append(.broadcast(document: name, tiers: .delayed, frame: ServerFrame.update(difference)))
            for id in delayed {
                subscribers[id]?.access = .read
                actions.append(.move(id, to: .readers))
                if let subscriber = subscribers[id] { greet(subscriber) }
            }
        }
    }

    // MARK: Server-written documents

    /// Adds edits of the server to a document; they are planned together when the one before is on disk.
    mutating func write(_ edits: [PlannedEdit], to document: String) {
        documents[document]?.serverWrites.edits.append(contentsOf: edits)
    }

    mutating func planServerWrites() {
        for name in documents.keys.sorted() {
            guard var document = documents[name], !document.serverWrites.isInFlight,
                !document.serverWrites.edits.isEmpty
            else { continue }
            defer { documents[name] = document }
            let edits = document.serverWrites.edits
            document.serverWrites.edits = []
            guard let bytes = document.live.plan(edits, as: serverClientID),
                let update = try? Update(decodingV1: bytes)
            else { continue }
            let notes = document.serverWrites.notes
            document.serverWrites.isInFlight = true
            document.serverWrites.acknowledgementsInFlight = document.serverWrites.acknowledgements
            document.serverWrites.acknowledgements = []
            document.serverWrites.notes = []
            document.accept(document.live.newRanges(of: update, beyond: document.accepted), from: "")
            log.add(
                .update, document: name, author: "", payload: bytes, update: update,
                note: notes.isEmpty ? nil : notes.joined(separator: "\n"), atMs: log.lastCommittedAtMs)
        }
    }

    private mutating func finishServerWrite(of name: String) {
        guard let acknowledgements = documents[name]?.serverWrites.acknowledgementsInFlight else { return }
        // A batch may be committed that does not hold this document's write yet.
        guard let document = documents[name],
            document.live.stateVector[serverClientID] >= document.accepted[serverClientID]
        else { return }
        documents[name]?.serverWrites.isInFlight = false
        documents[name]?.serverWrites.acknowledgementsInFlight = []
        for acknowledgement in acknowledgements {
            acceptChat(acknowledgement)
        }
    }
}
