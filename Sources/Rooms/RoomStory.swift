import Battles

/// What happened in a room apart from the documents, told by the log's records: the battle, or the submissions of
/// a pair room. The same records always give the same story.
struct RoomStory {
    struct Told {
        /// For the `events` array of the state document.
        var notices: [BattleNotice] = []
        var result: BattleResult?
    }

    /// Progress of one member of a pair room.
    struct Member: Equatable {
        var submissions = 0
        var testsPassed = 0
        var testsTotal = 0
        var finishedAtMs: Int64?
    }

    private(set) var battle: Battle?
    private(set) var members: [String: Member] = [:]
    /// Submissions received and not judged, oldest first, with who sent them.
    private(set) var unjudged: [(id: String, userID: String)] = []

    init(_ specification: RoomSpecification) {
        guard specification.kind == .battle else { return }
        battle = Battle(
            players: specification.participants.map {
                BattlePlayer(id: $0.userID, handle: $0.handle, language: $0.language)
            }, rules: specification.rules, createdAtMs: specification.createdAtMs, rated: specification.rated)
    }

    mutating func apply(_ record: LogRecord) -> Told {
        var told = Told()
        switch record.kind {
        case .update, .lost: break
        case .submission:
            guard let received = RecordPayload.Received(record.payload) else { break }
            unjudged.append((received.id, received.userID))
            told = receive(received, atMs: record.committedAtMs)
        case .verdict:
            guard let judged = RecordPayload.Judged(record.payload),
                let index = unjudged.firstIndex(where: { $0.id == judged.id })
            else { break }
            let userID = unjudged.remove(at: index).userID
            told = judge(judged, of: userID, atMs: record.committedAtMs)
        case .battle:
            guard let event = RecordPayload.battleEvent(record.payload) else { break }
            told = tell(event, atMs: record.committedAtMs)
        }
        return told
    }

    /// Progress of judging: shown, never logged, decides nothing.
    mutating func progress(id: String, testsPassed: Int, testsTotal: Int) {
        if battle != nil {
            // At a time long past, so that the battle's clock stands: only what is logged moves it.
            _ = battle?.apply(.progress(id: id, testsPassed: testsPassed, testsTotal: testsTotal), atMs: 0)
        } else if let userID = unjudged.last(where: { $0.id == id })?.userID {
            members[userID, default: Member()].testsPassed = testsPassed
            members[userID, default: Member()].testsTotal = testsTotal
        }
    }

    private mutating func receive(_ received: RecordPayload.Received, atMs: Int64) -> Told {
        if battle != nil {
            return tell(.submissionReceived(id: received.id, player: received.userID), atMs: atMs)
        }
        members[received.userID, default: Member()].submissions += 1
        members[received.userID, default: Member()].testsPassed = 0
        return Told(notices: [
            BattleNotice(
                kind: .submissionStarted, atMs: atMs, player: received.userID, submission: received.id)
        ])
    }

    private mutating func judge(_ judged: RecordPayload.Judged, of userID: String, atMs: Int64) -> Told {
        if battle != nil {
            return tell(
                .judged(
                    id: judged.id, verdict: judged.verdict, testsPassed: judged.testsPassed,
                    testsTotal: judged.testsTotal), atMs: atMs)
        }
        var member = members[userID, default: Member()]
        member.testsPassed = judged.testsPassed
        member.testsTotal = judged.testsTotal
        if judged.verdict == "AC" && member.finishedAtMs == nil { member.finishedAtMs = atMs }
        members[userID] = member
        return Told(notices: [
            BattleNotice(
                kind: .submissionFinished, atMs: atMs, player: userID, submission: judged.id,
                verdict: judged.verdict)
        ])
    }

    private mutating func tell(_ event: BattleEvent, atMs: Int64) -> Told {
        var told = Told()
        for action in battle?.apply(event, atMs: atMs) ?? [] {
            switch action {
            case .announce(let notice): told.notices.append(notice)
            case .finished(let result): told.result = result
            }
        }
        return told
    }
}
