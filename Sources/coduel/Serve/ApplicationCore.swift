import Matchmaking

/// An installation without its doors: all that answers behind HTTP and sockets.
struct ApplicationCore {
    let shared: SharedParts
    let people: PeopleParts
    let judging: JudgingParts
    let webhooks: WebhookParts
    let rooms: RoomParts
    let director: MatchDirector

    /// Each part is made of those above it. Nothing runs yet: no loop, no judge, no listener.
    init(_ shared: SharedParts) async throws {
        self.shared = shared
        people = try await PeopleParts(shared)
        judging = JudgingParts(shared, people.identity)
        webhooks = try WebhookParts(
            shared.settings, shared.database, people.secrets, shared.environment, shared.logger)
        rooms = RoomParts(shared, judging, webhooks)
        director = MatchDirector(shared, judging, rooms.directory)
        await closeCycles()
    }

    /// The only parts that are told of a later one. Rooms ask for judging and hear verdicts, matchmaking makes rooms
    /// and hears how their battles end, and the end of a session closes sockets that were opened by it: each of these
    /// is a circle, and one of its two ways has to be laid when both ends are there.
    private func closeCycles() async {
        let (directory, events) = (rooms.directory, shared.events)
        rooms.battles.connect(
            BattleSettlement(
                identity: people.identity, director: director, rooms: rooms.stores.rooms, events: events,
                metrics: shared.metrics, logger: shared.logger))
        await JudgeReports(shared, judging, webhooks, directory).observe(judging.judge)
        people.services.onKeyEnded = { directory.endSession($0) }
        people.identity.onSessionEnded = { sessionID in
            directory.endSession(sessionID)
            events.endSession(sessionID)
        }
    }
}
