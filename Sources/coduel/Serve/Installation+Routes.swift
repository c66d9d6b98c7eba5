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
    }

    /// Rooms, what people say and change in them, and whoever watches over both.
    static func peopleRoutes(
        identity: IdentityService, directory: RoomDirectory, rooms: RoomStoreSQLite,
        catalogue: ProblemCatalogue, blocks: BlockStoreSQLite, chatArchive: ChatArchiveSQLite,
        events: UserEvents, gate: SocketGate, roomsPerUser: Int, environment: IdentityEnvironment
    ) -> [Route] {
        RoomRoutes(
            identity: identity, directory: directory, rooms: rooms, catalogue: catalogue, blocks: blocks,
            events: events, roomsPerUser: roomsPerUser, randomBytes: environment.randomBytes
        ).routes + RoomChangeRoutes(directory: directory).routes
            + ChatRoutes(directory: directory, archive: chatArchive, blocks: blocks).routes
            + BlockRoutes.routes(identity: identity, blocks: blocks, events: events, now: environment.now)
            + AdminRoutes(
                identity: identity, directory: directory, forgetRefusals: { gate.forgetRefusals() }
            ).routes
    }

    /// Tells a user something, unless they block whom it comes from.
    static func deliver(_ notice: UserNotice, _ blocks: any BlockStore, _ events: UserEvents) async {
        let isBlocked = try? await blocks.isBlocked(notice.from, by: notice.userID)
        // Where that cannot be read, silence is the smaller fault.
        guard notice.from.isEmpty || isBlocked == false else { return }
        events.publish(userID: notice.userID, type: notice.type, json: notice.json)
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
