import Battles
import CRDT

// The story of a room and its `state` document.
extension Room {
    /// Logs an event of the battle; it is applied when it is on disk.
    mutating func log(_ event: BattleEvent, atMs: Int64) {
        guard let payload = RecordPayload.bytes(of: event) else { return }
        log.add(.battle, document: "", author: "", payload: payload, update: nil, note: nil, atMs: atMs)
    }

    /// A player gives up.
    public mutating func forfeit(_ userID: String, atMs: Int64) {
        hear(atMs)
        guard let battle = story.battle, battle.phase != .finished,
            battle.players.contains(where: { $0.id == userID && !$0.forfeited })
        else { return }
        log(.forfeited(player: userID), atMs: atMs)
    }

    /// The judge's last word on a submission. Told twice, it counts once.
    public mutating func judged(
        submissionID: String, verdict: String, testsPassed: Int, testsTotal: Int, atMs: Int64
    ) {
        guard story.unjudged.contains(where: { $0.id == submissionID }),
            !verdictsInFlight.contains(submissionID)
        else { return }
        hear(atMs)
        verdictsInFlight.insert(submissionID)
        let judged = RecordPayload.Judged(
            id: submissionID, verdict: verdict, testsPassed: testsPassed, testsTotal: testsTotal)
        log.add(
            .verdict, document: "", author: "", payload: judged.payload, update: nil, note: nil, atMs: atMs)
    }

    public mutating func progress(submissionID: String, testsPassed: Int, testsTotal: Int, atMs: Int64) {
        hear(atMs)
        story.progress(id: submissionID, testsPassed: testsPassed, testsTotal: testsTotal)
        writeState(atMs: atMs)
    }

    mutating func applyStory(_ record: LogRecord, atMs: Int64) {
        let wasOver = battleIsOver
        let told = story.apply(record)
        switch record.kind {
        case .battle:
            if RecordPayload.battleEvent(record.payload) == .timePassed { timeEventInFlight = false }
        case .verdict:
            if let judged = RecordPayload.Judged(record.payload) { verdictsInFlight.remove(judged.id) }
        case .submission: takeSubmission(record)
        case .update, .lost: break
        }
        if let edit = state.edit(appending: told.notices) { write([edit], to: DocumentName.state) }
        if let result = told.result { actions.append(.battleFinished(result)) }
        if battleIsOver && !wasOver { endDelay() }
    }

    /// Writes what changed into the state document.
    mutating func writeState(atMs: Int64) {
        // While the disk is full, nothing piles up: what is then is written when there is space.
        guard !specification.isBare, !isReadOnly else { return }
        let edits = state.edits(room: roomFields, players: playerFields)
        if !edits.isEmpty { write(edits, to: DocumentName.state) }
    }

    private var roomFields: [(String, Value)] {
        let battle = story.battle
        func optional(_ text: String?) -> Value { text.map(Value.string) ?? .null }
        return [
            ("kind", .string(specification.kind.rawValue)), ("phase", .string(phase.rawValue)),
            ("problem_id", optional(specification.problemID)),
            ("started_at", optional((battle?.startedAtMs).map(timestamp))),
            ("deadline", optional((battle?.deadlineMs).map(timestamp))),
            ("winner", optional(battle?.winner)),
            ("disputed", .bool(battle?.disputed ?? false)),
            ("spectators", .integer(attendance.writtenSpectators)),
        ]
    }

    private var playerFields: [(String, Value)] {
        if let battle = story.battle {
            return battle.players.map { player in
                (
                    player.id,
                    field(
                        handle: player.handle, language: player.language,
                        RoomStory.Member(
                            submissions: player.submissions, testsPassed: player.testsPassed,
                            testsTotal: player.testsTotal, finishedAtMs: player.finishedAtMs),
                        connected: player.connected)
                )
            }
        }
        return specification.participants.map { participant in
            (
                participant.userID,
                field(
                    handle: participant.handle, language: participant.language,
                    story.members[participant.userID] ?? RoomStory.Member(),
                    connected: attendance.participants[participant.userID] != nil)
            )
        }
    }

    private func field(
        handle: String, language: String, _ member: RoomStory.Member, connected: Bool
    ) -> Value {
        .object([
            ("handle", .string(handle)), ("language", .string(language)),
            ("submissions", .integer(member.submissions)), ("tests_passed", .integer(member.testsPassed)),
            ("tests_total", .integer(member.testsTotal)),
            ("finished_at", member.finishedAtMs.map { .string(timestamp($0)) } ?? .null),
            ("connected", .bool(connected)),
        ])
    }

    // MARK: Attendance

    /// Counts a socket that came or went; the first and the last of a player are events of the battle.
    mutating func attend(_ subscriber: Subscriber, isJoining: Bool, atMs: Int64) {
        guard !specification.isBare else { return }
        let caller = subscriber.caller
        guard subscriber.isParticipant else {
            attendance.watcher(caller.userID.isEmpty ? caller.sessionID : caller.userID, isJoining: isJoining)
            writeAttendance(atMs: atMs)
            return
        }
        let count = attendance.participant(caller.userID, isJoining: isJoining)
        if specification.kind == .pair {
            writeState(atMs: atMs)
        } else if isJoining && count == 1 {
            log(.connected(player: caller.userID), atMs: atMs)
        } else if !isJoining && count == 0 {
            log(.disconnected(player: caller.userID), atMs: atMs)
        }
    }

    mutating func writeAttendance(atMs: Int64) {
        if attendance.writesCount(atMs: atMs) { writeState(atMs: atMs) }
    }
}
