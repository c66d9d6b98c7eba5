import Gateway
import Identity
import Judging
import Matchmaking
import PackageFiles
import Problems
import Rooms
import StorageSQLite
import SyncProtocol
import SyncServer

extension Installation {
    static func routes(
        identity: IdentityService, catalogue: ProblemCatalogue, submissions: SubmissionStoreSQLite,
        executor: GuardedSandbox, judge: JudgeService, director: MatchDirector, directory: RoomDirectory,
        rooms: RoomStoreSQLite,
        events: UserEvents, metrics: Metrics, readiness: Readiness, settings: GatewaySettings,
        environment: IdentityEnvironment
    ) -> [Route] {
        AccountRoutes.routes(identity, metrics)
            + MeRoutes.routes(identity: identity, matchmaking: director, events: events)
            + ProblemRoutes.routes(
                catalogue: catalogue,
                readPackage: { try PackageArchive.read($0, name: "package") }, now: environment.now)
            + SubmissionRoutes.routes(
                catalogue: catalogue, submissions: submissions,
                submit: { submission in
                    try executor.requireUsable()
                    try await judge.submit(submission)
                },
                canSee: { caller, submission in await canSee(caller, submission, directory) },
                newID: environment.newID, now: environment.now)
            + RunRoutes.routes(
                judge: judge,
                admit: { try executor.requireUsable() },
                roomSource: { caller, roomID, document, file in
                    try await source(for: caller, roomID, document, file, directory)
                })
            + MatchmakingRoutes.routes(director)
            + OperationRoutes.routes(
                readiness: readiness, metrics: metrics, jwks: { identity.jwks() }, settings: settings)
            + RoomRoutes(
                identity: identity, directory: directory, rooms: rooms, catalogue: catalogue,
                randomBytes: environment.randomBytes
            ).routes
    }

    /// Submissions of others follow the rule of the document they were taken from.
    private static func canSee(
        _ caller: Caller, _ submission: Submission, _ directory: RoomDirectory
    ) async -> Bool {
        guard let origin = submission.origin else { return false }
        let access = try? await directory.with(origin.roomID) { room, _ in
            room.policy.access(to: origin.document, for: RoomCaller(caller))
        }
        return access == .read || access == .write
    }

    private static func source(
        for caller: Caller, _ roomID: String, _ document: String?, _ file: String?, _ directory: RoomDirectory
    ) async throws -> String {
        let result: Result<String, DoorRefusal> = try await directory.with(roomID) { room, _ in
            let caller = RoomCaller(caller)
            let name = document ?? room.ownDocument(of: caller)
            let file = file ?? RoomSpecification.fileName(of: room.specification.language)
            do throws(DoorRefusal) {
                return .success(try room.text(of: file, in: name, for: caller))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
