import Gateway
import Identity
import Judging
import Matchmaking
import Problems

/// What the routes need from the rest of the system, without rooms.
struct ApiServices: Sendable {
    var identity: IdentityService
    var profiles: ProfileService
    var languages: LanguageTable
    var idempotency: any IdempotencyStore
    var catalogue: ProblemCatalogue
    var readPackage: ProblemRoutes.PackageReader
    var judge: JudgeService
    var submissions: any SubmissionStore
    var rejudging: Rejudging
    var judgements: any JudgementStore
    var matchmaking: MatchDirector
    var events: UserEvents
    var metrics: Metrics
    var readiness: Readiness
    /// Whether somebody else's submission may be seen; asked only for callers who did not make it.
    var canSeeSubmission: SubmissionRoutes.Visibility
    var roomSource: RunRoutes.RoomSource
    /// A new UUIDv7.
    var newID: @Sendable () -> String
    /// ms since 1970.
    var now: @Sendable () -> Int64

    /// Every route but those of rooms and sockets.
    func routes(_ settings: GatewaySettings) -> [Route] {
        let identity = identity
        let judge = judge
        let languages = languages
        return AccountRoutes.routes(identity, metrics) + SessionRoutes.routes(identity)
            + SecondFactorRoutes.routes(identity) + CredentialRoutes.routes(identity)
            + ProfileRoutes(identity: identity, profiles: profiles).routes
            + MeRoutes.routes(identity: identity, matchmaking: matchmaking, events: events)
            + ProblemRoutes.routes(
                catalogue: catalogue, readPackage: readPackage,
                writePackage: { tree in tree.files.keys.sorted().flatMap { Array(($0 + "\n").utf8) } },
                now: now)
            + SubmissionRoutes.routes(
                catalogue: catalogue, submissions: submissions, languages: languages,
                watches: judge.watches, submit: { try await judge.submit($0) },
                canSee: canSeeSubmission, newID: newID, now: now)
            + RejudgingRoutes.routes(rejudging) + SimilarityRoutes.routes(judgements)
            + RunRoutes.routes(judge: judge, languages: languages, roomSource: roomSource)
            + MatchmakingRoutes.routes(matchmaking)
            + LanguageRoutes.routes {
                languages.all.map { language in
                    let isThere = language.id != "cpp"
                    return LanguageReport(
                        language: language, version: isThere ? "\(language.name) 3.9" : nil,
                        unavailable: isThere ? nil : "there is no compiler")
                }
            }
            + OperationRoutes.routes(
                readiness: readiness, metrics: metrics, jwks: { identity.jwks() }, settings: settings)
    }
}
