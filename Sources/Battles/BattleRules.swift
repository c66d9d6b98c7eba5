/// Bounds that hold for every battle, whatever its rules say.
public enum BattleLimits {
    public static let maximumPlayers = 16
    /// Any one duration of `BattleRules`: seven days.
    public static let maximumDurationMs: Int64 = 604_800_000
    /// Times are clamped to 0 … this, which leaves room to add any duration without overflow.
    public static let maximumTimeMs: Int64 = 1 << 62
    public static let maximumSubmissionsPerPlayer = 500
    /// Joins and leaves of one player that are announced; later ones only move `connected`.
    public static let maximumPresenceNoticesPerPlayer = 40
    /// Tests of one submission that are shown.
    public static let maximumTests = 1_000_000
    /// How often a decision may outlast `BattleRules.decidingTimeoutMs`: the first judging and one retry.
    public static let decidingAttempts: Int64 = 2
}

/// The clock of a battle. Durations are milliseconds and are clamped to 0 … `BattleLimits.maximumDurationMs`.
public struct BattleRules: Sendable, Equatable, Codable {
    /// From "both ready" to the start.
    public let countdownMs: Int64
    /// From creation to the countdown at the latest, ready or not.
    public let readyTimeoutMs: Int64
    /// From the start to the deadline.
    public let durationMs: Int64
    /// One attempt at judging what a decision waits for; it waits `BattleLimits.decidingAttempts` of them.
    public let decidingTimeoutMs: Int64
    /// Between two submissions of a player, counted from their receipt.
    public let submissionGapMs: Int64
    /// The gap doubles with every time limit exceeded in a row, up to this.
    public let maximumSubmissionGapMs: Int64
    /// What the judge may spend on one submission. The machine hands it on; the judge keeps it.
    public let judgingBudgetMs: Int64

    public init(
        countdownMs: Int64 = 3_000, readyTimeoutMs: Int64 = 10_000, durationMs: Int64 = 1_800_000,
        decidingTimeoutMs: Int64 = 60_000, submissionGapMs: Int64 = 5_000,
        maximumSubmissionGapMs: Int64 = 60_000, judgingBudgetMs: Int64 = 60_000
    ) {
        func clamped(_ duration: Int64) -> Int64 { min(max(duration, 0), BattleLimits.maximumDurationMs) }
        self.countdownMs = clamped(countdownMs)
        self.readyTimeoutMs = clamped(readyTimeoutMs)
        self.durationMs = clamped(durationMs)
        self.decidingTimeoutMs = clamped(decidingTimeoutMs)
        self.submissionGapMs = clamped(submissionGapMs)
        self.maximumSubmissionGapMs = clamped(maximumSubmissionGapMs)
        self.judgingBudgetMs = clamped(judgingBudgetMs)
    }

    /// A missing key means the default, so that rules written by an older version stay readable.
    public init(from decoder: any Decoder) throws {
        let defaults = BattleRules()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func duration(_ key: CodingKeys, _ fallback: Int64) throws -> Int64 {
            try values.decodeIfPresent(Int64.self, forKey: key) ?? fallback
        }
        self.init(
            countdownMs: try duration(.countdownMs, defaults.countdownMs),
            readyTimeoutMs: try duration(.readyTimeoutMs, defaults.readyTimeoutMs),
            durationMs: try duration(.durationMs, defaults.durationMs),
            decidingTimeoutMs: try duration(.decidingTimeoutMs, defaults.decidingTimeoutMs),
            submissionGapMs: try duration(.submissionGapMs, defaults.submissionGapMs),
            maximumSubmissionGapMs: try duration(.maximumSubmissionGapMs, defaults.maximumSubmissionGapMs),
            judgingBudgetMs: try duration(.judgingBudgetMs, defaults.judgingBudgetMs))
    }
}
