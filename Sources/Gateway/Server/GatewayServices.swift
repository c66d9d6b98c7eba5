import Identity
import Judging
import Matchmaking
import Problems

/// What the routes need from the rest of the system. What belongs to rooms is handed in as closures, and the rooms'
/// own routes as values.
package struct GatewayServices: Sendable {
    package var identity: IdentityService
    package var idempotency: any IdempotencyStore
    package var catalogue: ProblemCatalogue
    package var readPackage: ProblemRoutes.PackageReader
    package var judge: JudgeService
    package var submissions: any SubmissionStore
    package var matchmaking: MatchDirector
    package var events: UserEvents
    package var metrics: Metrics
    package var readiness: Readiness
    /// Whether somebody else's submission may be seen; asked only for callers who did not make it.
    package var canSeeSubmission: SubmissionRoutes.Visibility
    package var roomSource: RunRoutes.RoomSource
    /// A new UUIDv7.
    package var newID: @Sendable () -> String
    /// ms since 1970.
    package var now: @Sendable () -> Int64

    package init(
        identity: IdentityService, idempotency: any IdempotencyStore, catalogue: ProblemCatalogue,
        readPackage: @escaping ProblemRoutes.PackageReader, judge: JudgeService,
        submissions: any SubmissionStore, matchmaking: MatchDirector, events: UserEvents, metrics: Metrics,
        readiness: Readiness, canSeeSubmission: @escaping SubmissionRoutes.Visibility,
        roomSource: @escaping RunRoutes.RoomSource, newID: @escaping @Sendable () -> String,
        now: @escaping @Sendable () -> Int64
    ) {
        self.identity = identity
        self.idempotency = idempotency
        self.catalogue = catalogue
        self.readPackage = readPackage
        self.judge = judge
        self.submissions = submissions
        self.matchmaking = matchmaking
        self.events = events
        self.metrics = metrics
        self.readiness = readiness
        self.canSeeSubmission = canSeeSubmission
        self.roomSource = roomSource
        self.newID = newID
        self.now = now
    }

    /// The server is about to stop: it is not ready any more, and event streams end, which would otherwise keep their
    /// connections open for ever. Call it before the application is told to shut down.
    package func beginDraining() {
        readiness.beginDraining()
        events.close()
    }

    /// Every route but those of rooms and sockets.
    package func routes(_ settings: GatewaySettings) -> [Route] {
        let identity = identity
        let judge = judge
        return AccountRoutes.routes(identity, metrics)
            + MeRoutes.routes(identity: identity, matchmaking: matchmaking, events: events)
            + ProblemRoutes.routes(catalogue: catalogue, readPackage: readPackage, now: now)
            + SubmissionRoutes.routes(
                catalogue: catalogue, submissions: submissions, submit: { try await judge.submit($0) },
                canSee: canSeeSubmission, newID: newID, now: now)
            + RunRoutes.routes(judge: judge, roomSource: roomSource)
            + MatchmakingRoutes.routes(matchmaking)
            + OperationRoutes.routes(
                readiness: readiness, metrics: metrics, jwks: { identity.jwks() }, settings: settings)
    }
}

extension GatewayServer {
    /// The server of all routes of `services` and the rooms' (and sockets') `extraRoutes`.
    package init(_ services: GatewayServices, settings: GatewaySettings, extraRoutes: [Route]) {
        let identity = services.identity
        let events = services.events
        services.metrics.gauge(.eventSubscribers) { Double(events.subscriberCount) }
        self.init(
            routes: services.routes(settings) + extraRoutes,
            authenticate: { token in try await identity.authenticate(accessToken: token) },
            idempotency: services.idempotency, settings: settings, metrics: services.metrics,
            now: services.now)
    }
}
