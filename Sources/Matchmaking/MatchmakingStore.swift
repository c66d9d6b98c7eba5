public enum MatchMode: String, Sendable, Codable { case duel, pair }

public enum TicketStatus: String, Sendable, Codable { case waiting, matched, cancelled, expired }

/// One wish to be matched.
public struct Ticket: Sendable, Equatable {
    public enum Watch: String, Sendable, Codable { case open, closed }

    public var id: String
    public var userID: String
    public var handle: String
    public var mode: MatchMode
    /// Languages the player accepts, best first; never empty.
    public var languages: [String]
    /// Empty: any topic.
    public var topics: [String]
    public var rated: Bool
    public var watch: Watch
    public var rating: Rating
    public var createdAtMs: Int64
    public var status: TicketStatus
    public var roomID: String?

    public init(
        id: String, userID: String, handle: String, mode: MatchMode, languages: [String], topics: [String],
        rated: Bool, watch: Watch, rating: Rating, createdAtMs: Int64, status: TicketStatus = .waiting,
        roomID: String? = nil
    ) {
        self.id = id
        self.userID = userID
        self.handle = handle
        self.mode = mode
        self.languages = languages
        self.topics = topics
        self.rated = rated
        self.watch = watch
        self.rating = rating
        self.createdAtMs = createdAtMs
        self.status = status
        self.roomID = roomID
    }
}

/// Keeps tickets and ratings. Every answer means "on disk".
public protocol MatchmakingStore: Sendable {
    func save(_ ticket: Ticket) async throws
    func ticket(_ id: String) async throws -> Ticket?
    func waitingTickets() async throws -> [Ticket]
    /// Marks both tickets of a match in one transaction; false (and no change) unless all were still waiting.
    func markMatched(_ ticketIDs: [String], roomID: String) async throws -> Bool
    /// Ends a ticket that still waits; false when it did not.
    func end(_ ticketID: String, as status: TicketStatus) async throws -> Bool

    func rating(of userID: String, mode: MatchMode) async throws -> Rating?
    /// Writes the new ratings of a settled battle once: false (and no change) when that battle was settled before.
    func settle(battleID: String, mode: MatchMode, ratings: [String: Rating]) async throws -> Bool
}
