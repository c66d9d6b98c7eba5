import Battles
import CRDT

/// Why a room could not be loaded. Nothing is ever written to a room whose load failed.
public struct RoomLoadError: Error, Equatable, Sendable {
    public enum Code: String, Sendable { case hole, corruptRecord, corruptSnapshot }

    public var code: Code
    public var sequence: Int64
    public var message: String
}

extension Room {
    /// Makes a room from its log; a room without history is new and writes its first file.
    ///
    /// The first actions tell what the crash or the unloading left open: submissions whose row may be missing,
    /// verdicts that may have been spoken, players whose sockets are gone.
    ///
    /// - Throws: `RoomLoadError` when a record is missing or cannot be read.
    public init(
        loading history: RoomHistory, of specification: RoomSpecification, atMs: Int64
    ) throws(RoomLoadError) {
        self.specification = specification
        story = RoomStory(specification)
        let snapshot = history.snapshot
        log = PendingLog(
            sequence: snapshot?.sequence ?? 0,
            committedAtMs: max(snapshot?.committedAtMs ?? 0, specification.createdAtMs))
        for name in specification.documentNames { documents[name] = RoomDocument(name: name) }
        try restore(snapshot)
        for record in history.story { _ = story.apply(record) }
        try replay(history.tail)
        try restoreShadows(history, atMs: atMs)
        recallNonces(history.notes)
        if let document = documents[DocumentName.state] { state = StateWriter(document: document.live) }
        resume(isNew: log.applied == 0, atMs: atMs)
    }

    private mutating func restore(_ snapshot: RoomSnapshot?) throws(RoomLoadError) {
        guard let snapshot else { return }
        snapshotSequence = snapshot.sequence
        for saved in snapshot.documents {
            guard documents[saved.name] != nil else { continue }
            do {
                try documents[saved.name]?.live.applyUpdate(saved.state)
            } catch {
                throw RoomLoadError(
                    code: .corruptSnapshot, sequence: snapshot.sequence,
                    message: "\(saved.name): \(error.message)")
            }
            documents[saved.name]?.owners = saved.owners
        }
    }

    private mutating func replay(_ tail: [LogRecord]) throws(RoomLoadError) {
        var expected = log.applied
        for record in tail {
            expected += 1
            guard record.sequence == expected else {
                throw RoomLoadError(code: .hole, sequence: expected, message: "the log lacks this record")
            }
            switch record.kind {
            case .update:
                let update = try Self.decode(record)
                guard var document = documents[record.document] else { continue }
                document.accept(
                    document.live.newRanges(of: update, beyond: nil), from: record.author)
                document.apply(update)
                documents[record.document] = document
            case .submission:
                _ = story.apply(record)
                if let received = RecordPayload.Received(record.payload) {
                    actions.append(.submissionTaken(taken(received, of: record, reply: .nobody)))
                    if !received.nonce.isEmpty {
                        chat.remember(
                            author: submitKey(received.userID), nonce: received.nonce, result: received.id,
                            atMs: record.committedAtMs)
                    }
                }
            case .verdict, .battle:
                _ = story.apply(record)
            }
        }
        log = PendingLog(
            sequence: expected, committedAtMs: max(log.lastCommittedAtMs, tail.last?.committedAtMs ?? 0))
    }

    private static func decode(_ record: LogRecord) throws(RoomLoadError) -> Update {
        do {
            return try Update(decodingV1: record.payload)
        } catch {
            throw RoomLoadError(code: .corruptRecord, sequence: record.sequence, message: error.message)
        }
    }

    /// Builds what delayed readers see: each document applied up to the newest record older than the delay.
    private mutating func restoreShadows(_ history: RoomHistory, atMs: Int64) throws(RoomLoadError) {
        guard specification.kind == .battle, !battleIsOver else { return }
        let delayMs: Int64? =
            switch specification.spectatorDelay {
            case .seconds(let seconds): Int64(seconds) * 1_000
            case .end: nil
            }
        for participant in specification.participants {
            let name = DocumentName.player(participant.userID)
            var shadow = Shadow(delayMs: delayMs)
            if delayMs != nil {
                for record in history.delayed + history.tail
                where record.document == name && record.kind == .update {
                    shadow.add(try Self.decode(record), committedAtMs: record.committedAtMs)
                }
                while shadow.next(atMs: atMs) != nil {}
            }
            documents[name]?.shadow = shadow
        }
    }

    private mutating func resume(isNew: Bool, atMs: Int64) {
        for (id, _) in story.unjudged { actions.append(.verdictMissing(submissionID: id)) }
        if let result = story.battle?.result { actions.append(.battleFinished(result)) }
        for player in story.battle?.players ?? [] where player.connected && !battleIsOver {
            log(.disconnected(player: player.id), atMs: atMs)
        }
        guard isNew, specification.kind != .open else { return writeState(atMs: atMs) }
        let names =
            specification.kind == .pair
            ? [(DocumentName.main, specification.language)]
            : specification.participants.map { (DocumentName.player($0.userID), $0.language) }
        for (name, language) in names {
            write([.setText(root: "files", key: RoomSpecification.fileName(of: language))], to: name)
        }
        writeState(atMs: atMs)
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
                    .init(name: name, state: $0.live.encodeStateAsUpdate(), owners: $0.owners)
                }
            })
    }
}
