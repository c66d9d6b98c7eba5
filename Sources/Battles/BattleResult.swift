/// Why a battle was won.
public enum BattleWinReason: String, Sendable, Codable { case accepted, forfeit }

/// How a battle ended.
public enum BattleOutcome: Sendable, Equatable, Codable {
    case win(player: String, reason: BattleWinReason)
    /// The time ran out and no submission received by then was accepted.
    case draw
    /// Nobody came, or the only one who came gave up before the start.
    case aborted
}

/// The end of a battle; never changes once it stands.
public struct BattleResult: Sendable, Equatable, Codable {
    public let outcome: BattleOutcome
    public let finishedAtMs: Int64
    /// As the battle was created.
    public let rated: Bool
    /// A submission that could have decided otherwise was lost to our own fault: the outcome stands, a moderator
    /// should look.
    public let disputed: Bool
    /// No rating moves: disputed, aborted, or a draw against someone who never came.
    public let ratingFrozen: Bool
    /// The players as they stood at the end.
    public let players: [PlayerState]

    public var countsForRating: Bool { rated && !ratingFrozen }

    public var winner: String? {
        guard case .win(let player, _) = outcome else { return nil }
        return player
    }
}

/// What the room does after an event, in this order.
public enum BattleAction: Sendable, Equatable {
    /// Append to the `events` array of the `state` document.
    case announce(BattleNotice)
    /// Told once, last of all actions.
    case finished(BattleResult)
}

/// One entry of the `events` array of the `state` document.
public struct BattleNotice: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable {
        case joined, left, started, forfeited, finished
        /// A submission was received.
        case submissionStarted = "submission_started"
        case submissionFinished = "submission_finished"
    }

    public let kind: Kind
    public let atMs: Int64
    /// Whom it is about; the winner of `finished`, nil where there is none.
    public let player: String?
    public let submission: String?
    public let verdict: String?

    public init(
        kind: Kind, atMs: Int64, player: String? = nil, submission: String? = nil, verdict: String? = nil
    ) {
        self.kind = kind
        self.atMs = atMs
        self.player = player
        self.submission = submission
        self.verdict = verdict
    }
}

/// Why a submission is not taken.
public enum BattleRefusal: Sendable, Equatable {
    case notAPlayer
    case notStarted
    /// The deadline passed, the battle is being decided or finished, or the player gave up.
    case over
    /// Another submission of the player waits for its verdict.
    case unfinished(submission: String)
    case tooSoon(retryAfterMs: Int64)
    case tooMany

    /// For answers to clients.
    public var code: String {
        switch self {
        case .notAPlayer: "not_a_player"
        case .notStarted: "not_started"
        case .over: "battle_over"
        case .unfinished: "submission_unfinished"
        case .tooSoon: "too_soon"
        case .tooMany: "too_many_submissions"
        }
    }
}
