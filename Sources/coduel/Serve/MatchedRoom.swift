import Battles
import Identity
import Matchmaking
import Problems
import Rooms

/// The room of a match.
enum MatchedRoom {
    /// Delay of a rated battle that both players agreed to show, seconds.
    static let openDelaySeconds = 15

    struct NoProblem: Error {}

    static func specification(
        of match: ProposedMatch, settings: ServeSettings, catalogue: ProblemCatalogue,
        environment: IdentityEnvironment
    ) async throws -> RoomSpecification {
        let random = environment.randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard
            let problemID = try await catalogue.pick(
                topics: match.topics, nearDifficulty: difficulty(forRating: match.meanRating), excluding: [],
                random: random)
        else { throw NoProblem() }
        let participants = match.tickets.map {
            Participant(userID: $0.userID, handle: $0.handle, language: match.language)
        }
        let delay: SpectatorDelay =
            if !match.rated {
                .seconds(settings.casualSpectatorDelaySeconds)
            } else if match.watch == .open {
                .seconds(openDelaySeconds)
            } else {
                .end
            }
        return RoomSpecification(
            id: environment.newID(), kind: match.mode == .duel ? .battle : .pair,
            visibility: match.mode == .duel ? .public : .private, ownerID: match.first.userID,
            problemID: problemID, language: match.language, participants: participants, rated: match.rated,
            spectatorDelay: delay,
            rules: BattleRules(durationMs: Int64(settings.battleDurationSeconds) * 1_000),
            createdAtMs: environment.now())
    }

    /// 1500 meets problems of difficulty 4; 200 points are one step.
    static func difficulty(forRating rating: Double) -> Int {
        Int(min(10, max(1, ((rating - 700) / 200).rounded())))
    }
}
