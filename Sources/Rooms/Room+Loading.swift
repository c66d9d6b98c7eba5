import Battles
import CRDT

/// Why a room could not be loaded. Nothing is ever written to a room whose load failed.
public struct RoomLoadError: Error, Equatable, Sendable {
    public enum Code: String, Sendable { case hole, damaged, corruptRecord, corruptSnapshot }

    public var code: Code
    public var sequence: Int64
    public var message: String

    public init(code: Code, sequence: Int64, message: String) {
        self.code = code
        self.sequence = sequence
        self.message = message
    }
}

extension Room {
    /// Makes a room from its log; a room without history is new and writes its first file.
    ///
    /// The first actions tell what the crash or the unloading left open: submissions whose row may be missing,
    /// verdicts that may have been spoken, players whose sockets are gone.
    ///
    /// - Throws: `RoomLoadError` when a record is missing or cannot be read.
    public init(
        loading history: RoomHistory, of specification: RoomSpecification, limits: RoomLimits = .standard,
        ports: RoomPorts = .none, atMs: Int64
    ) throws(RoomLoadError) {
        if let damage = history.damage.first {
            throw RoomLoadError(code: .damaged, sequence: damage.sequence, message: damage.reason)
        }
        self.specification = specification
        self.limits = limits
        self.ports = ports
        logBytes = history.logBytes
        story = RoomStory(specification)
        let snapshot = history.snapshot
        if let snapshot,
            !Self.numbers.contains(snapshot.sequence) || !Self.numbers.contains(snapshot.committedAtMs)
        {
            throw RoomLoadError(
                code: .corruptSnapshot, sequence: 0, message: "its sequence or time is no such number")
        }
        log = PendingLog(
            sequence: snapshot?.sequence ?? 0,
            committedAtMs: max(snapshot?.committedAtMs ?? 0, specification.createdAtMs))
        for name in specification.documentNames { documents[name] = RoomDocument(name: name) }
        try restore(snapshot)
        var notices: [BattleNotice] = []
        for record in history.story { notices += try retell(record) }
        notices += try replay(history.tail)
        try restoreShadows(history, atMs: atMs)
        recallNonces(history.notes)
        recallModeration()
        clockMs = max(atMs, log.lastCommittedAtMs)
        if let document = documents[DocumentName.state] {
            state = StateWriter(document: document.live)
            // Of records whose notice was still on its way to disk.
            if let edit = state.edit(appending: notices.dropFirst(state.events)) {
                write([edit], to: DocumentName.state)
            }
        }
        resume(atMs: atMs)
    }

    /// Sequences and times that leave room to count on from them.
    static let numbers: ClosedRange<Int64> = 0...(1 << 62)

    private mutating func restore(_ snapshot: RoomSnapshot?) throws(RoomLoadError) {
        guard let snapshot else { return }
        snapshotSequence = snapshot.sequence
        for saved in snapshot.documents {
            guard documents[saved.name] != nil else { continue }
            do {
                // It was written by this server and may be more than one update from a client.
                try documents[saved.name]?.live.applyUpdate(saved.state, limits: .trusted)
            } catch {
                throw RoomLoadError(
                    code: .corruptSnapshot, sequence: snapshot.sequence,
                    message: "\(saved.name): \(error.message)")
            }
            guard documents[saved.name]?.live.hasPending != true else {
                throw RoomLoadError(
                    code: .corruptSnapshot, sequence: snapshot.sequence, message: "\(saved.name) is not whole"
                )
            }
            documents[saved.name]?.owners = saved.owners
        }
    }

    /// Applies what was written since the snapshot; gives the notices it told.
    private mutating func replay(_ tail: [LogRecord]) throws(RoomLoadError) -> [BattleNotice] {
        var expected = log.applied
        var notices: [BattleNotice] = []
        for record in tail {
            expected += 1
            guard record.sequence == expected else {
                throw RoomLoadError(code: .hole, sequence: expected, message: "the log lacks this record")
            }
            switch record.kind {
            case .update:
                try replayUpdate(record)
            case .submission, .verdict, .battle:
                notices += try retell(record)
                if let received = RecordPayload.Received(record.payload), record.kind == .submission {
                    actions.append(.submissionTaken(taken(received, of: record, reply: .nobody)))
                }
            case .lost: break
            }
        }
        log = PendingLog(
            sequence: expected, committedAtMs: max(log.lastCommittedAtMs, tail.last?.committedAtMs ?? 0))
        return notices
    }

    private mutating func replayUpdate(_ record: LogRecord) throws(RoomLoadError) {
        let update = try Self.decode(record)
        guard let live = documents[record.document]?.live else { return }
        documents[record.document]?.accept(update, live.newRanges(of: update), from: record.author)
        documents[record.document]?.apply(update)
        guard !live.hasPending else {
            throw RoomLoadError(
                code: .corruptRecord, sequence: record.sequence, message: "it lacks what it builds on")
        }
    }

    /// A record of the story; one that cannot be read would make another battle of it.
    private mutating func retell(_ record: LogRecord) throws(RoomLoadError) -> [BattleNotice] {
        guard RecordPayload.isReadable(record), Self.numbers.contains(record.committedAtMs) else {
            throw RoomLoadError(
                code: .corruptRecord, sequence: record.sequence, message: "its content cannot be read")
        }
        if record.kind == .submission, let received = RecordPayload.Received(record.payload),
            !received.nonce.isEmpty
        {
            chat.remember(
                author: submitKey(received.userID), nonce: received.nonce, result: received.id,
                atMs: record.committedAtMs)
        }
        return story.apply(record).notices
    }

    private static func decode(_ record: LogRecord) throws(RoomLoadError) -> Update {
        guard numbers.contains(record.committedAtMs) else {
            throw RoomLoadError(
                code: .corruptRecord, sequence: record.sequence, message: "its time is no such number")
        }
        do {
            return try Update(decodingV1: record.payload)
        } catch {
            throw RoomLoadError(code: .corruptRecord, sequence: record.sequence, message: error.message)
        }
    }

    /// Builds what delayed readers see: each document applied up to the newest record older than the delay.
    private mutating func restoreShadows(_ history: RoomHistory, atMs: Int64) throws(RoomLoadError) {
        guard specification.kind == .battle, !battleIsOver else { return }
        let delayMs = specification.spectatorDelay.milliseconds
        for participant in specification.participants {
            let name = DocumentName.player(participant.userID)
            guard delayMs != nil, try isWhole(name, history) else {
                documents[name]?.shadow = Shadow(delayMs: nil)
                continue
            }
            var shadow = Shadow(delayMs: delayMs)
            for record in history.delayed + history.tail
            where record.document == name && record.kind == .update {
                shadow.add(record.payload, committedAtMs: record.committedAtMs)
            }
            while shadow.next(atMs: atMs) != nil {}
            documents[name]?.shadow = shadow
        }
    }

    /// Whether the log has all that the document was made of. Where records were lost, it is not known what is old enough
    /// to be shown: watchers wait for the end then.
    private func isWhole(_ name: String, _ history: RoomHistory) throws(RoomLoadError) -> Bool {
        let whole = Document(clientID: serverClientID)
        for record in history.delayed + history.tail
        where record.document == name && record.kind == .update {
            whole.apply(try Self.decode(record))
        }
        guard let live = documents[name]?.live else { return false }
        return !whole.hasPending && whole.stateVector.clients == live.stateVector.clients
            && !(history.story + history.tail).contains { $0.kind == .lost }
    }

    private mutating func resume(atMs: Int64) {
        for (id, _) in story.unjudged { actions.append(.verdictMissing(submissionID: id)) }
        if let result = story.battle?.result { actions.append(.battleFinished(result)) }
        for player in story.battle?.players ?? [] where player.connected {
            log(.disconnected(player: player.id), atMs: atMs)
        }
        // New, or its first record was lost.
        for (name, language) in firstFiles where documents[name]?.live.clock(of: serverClientID) == 0 {
            write([.setText(root: "files", key: ports.fileName(of: language))], to: name)
        }
        writeState(atMs: atMs)
    }

    /// Documents that begin with a file, and its language.
    private var firstFiles: [(document: String, language: String)] {
        switch specification.kind {
        case .open, .hosted: []
        case .pair: [(DocumentName.main, specification.language)]
        case .battle: specification.participants.map { (DocumentName.player($0.userID), $0.language) }
        }
    }

    /// The documents that someone reads with a delay, and so are wanted from their beginning.
    public static func delayedDocuments(of specification: RoomSpecification) -> [String] {
        guard specification.kind == .battle, case .seconds = specification.spectatorDelay else { return [] }
        return specification.participants.map { DocumentName.player($0.userID) }
    }

    /// The state of all documents at `sequence`; nil while accepted submissions wait for their text.
    public func snapshot() -> RoomSnapshot? {
        guard submittersInFlight.isEmpty else { return nil }
        return RoomSnapshot(
            roomID: specification.id, sequence: log.applied, committedAtMs: log.lastCommittedAtMs,
            documents: documents.keys.sorted().compactMap { name in
                documents[name].map {
                    .init(name: name, state: $0.live.encodeStateAsUpdate(), owners: $0.committedOwners)
                }
            })
    }
}
