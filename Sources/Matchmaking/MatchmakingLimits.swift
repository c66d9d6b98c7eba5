/// Bounds of the pool and of what a ticket may ask for.
public enum MatchmakingLimits {
    /// Waiting tickets, all modes together. A tick over a full pool stays well under its interval.
    public static let maximumWaitingTickets = 2_000
    public static let maximumLanguagesPerTicket = 16
    public static let maximumTopicsPerTicket = 8
    /// Bytes of UTF-8.
    public static let maximumTopicLength = 64
    /// Rooms that are being created at the same time.
    public static let concurrentRooms = 8
    /// Candidates a ticket names on each side of its rating in one tick.
    public static let candidatesPerSide = 6
    /// Rounds in which the evaluator improves its first choice.
    public static let improvementRounds = 8
    /// How long tickets rest after their room could not be created.
    public static let retryAfterFailureMs: Int64 = 2_000
    /// Steps of the volatility search, and of finding its bracket.
    public static let volatilityIterations = 200
}
