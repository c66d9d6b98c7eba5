import CRDT
import SyncProtocol

// Documents: step 1, updates, refusals, commits.
extension Room {
    /// Answers a client's state vector with what it lacks.
    mutating func answerStep1(_ stateVector: StateVector, to subscriber: Subscriber) {
        guard let document = documents[subscriber.document] else { return }
        guard
            specification.kind == .open
                || stateVector.clients.allSatisfy({ client, clock in
                    client >= Limits.reservedClients || clock <= document.live.clock(of: client)
                })
        else { return reset(subscriber) }
        let frame: [UInt8]?
        if subscriber.access == .delayedRead && document.shadow != nil {
            frame = difference(for: subscriber, since: stateVector).map(ServerFrame.syncStep2)
        } else {
            // In place, so that the answer is kept for the next who asks.
            frame = documents[subscriber.document]?.answer(toStep1: stateVector)
        }
        guard let frame else { return }
        actions.append(.send(subscriber.id, frame: frame))
    }

    /// What a socket may know of its document and lacks.
    func difference(for subscriber: Subscriber, since stateVector: StateVector) -> [UInt8]? {
        if subscriber.access == .delayedRead, let shadow = documents[subscriber.document]?.shadow {
            return shadow.document.encodeStateAsUpdate(since: stateVector)
        }
        return documents[subscriber.document]?.difference(since: stateVector)
    }

    /// The client holds text of the server that the log does not: history was lost. Anybody can say so, hence one
    /// alarm a loaded room.
    private mutating func reset(_ subscriber: Subscriber) {
        if !hasRaisedAlarm {
            hasRaisedAlarm = true
            actions.append(
                .alarm(
                    "room \(specification.id), document \(subscriber.document): a client is ahead of the server's writes"
                ))
        }
        subscribers[subscriber.id]?.quarantine = .epoch
        actions.append(
            .send(subscriber.id, frame: ServerFrame.permissionDenied(reason: WriteRefusal.epoch.reason)))
        actions.append(.close(subscriber.id, DoorRefusal(.reset, WriteRefusal.epoch.reason)))
    }

    /// Checks an update without changing anything and accepts it whole, or refuses it whole.
    mutating func receive(_ update: Update, isStep2: Bool, from subscriber: Subscriber, atMs: Int64) {
        switch acceptance(of: update, from: subscriber) {
        case .reader(let isKnown):
            guard isKnown else { return refuse(subscriber, .readOnly) }
            actions.append(isStep2 ? .acknowledged(subscriber.id, count: 1) : .refused(subscriber.id))
        case .known(let isOnDisk):
            // A step 2 that adds nothing is no write; an update sent again is told that it is known. What is known
            // and not on disk yet is told to this socket too when it is.
            if isOnDisk, !isStep2, subscriber.quarantine == nil {
                actions.append(.send(subscriber.id, frame: ServerFrame.update(update.bytes)))
            }
            answerRepeat(isStep2: isStep2, from: subscriber)
        case .refused(let refusal): refuse(subscriber, refusal)
        case .missing where isReadOnly, .taken where isReadOnly: suspend(subscriber)
        case .missing(let missing): ask(subscriber, for: missing, of: update, atMs: atMs)
        case .taken(let update, let ranges):
            accept(update, ranges, from: subscriber, atMs: atMs)
            if gaps[subscriber.id] != nil { closeGap(of: subscriber) }
        case nil: return
        }
    }

    enum Acceptance {
        /// Of a socket that may not write.
        case reader(isKnown: Bool)
        case known(isOnDisk: Bool)
        case refused(WriteRefusal)
        case missing([ClientID: UInt64])
        /// To be logged, with the clocks that are new.
        case taken(Update, [Update.ClientRange])
    }

    /// Judges an update and changes nothing. Apart from what follows, so that no copy of the document lives while the
    /// tables of the document change: they would be copied with every keystroke.
    func acceptance(of update: Update, from subscriber: Subscriber) -> Acceptance? {
        guard let document = documents[subscriber.document] else { return nil }
        guard subscriber.access == .write else {
            // What delayed readers cannot see yet must not be told apart by a refusal.
            let seen = subscriber.access == .delayedRead ? document.shadow?.document : document.live
            return .reader(isKnown: (seen ?? document.live).readiness(of: update) == .redundant)
        }
        let readiness = document.live.readiness(of: update, beyond: document.accepted)
        if readiness == .redundant {
            return .known(isOnDisk: document.live.readiness(of: update) == .redundant)
        }
        let ranges = document.live.newRanges(of: update, beyond: document.accepted)
        if let refusal = refusal(of: update, ranges, to: document, from: subscriber) {
            return .refused(refusal)
        }
        if case .missing(let missing) = readiness { return .missing(missing) }
        return .taken(document.withoutKnownStructs(update), ranges)
    }

    mutating func accept(
        _ update: Update, _ ranges: [Update.ClientRange], from subscriber: Subscriber, atMs: Int64
    ) {
        documents[subscriber.document]?.accept(update, ranges, from: subscriber.caller.userID)
        logBytes += update.byteCount
        log.add(
            .update, document: subscriber.document, author: subscriber.caller.userID, payload: update.bytes,
            update: update, note: nil, from: subscriber.id, atMs: atMs)
    }

    /// The client already told what this write says: it is saved when that is.
    private mutating func answerRepeat(isStep2: Bool, from subscriber: Subscriber) {
        guard isStep2 || subscriber.quarantine == nil else {
            return actions.append(.refused(subscriber.id))
        }
        guard !log.acknowledgeWithLast(subscriber.id) else { return }
        actions.append(.acknowledged(subscriber.id, count: 1))
    }

    private func refusal(
        of update: Update, _ ranges: [Update.ClientRange], to document: RoomDocument,
        from subscriber: Subscriber
    ) -> WriteRefusal? {
        if let quarantine = subscriber.quarantine { return quarantine }
        let limit = subscriber.editor == nil ? limits.updateBytes : limits.documentBytes
        guard update.byteCount <= limit else { return .tooLarge }
        let isOpen = specification.kind == .open
        let room = isOpen ? limits.openDocumentBytes : limits.documentBytes
        guard document.byteSize + RoomDocument.cost(of: update) <= room,
            logBytes + update.byteCount <= limits.logBytes,
            (document.shadow?.waitingBytes ?? 0) <= Limits.delayedBytes
        else { return .documentFull }
        guard !isOpen else { return nil }
        for range in ranges {
            guard range.client >= Limits.reservedClients || range.client == subscriber.editor else {
                return .foreignClient
            }
            if let owner = document.owners[range.client], owner != subscriber.caller.userID {
                return .foreignClient
            }
        }
        return nil
    }

    // MARK: Gaps

    /// An update that lacks its dependencies is not kept: the socket is asked for all the room lacks.
    private mutating func ask(
        _ subscriber: Subscriber, for missing: [ClientID: UInt64], of update: Update, atMs: Int64
    ) {
        var gap = gaps[subscriber.id] ?? Gap()
        gap.writes += 1
        for (client, clock) in missing { gap.raise(client, to: clock) }
        for range in update.ranges { gap.raise(range.client, to: range.to) }
        guard gap.dropped.count <= Limits.gapClients, let document = documents[subscriber.document] else {
            return refuse(subscriber, .gap)
        }
        gaps[subscriber.id] = gap
        nextGapCheckMs = min(nextGapCheckMs ?? .max, atMs + Limits.gapCheckMs)
        actions.append(
            .send(
                subscriber.id, frame: ServerFrame.syncStep1(stateVector: document.live.encodeStateVector())))
    }

    /// Whether all that a socket sent was taken; what it sent with a gap must have come again.
    mutating func closeGap(of subscriber: Subscriber) {
        guard let gap = gaps[subscriber.id], let document = documents[subscriber.document] else { return }
        let isClosed = gap.dropped.allSatisfy { client, clock in
            max(document.live.clock(of: client), document.accepted[client]) >= clock
        }
        guard isClosed else { return }
        gaps[subscriber.id] = nil
        // What was dropped came again with another write, and is saved with it.
        for _ in 0..<gap.writes { answerRepeat(isStep2: true, from: subscriber) }
    }

    /// Refuses sockets whose gap stayed.
    mutating func expireGaps(atMs: Int64) {
        guard let due = nextGapCheckMs else { return }
        guard due <= atMs else {
            // After a clock that was set back, not later than it would have been.
            nextGapCheckMs = min(due, atMs + Limits.gapCheckMs)
            return
        }
        for id in gaps.keys.sorted() {
            guard let subscriber = subscribers[id] else { continue }
            closeGap(of: subscriber)
            gaps[id]?.checks += 1
            if let gap = gaps[id], gap.checks > Limits.gapChecks { refuse(subscriber, .gap) }
        }
        nextGapCheckMs = gaps.isEmpty ? nil : atMs + Limits.gapCheckMs
    }

    /// Refuses a write: the socket is in quarantine from now on, and updates still flow to it.
    mutating func refuse(_ subscriber: Subscriber, _ refusal: WriteRefusal) {
        let reason = subscribers[subscriber.id]?.quarantine ?? refusal
        subscribers[subscriber.id]?.quarantine = reason
        gaps[subscriber.id] = nil
        actions.append(.send(subscriber.id, frame: ServerFrame.permissionDenied(reason: reason.reason)))
        actions.append(.refused(subscriber.id))
    }

    // MARK: Commit

    /// The batch handed out last is on disk: applies it and tells everyone.
    public mutating func committed(atMs: Int64) {
        hear(atMs)
        var hasStory = false
        var saved: [SubscriberID: Int] = [:]
        for entry in log.takeCommitted() {
            let before = documents[entry.record.document]?.live.work ?? 0
            apply(entry.record, entry.update, atMs: atMs)
            charge(entry, since: before)
            if entry.record.kind != .update { hasStory = true }
            for writer in entry.writers where subscribers[writer] != nil { saved[writer, default: 0] += 1 }
        }
        for (id, count) in saved.sorted(by: { $0.key < $1.key }) {
            actions.append(.acknowledged(id, count: count))
        }
        resumeWrites(atMs: atMs)
        finishServerWrites()
        finishWrites()
        retryWaitingForFile(atMs: atMs)
        retryCoverWaiters(atMs: atMs)
        if hasStory { writeState(atMs: atMs) }
    }

    private mutating func apply(_ record: LogRecord, _ update: Update?, atMs: Int64) {
        switch record.kind {
        case .update:
            guard let update else { return }
            applyUpdate(update, of: record, atMs: atMs)
        case .submission, .verdict, .battle:
            applyStory(record, atMs: atMs)
        case .lost: break
        }
        updatesSinceSnapshot(record)
    }

    private mutating func applyUpdate(_ update: Update, of record: LogRecord, atMs: Int64) {
        // In place: a copy of the document would copy its tables with every keystroke.
        documents[record.document]?.apply(update)
        documents[record.document]?.shadow?.add(record.payload, committedAtMs: record.committedAtMs)
        actions.append(
            .broadcast(document: record.document, tiers: .live, frame: ServerFrame.update(record.payload)))
    }

    /// Charges what applying an update took, beyond its own size, to who sent it.
    private mutating func charge(_ entry: PendingLog.Entry, since before: UInt64) {
        guard let writer = entry.writers.first, let work = documents[entry.record.document]?.live.work,
            work > before, let owed = subscribers[writer]?.work
        else { return }
        let sum = owed &+ (work - before)
        let isReported = sum >= Limits.workReport
        subscribers[writer]?.work = isReported ? 0 : sum
        if isReported { actions.append(.worked(writer, sum)) }
    }

    private mutating func updatesSinceSnapshot(_ record: LogRecord) {
        if record.sequence % Int64(Limits.snapshotEvery) == 0 { actions.append(.snapshotDue) }
    }

    // MARK: Delay

    /// Sends delayed readers what has become old enough.
    mutating func releaseDelayed(atMs: Int64) {
        for name in documents.keys.sorted() {
            while let entry = documents[name]?.shadow?.next(atMs: atMs) {
                switch entry {
                case .update(let update):
                    actions.append(
                        .broadcast(document: name, tiers: .delayed, frame: ServerFrame.update(update)))
                case .presence(let presence):
                    releasePresence(presence, of: name, atMs: atMs)
                }
            }
        }
    }

    /// The battle is over: delayed readers are brought level and read live from now on.
    mutating func endDelay() {
        var delayed: [String: [SubscriberID]] = [:]
        for subscriber in subscribers.values where subscriber.access == .delayedRead {
            delayed[subscriber.document, default: []].append(subscriber.id)
        }
        for name in documents.keys.sorted() {
            guard let shadow = documents[name]?.shadow, let document = documents[name] else { continue }
            let difference = document.live.encodeStateAsUpdate(since: shadow.document.stateVector)
            documents[name]?.shadow = nil
            guard let readers = delayed[name] else { continue }
            actions.append(.broadcast(document: name, tiers: .delayed, frame: ServerFrame.update(difference)))
            let writers = document.writersPresence
            if writers.count > 0 {
                actions.append(
                    .broadcast(
                        document: name, tiers: .delayed,
                        frame: ServerFrame.awareness(writers.encode(writers.clients))))
            }
            for id in readers {
                subscribers[id]?.access = .read
                actions.append(.move(id, to: .readers))
            }
        }
    }

    // MARK: Server-written documents

    /// Adds edits of the server to a document; they are planned together when the one before is on disk.
    mutating func write(_ edits: [PlannedEdit], to document: String) {
        documents[document]?.serverWrites.edits.append(contentsOf: edits)
        hasServerEdits = true
    }

    mutating func planServerWrites() {
        guard hasServerEdits else { return }
        hasServerEdits = false
        for name in documents.keys.sorted() {
            guard var writes = documents[name]?.serverWrites,
                !writes.edits.isEmpty || !writes.acknowledgements.isEmpty || chats[name]?.hasChanges == true
            else { continue }
            guard writes.sequenceInFlight == nil, let document = documents[name] else {
                // Their turn comes when the write before is on disk.
                hasServerEdits = true
                continue
            }
            let edits = withChatChanges(writes.edits, of: document)
            writes.edits = []
            defer { documents[name]?.serverWrites = writes }
            guard let bytes = document.live.plan(edits, as: serverClientID),
                let update = try? Update(decodingV1: bytes)
            else {
                // Nothing is left to change: what was asked for holds already.
                for acknowledgement in writes.acknowledgements { acceptChat(acknowledgement) }
                writes.acknowledgements = []
                finishChat(name)
                continue
            }
            let note = writes.notes.isEmpty ? nil : writes.notes.joined(separator: "\n")
            writes.acknowledgementsInFlight = writes.acknowledgements
            writes.acknowledgements = []
            writes.notes = []
            documents[name]?.accept(
                update, document.live.newRanges(of: update, beyond: document.accepted), from: "")
            log.add(
                .update, document: name, author: "", payload: bytes, update: update, note: note, atMs: clockMs
            )
            logBytes += bytes.count
            writes.sequenceInFlight = log.lastSequence
        }
    }

    private mutating func finishServerWrites() {
        for name in documents.keys.sorted() {
            guard let writes = documents[name]?.serverWrites, let sequence = writes.sequenceInFlight,
                sequence <= log.applied
            else { continue }
            documents[name]?.serverWrites.sequenceInFlight = nil
            documents[name]?.serverWrites.acknowledgementsInFlight = []
            for acknowledgement in writes.acknowledgementsInFlight { acceptChat(acknowledgement) }
            finishChat(name)
        }
    }
}
