/// One battle: a state machine over logged events.
///
/// It knows no clock. Times are milliseconds since 1970 and never fall: an event older than its predecessor counts
/// as simultaneous. Whatever became due before an event happens before it, so a late `timePassed` changes nothing.
/// The same events with the same times give the same battle.
///
/// **Who wins.** The earliest entry of the log that decides: an accepted submission (its player wins) or a forfeit
/// that leaves one player (who wins). The order of verdicts plays no part: while an earlier submission of somebody
/// else has no verdict, the battle is `deciding`. Received at the deadline is in time. Nothing decisive by then is a
/// draw. A decision waits `decidingTimeoutMs` × `BattleLimits.decidingAttempts` at most; what has no verdict then,
/// or `JE`, no longer holds the decision up, but the result is disputed and no rating moves.
///
/// **Absence** costs nothing by itself: who is away may return until the deadline. When nobody came before the ready
/// timeout the battle is aborted; when some came, it starts without the others.
public struct Battle: Sendable, Equatable, Codable {
    public let rules: BattleRules
    public let rated: Bool
    public let createdAtMs: Int64
    public internal(set) var phase = BattlePhase.waiting
    /// Known from the countdown on.
    public internal(set) var startedAtMs: Int64?
    /// Last millisecond at which a submission counts; known from the countdown on.
    public internal(set) var deadlineMs: Int64?
    public internal(set) var players: [PlayerState]
    /// In the order of their receipt.
    public internal(set) var submissions: [BattleSubmission] = []
    public internal(set) var result: BattleResult?

    var decidingUntilMs: Int64?
    var clockMs: Int64

    /// - Parameter players: at most `BattleLimits.maximumPlayers`; a second one with the same id is left out.
    public init(players: [BattlePlayer], rules: BattleRules, createdAtMs: Int64, rated: Bool) {
        self.rules = rules
        self.rated = rated
        self.createdAtMs = Self.clamped(createdAtMs)
        clockMs = self.createdAtMs
        self.players = []
        for player in players where !self.players.contains(where: { $0.id == player.id }) {
            guard self.players.count < BattleLimits.maximumPlayers else { break }
            self.players.append(PlayerState(player, rules: rules))
        }
    }

    public var winner: String? { result?.winner }
    public var disputed: Bool { result?.disputed ?? false }
    public var ratingFrozen: Bool { result?.ratingFrozen ?? false }

    /// Submissions without a verdict, oldest first.
    public var pendingSubmissions: [String] { submissions.filter(\.isUnfinished).map(\.id) }

    /// Nil when no event took this submission into the battle. O(submissions).
    public func submission(_ id: String) -> BattleSubmission? { submissions.last { $0.id == id } }

    /// The millisecond at which `timePassed` is due; nil once finished.
    public var nextDeadlineMs: Int64? {
        switch phase {
        case .waiting: createdAtMs + rules.readyTimeoutMs
        case .countdown: startedAtMs
        case .running: deadlineMs.map { $0 + 1 }
        case .deciding: decidingUntilMs
        case .finished: nil
        }
    }

    /// Why a submission received now would be left out, nil when it would be taken. O(submissions).
    ///
    /// A room that commits events before applying them asks again after `apply`: `submission(_:)` tells whether the
    /// event was taken.
    public func refusalOfSubmission(by player: String, atMs: Int64) -> BattleRefusal? {
        var later = self
        _ = later.advance(toMs: atMs)
        return later.currentRefusal(of: player)
    }

    /// Applies one event. Total: what does not fit (unknown player or submission, wrong phase, a submission that
    /// `refusalOfSubmission` would refuse) changes nothing but the clock. O(submissions).
    public mutating func apply(_ event: BattleEvent, atMs: Int64) -> [BattleAction] {
        var actions = advance(toMs: atMs)
        switch event {
        case .connected(let player): actions += setConnected(true, player: player)
        case .disconnected(let player): actions += setConnected(false, player: player)
        case .submissionReceived(let id, let player): actions += receive(id: id, player: player)
        case .submissionStarted(let id): showProgress(id: id, passed: 0, total: nil)
        case .progress(let id, let passed, let total): showProgress(id: id, passed: passed, total: total)
        case .judged(let id, let verdict, let passed, let total):
            showProgress(id: id, passed: passed, total: total)
            actions += judge(id: id, verdict: verdict)
        case .forfeited(let player): actions += forfeit(player: player)
        case .timePassed: break
        }
        return actions
    }

    static func clamped(_ timeMs: Int64) -> Int64 { min(max(timeMs, 0), BattleLimits.maximumTimeMs) }
}

// MARK: - Time

extension Battle {
    /// Moves the clock and lets happen, in order, all that is due. Ends: every step leads to a later phase.
    private mutating func advance(toMs atMs: Int64) -> [BattleAction] {
        clockMs = max(clockMs, Self.clamped(atMs))
        var actions: [BattleAction] = []
        while let dueMs = nextDeadlineMs, dueMs <= clockMs {
            switch phase {
            case .waiting:
                if players.contains(where: \.everConnected) {
                    startCountdown(atMs: dueMs)
                } else {
                    actions += finish(.aborted, disputed: false, atMs: dueMs)
                }
            case .countdown:
                phase = .running
                actions.append(.announce(BattleNotice(kind: .started, atMs: dueMs)))
            case .running:
                enterDeciding(atMs: dueMs)
                actions += decide(atMs: dueMs)
            case .deciding:
                for index in submissions.indices where submissions[index].status == .pending {
                    submissions[index].status = .overdue
                }
                actions += decide(atMs: dueMs)
            case .finished: return actions
            }
        }
        return actions
    }

    private mutating func startCountdown(atMs: Int64) {
        phase = .countdown
        startedAtMs = atMs + rules.countdownMs
        deadlineMs = atMs + rules.countdownMs + rules.durationMs
    }
}

// MARK: - Events

extension Battle {
    private func index(ofPlayer id: String) -> Int? { players.firstIndex { $0.id == id } }

    private mutating func setConnected(_ connected: Bool, player: String) -> [BattleAction] {
        guard let index = index(ofPlayer: player), players[index].connected != connected else { return [] }
        players[index].connected = connected
        if connected { players[index].everConnected = true }
        if phase == .waiting, players.allSatisfy(\.connected) { startCountdown(atMs: clockMs) }
        guard phase != .finished,
            players[index].presenceNotices < BattleLimits.maximumPresenceNoticesPerPlayer
        else { return [] }
        players[index].presenceNotices += 1
        return [.announce(BattleNotice(kind: connected ? .joined : .left, atMs: clockMs, player: player))]
    }

    private func currentRefusal(of player: String) -> BattleRefusal? {
        guard let state = players.first(where: { $0.id == player }) else { return .notAPlayer }
        switch phase {
        case .waiting, .countdown: return .notStarted
        case .deciding, .finished: return .over
        case .running: break
        }
        if state.forfeited { return .over }
        if let unfinished = submissions.last(where: { $0.player == player && $0.isUnfinished }) {
            return .unfinished(submission: unfinished.id)
        }
        if state.submissions >= BattleLimits.maximumSubmissionsPerPlayer { return .tooMany }
        if clockMs < state.nextSubmissionAtMs {
            return .tooSoon(retryAfterMs: state.nextSubmissionAtMs - clockMs)
        }
        return nil
    }

    private mutating func receive(id: String, player: String) -> [BattleAction] {
        guard let index = index(ofPlayer: player), currentRefusal(of: player) == nil, submission(id) == nil
        else { return [] }
        submissions.append(BattleSubmission(id: id, player: player, receivedAtMs: clockMs))
        players[index].submissions += 1
        players[index].testsPassed = 0
        players[index].nextSubmissionAtMs = clockMs + players[index].submissionGapMs
        return [
            .announce(BattleNotice(kind: .submissionStarted, atMs: clockMs, player: player, submission: id))
        ]
    }

    private mutating func showProgress(id: String, passed: Int, total: Int?) {
        guard let submission = submission(id), submission.isUnfinished,
            let index = index(ofPlayer: submission.player)
        else { return }
        if let total { players[index].testsTotal = min(max(total, 0), BattleLimits.maximumTests) }
        players[index].testsPassed = min(max(passed, 0), players[index].testsTotal)
    }

    /// A verdict is shown at once, also after the end; what it means for the outcome is `decide`'s to say.
    private mutating func judge(id: String, verdict: String) -> [BattleAction] {
        guard let place = submissions.lastIndex(where: { $0.id == id && $0.isUnfinished }),
            let index = index(ofPlayer: submissions[place].player)
        else { return [] }
        let submission = submissions[place]
        submissions[place].verdict = verdict
        switch verdict {
        case "AC":
            submissions[place].status = .accepted
            if players[index].finishedAtMs == nil { players[index].finishedAtMs = submission.receivedAtMs }
        case "JE":
            // Not the player's fault: the next one may come at once.
            submissions[place].status = .lost
            players[index].nextSubmissionAtMs = clockMs
        case "TLE":
            submissions[place].status = .rejected
            let gapMs = min(players[index].submissionGapMs * 2, rules.maximumSubmissionGapMs)
            players[index].submissionGapMs = max(gapMs, rules.submissionGapMs)
            players[index].nextSubmissionAtMs = submission.receivedAtMs + players[index].submissionGapMs
        default:
            submissions[place].status = .rejected
            players[index].submissionGapMs = rules.submissionGapMs
        }
        let notice = BattleNotice(
            kind: .submissionFinished, atMs: clockMs, player: submission.player, submission: id,
            verdict: verdict)
        return [.announce(notice)] + decide(atMs: clockMs)
    }

    /// Giving up takes its place in the log: an own submission received before it still wins when it is accepted,
    /// however long its judging takes. Once the battle is being decided it is too late to give up.
    private mutating func forfeit(player: String) -> [BattleAction] {
        guard let index = index(ofPlayer: player), !players[index].forfeited,
            phase != .deciding, phase != .finished
        else { return [] }
        players[index].forfeited = true
        return [.announce(BattleNotice(kind: .forfeited, atMs: clockMs, player: player))]
            + decide(atMs: clockMs)
    }
}
