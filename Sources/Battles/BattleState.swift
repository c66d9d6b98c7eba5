public enum BattlePhase: String, Sendable, Codable {
    /// Until every player has a socket open, or the ready timeout.
    case waiting
    /// Editors are open, submissions are not taken yet.
    case countdown
    case running
    /// No submission is taken any more; the outcome waits for verdicts of earlier ones.
    case deciding
    case finished
}

/// One player as everyone who may see the room sees them.
public struct PlayerState: Sendable, Equatable, Codable {
    public let id: String
    public let handle: String
    public let language: String
    /// Submissions taken.
    public internal(set) var submissions = 0
    /// Of the latest submission.
    public internal(set) var testsPassed = 0
    public internal(set) var testsTotal = 0
    /// When the player's first accepted submission was received.
    public internal(set) var finishedAtMs: Int64?
    public internal(set) var connected = false
    public internal(set) var everConnected = false
    public internal(set) var forfeited = false

    /// When the next submission may come, and by how much that grows.
    var nextSubmissionAtMs: Int64 = 0
    var submissionGapMs: Int64
    var presenceNotices = 0

    init(_ player: BattlePlayer, rules: BattleRules) {
        id = player.id
        handle = player.handle
        language = player.language
        submissionGapMs = rules.submissionGapMs
    }
}

/// A submission as the battle knows it.
public struct BattleSubmission: Sendable, Equatable, Codable {
    public enum Status: String, Sendable, Codable {
        case pending
        /// The decision no longer waits for it.
        case overdue
        case accepted, rejected
        /// The judge gave up on it: our own fault.
        case lost
    }

    public let id: String
    public let player: String
    public let receivedAtMs: Int64
    public internal(set) var status = Status.pending
    public internal(set) var verdict: String?

    public var isUnfinished: Bool { status == .pending || status == .overdue }
}
