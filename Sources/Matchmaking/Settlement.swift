/// What a battle of two means for ratings.
public struct MatchOutcome: Sendable, Equatable {
    /// Two distinct users.
    public var players: [String]
    /// Nil: a draw.
    public var winner: String?
    /// False for unrated rooms and frozen ratings: nothing is written.
    public var rated: Bool
    /// Guests have no rating; a battle with one moves nobody's.
    public var guests: Set<String>

    public init(players: [String], winner: String?, rated: Bool, guests: Set<String> = []) {
        self.players = players
        self.winner = winner
        self.rated = rated
        self.guests = guests
    }
}

/// What settling a battle did.
public enum Settlement: Sendable, Equatable {
    public struct Change: Sendable, Equatable {
        public var userID: String
        public var before: Rating
        public var after: Rating
    }

    case rated([Change])
    /// The ratings of this battle were written before; nothing changed.
    case alreadySettled
    case unrated
}

/// Settles battles one after the other: a rating is read, computed and written without another settlement of the
/// same user in between.
actor SettlementQueue {
    private let store: any MatchmakingStore
    private let glicko: Glicko2
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(store: any MatchmakingStore, glicko: Glicko2) {
        self.store = store
        self.glicko = glicko
    }

    func settle(
        battleID: String, mode: MatchMode, outcome: MatchOutcome, atMs: Int64
    ) async throws(MatchmakingError) -> Settlement {
        let players = outcome.players
        guard let first = players.first, let second = players.last, players.count == 2, first != second,
            outcome.winner.map(players.contains) ?? true
        else {
            throw MatchmakingError(.invalidOutcome, "An outcome has two players, and a winner among them.")
        }
        guard outcome.rated, outcome.guests.isDisjoint(with: players) else { return .unrated }
        await begin()
        defer { end() }
        do {
            let a = try await store.rating(of: first, mode: mode) ?? .initial
            let b = try await store.rating(of: second, mode: mode) ?? .initial
            let score = outcome.winner.map { $0 == first ? 1.0 : 0.0 } ?? 0.5
            let (newA, newB) = glicko.rate(a, against: b, scoreOfFirst: score, atMs: atMs)
            guard
                try await store.settle(battleID: battleID, mode: mode, ratings: [first: newA, second: newB])
            else { return .alreadySettled }
            return .rated([
                Settlement.Change(userID: first, before: a, after: newA),
                Settlement.Change(userID: second, before: b, after: newB),
            ])
        } catch {
            throw MatchmakingError(.unavailable, "The ratings could not be written; try again.")
        }
    }

    private func begin() async {
        if !isBusy {
            isBusy = true
            return
        }
        // Bounded by the battles that finish at the same time.
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Hands the turn to the next in line, so that nobody overtakes.
    private func end() {
        if waiting.isEmpty {
            isBusy = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}
