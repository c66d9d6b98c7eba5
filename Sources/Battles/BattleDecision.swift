// The decision is a function of the submissions, their verdicts and the forfeits, all in log order.
extension Battle {
    /// What decides, as far as is known, and how many of the submissions came before it.
    private struct Decision {
        var outcome: BattleOutcome
        var submissionsBefore: Int
        var winner: String? {
            guard case .win(let player, _) = outcome else { return nil }
            return player
        }
    }

    /// Finishes the battle, or lets it wait for the submissions that could still change the outcome. O(submissions).
    mutating func decide(atMs: Int64) -> [BattleAction] {
        guard phase != .finished, let decision = earliestDecision() else { return [] }
        let earlier = submissions.prefix(decision.submissionsBefore).filter { $0.player != decision.winner }
        if earlier.contains(where: { $0.status == .pending }) {
            enterDeciding(atMs: atMs)
            return []
        }
        let disputed = earlier.contains { $0.status == .lost || $0.status == .overdue }
        return finish(decision.outcome, disputed: disputed, atMs: atMs)
    }

    mutating func enterDeciding(atMs: Int64) {
        guard phase != .deciding else { return }
        phase = .deciding
        decidingUntilMs = atMs + rules.decidingTimeoutMs * BattleLimits.decidingAttempts
    }

    /// An accepted submission comes before any forfeit that decides, because none is taken after one.
    private func earliestDecision() -> Decision? {
        if let place = submissions.firstIndex(where: { $0.status == .accepted }) {
            let outcome = BattleOutcome.win(player: submissions[place].player, reason: .accepted)
            return Decision(outcome: outcome, submissionsBefore: place)
        }
        if let outcome = outcomeByForfeit() {
            return Decision(outcome: outcome, submissionsBefore: submissions.count)
        }
        // Only the deadline leads here while the battle is being decided.
        return phase == .deciding ? Decision(outcome: .draw, submissionsBefore: submissions.count) : nil
    }

    /// Nil while several players are in.
    private func outcomeByForfeit() -> BattleOutcome? {
        let remaining = players.filter { !$0.forfeited }
        guard remaining.count < 2, remaining.count < players.count else { return nil }
        guard let winner = remaining.first, winner.everConnected else { return .aborted }
        return .win(player: winner.id, reason: .forfeit)
    }

    mutating func finish(_ outcome: BattleOutcome, disputed: Bool, atMs: Int64) -> [BattleAction] {
        phase = .finished
        let nothingToLearn =
            switch outcome {
            case .aborted: true
            case .draw: players.contains { !$0.everConnected }
            case .win: false
            }
        let result = BattleResult(
            outcome: outcome, finishedAtMs: atMs, rated: rated, disputed: disputed,
            ratingFrozen: disputed || nothingToLearn, players: players)
        self.result = result
        return [
            .announce(BattleNotice(kind: .finished, atMs: atMs, player: result.winner)), .finished(result),
        ]
    }
}
