import Battles
import Gateway
import Identity
import Logging
import Matchmaking
import Rooms
import Synchronization

/// What the end of a battle means outside its room: ratings, written once, and news for the players.
struct BattleSettlement: Sendable {
    let identity: IdentityService
    let director: MatchDirector
    let rooms: any RoomStore
    let events: UserEvents
    let metrics: Metrics
    let logger: Logger

    /// Told at least once a battle; the rating store makes it once.
    func settle(_ room: RoomSpecification, _ result: BattleResult) async {
        let players = room.participants.map(\.userID)
        do {
            let accounts = try await identity.accounts(ids: players)
            let guests = Set(accounts.values.filter(\.isGuest).map(\.id))
            let settlement = try await director.settle(
                battleID: room.id, mode: .duel,
                outcome: MatchOutcome(
                    players: players, winner: result.winner, rated: result.countsForRating, guests: guests))
            // A room that is loaded again tells its result again; it is news once.
            guard try await rooms.markSettled(room.id) else { return }
            metrics.add(.battlesFinished, labels: [Self.label(result.outcome)])
            guard case .rated(let changes) = settlement else { return announce(room, result, changes: []) }
            announce(room, result, changes: changes)
        } catch {
            // The battle is unsettled still: the next start tries again.
            logger.error(
                "a battle could not be settled", metadata: ["room": "\(room.id)", "error": "\(error)"])
        }
    }

    private static func label(_ outcome: BattleOutcome) -> String {
        switch outcome {
        case .win(_, .accepted): "accepted"
        case .win(_, .forfeit): "forfeit"
        case .draw: "draw"
        case .aborted: "aborted"
        }
    }

    private func announce(_ room: RoomSpecification, _ result: BattleResult, changes: [Settlement.Change]) {
        let winner = result.winner.map { #""\#($0)""# } ?? "null"
        for participant in room.participants {
            let rating = changes.first { $0.userID == participant.userID }.map {
                ",\"rating\":\($0.after.rating),\"rating_before\":\($0.before.rating)"
            }
            events.publish(
                userID: participant.userID, type: "battle.finished",
                json: #"{"room_id":"\#(room.id)","winner":\#(winner)\#(rating ?? "")}"#)
        }
    }
}

/// Ties the knot between rooms, which tell of finished battles, and matchmaking, which makes rooms.
final class BattleLink: Sendable {
    private let settlement = Mutex<BattleSettlement?>(nil)

    func connect(_ settlement: BattleSettlement) {
        self.settlement.withLock { $0 = settlement }
    }

    func battleFinished(_ room: RoomSpecification, _ result: BattleResult) async {
        await settlement.withLock { $0 }?.settle(room, result)
    }
}
