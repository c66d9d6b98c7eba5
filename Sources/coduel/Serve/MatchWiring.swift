import Gateway
import Matchmaking
import Problems
import StorageSQLite
import SyncServer

extension MatchDirector {
    /// The director of an installation: it makes rooms in `directory`, with problems of the judge's catalogue.
    init(_ shared: SharedParts, _ judging: JudgingParts, _ directory: RoomDirectory) {
        self.init(
            store: MatchmakingStoreSQLite(shared.database),
            settings: MatchSettings(languages: Set(judging.languages.all.map(\.id))),
            ports: Self.ports(shared, judging.catalogue, directory))
    }

    private static func ports(
        _ shared: SharedParts, _ catalogue: ProblemCatalogue, _ directory: RoomDirectory
    ) -> MatchPorts {
        let (settings, environment) = (shared.settings, shared.environment)
        let (events, metrics) = (shared.events, shared.metrics)
        return MatchPorts(
            createRoom: { match in
                let specification = try await MatchedRoom.specification(
                    of: match, settings: settings, catalogue: catalogue, environment: environment)
                try await directory.create(specification)
                return specification.id
            },
            onMatched: { match, roomID in
                let atMs = environment.now()
                MatchObservation.observe(match, atMs: atMs, in: metrics)
                for ticket in match.tickets {
                    let json = #"{"ticket_id":"\#(ticket.id)","room_id":"\#(roomID)"}"#
                    events.publish(userID: ticket.userID, type: "match.found", json: json)
                }
            },
            onTick: { MatchObservation.count($0, in: metrics) },
            now: environment.now, newTicketID: environment.newID,
            pause: { try await Task.sleep(for: .milliseconds($0)) })
    }
}
