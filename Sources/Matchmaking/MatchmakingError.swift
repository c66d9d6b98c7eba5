/// What matchmaking refuses, with a message for the caller.
public struct MatchmakingError: Error, Equatable {
    public enum Code: String, Sendable {
        /// No language, too many, or one that this installation does not know.
        case invalidLanguages = "invalid_languages"
        case invalidTopics = "invalid_topics"
        /// Guests play unrated.
        case ratedNeedsAccount = "rated_needs_account"
        /// The user has a waiting ticket of this mode: `ticketID`.
        case alreadyWaiting = "already_waiting"
        /// Too late to cancel.
        case alreadyMatched = "already_matched"
        /// No such ticket, or somebody else's.
        case ticketNotFound = "ticket_not_found"
        case poolFull = "pool_full"
        /// An outcome that names no two players, or a winner who did not play.
        case invalidOutcome = "invalid_outcome"
        /// The store failed; nothing is known to have changed.
        case unavailable
    }

    public let code: Code
    public let message: String
    public let ticketID: String?

    public init(_ code: Code, _ message: String, ticketID: String? = nil) {
        self.code = code
        self.message = message
        self.ticketID = ticketID
    }
}
