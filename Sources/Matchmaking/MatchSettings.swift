/// What an installation may tune.
public struct MatchSettings: Sendable, Equatable {
    /// Ids of the languages that a ticket may name.
    public var languages: Set<String>
    public var tickMs: Int64
    /// A ticket that waited this long expires.
    public var ticketLifetimeMs: Int64
    public var widening: MatchFunction.Widening

    public init(
        languages: Set<String>, tickMs: Int64 = 500, ticketLifetimeMs: Int64 = 600_000,
        widening: MatchFunction.Widening = .init()
    ) {
        self.languages = languages
        self.tickMs = max(tickMs, 10)
        self.ticketLifetimeMs = max(ticketLifetimeMs, 1_000)
        self.widening = widening
    }
}

/// What the director asks of the world around it.
public struct MatchPorts: Sendable {
    /// Creates the room of a match and answers its id when the room is on disk.
    public var createRoom: @Sendable (ProposedMatch) async throws -> String
    /// The room of a match that did not come about: one of the two cancelled meanwhile. Best effort; a room that is
    /// forgotten here ends by itself, because nobody comes.
    public var discardRoom: @Sendable (_ roomID: String) async -> Void
    /// Both tickets are matched, on disk. Told at least once unless the process ends between: the ticket's answer
    /// has the room too.
    public var onMatched: @Sendable (ProposedMatch, _ roomID: String) async -> Void
    public var onExpired: @Sendable (Ticket) async -> Void
    /// What a tick did, for whoever counts.
    public var onTick: @Sendable (MatchTickReport) -> Void
    /// Milliseconds since 1970.
    public var now: @Sendable () -> Int64
    public var newTicketID: @Sendable () -> String
    /// Sleeps that many milliseconds; throws when the task is cancelled.
    public var pause: @Sendable (Int64) async throws -> Void

    public init(
        createRoom: @escaping @Sendable (ProposedMatch) async throws -> String,
        discardRoom: @escaping @Sendable (String) async -> Void = { _ in },
        onMatched: @escaping @Sendable (ProposedMatch, String) async -> Void,
        onExpired: @escaping @Sendable (Ticket) async -> Void = { _ in },
        onTick: @escaping @Sendable (MatchTickReport) -> Void = { _ in },
        now: @escaping @Sendable () -> Int64, newTicketID: @escaping @Sendable () -> String,
        pause: @escaping @Sendable (Int64) async throws -> Void
    ) {
        self.createRoom = createRoom
        self.discardRoom = discardRoom
        self.onMatched = onMatched
        self.onExpired = onExpired
        self.onTick = onTick
        self.now = now
        self.newTicketID = newTicketID
        self.pause = pause
    }
}

/// What one tick did.
public struct MatchTickReport: Sendable, Equatable {
    public var waiting = 0
    public var expired = 0
    public var proposed = 0
    public var matched = 0
    /// Matches that did not come about: the room failed, or a ticket ended meanwhile.
    public var missed = 0
}
