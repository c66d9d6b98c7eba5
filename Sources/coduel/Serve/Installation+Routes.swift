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
        identity: IdentityService, openID: OpenIDService, profiles: ProfileService,
        catalogue: ProblemCatalogue,
        submissions: SubmissionStoreSQLite,
        executor: GuardedSandbox, judge: JudgeService, observation: JudgeObservation,
        director: MatchDirector, directory: RoomDirectory,
        events: UserEvents, metrics: Metrics, readiness: Readiness, settings: GatewaySettings,
        environment: IdentityEnvironment
    ) -> [Route] {
        let rejudging = Rejudging(
            executor: executor, store: submissions, catalogue: catalogue, now: environment.now,
            newID: environment.newID,
            turn: {
                // Nobody waits for it: it runs when nobody else does.
                while await judge.load.waiting > 0, !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(200))
                }
            })
        return AccountRoutes.routes(identity, metrics) + SessionRoutes.routes(identity)
            + SecondFactorRoutes.routes(identity) + CredentialRoutes.routes(identity)
            + OpenIDRoutes(openID: openID, metrics: metrics).routes
            + ProfileRoutes(identity: identity, profiles: profiles).routes
            + MeRoutes.routes(identity: identity, matchmaking: director, events: events)
            + ProblemRoutes.routes(
                catalogue: catalogue,
                readPackage: { try PackageArchive.read($0, name: "package") },
                writePackage: { try PackageExport.zip($0) }, now: environment.now)
            + SubmissionRoutes.routes(
                catalogue: catalogue, submissions: submissions, languages: executor.languages,
                watches: judge.watches,
                submit: { submission in
                    try executor.requireUsable()
                    try await observation.submitting(submission.id) { () async throws(JudgingError) in
                        try await judge.submit(submission)
                    }
                },
                canSee: { caller, submission in await canSee(caller, submission, directory) },
                newID: environment.newID, now: environment.now)
            + RejudgingRoutes.routes(rejudging) + SimilarityRoutes.routes(submissions)
            + RunRoutes.routes(
                judge: judge, languages: executor.languages,
                admit: { try executor.requireUsable() },
                roomSource: { caller, roomID, document, file in
                    try await source(for: caller, roomID, document, file, directory)
                })
            + MatchmakingRoutes.routes(director)
            + LanguageRoutes.routes { await executor.languageReports() }
            + OperationRoutes.routes(
                readiness: readiness, metrics: metrics, jwks: { identity.jwks() }, settings: settings)
    }

    /// Rooms, their documents and history, what people say and change in them, who of other products is let in, and
    /// whoever watches over all of it.
    static func roomRoutes(
        identity: IdentityService, services: ServiceAccountService, directory: RoomDirectory,
        stores: RoomRouteStores, languages: LanguageTable, catalogue: ProblemCatalogue, events: UserEvents,
        gate: SocketGate, roomsPerUser: Int, environment: IdentityEnvironment
    ) -> [Route] {
        RoomRoutes(
            identity: identity, directory: directory, rooms: stores.rooms, catalogue: catalogue,
            blocks: stores.blocks, events: events, languages: languages, roomsPerUser: roomsPerUser,
            randomBytes: environment.randomBytes
        ).routes + RoomChangeRoutes(directory: directory).routes
            + ChatRoutes(directory: directory, archive: stores.chatArchive, blocks: stores.blocks).routes
            + BlockRoutes.routes(
                identity: identity, blocks: stores.blocks, events: events, now: environment.now)
            + ReplayRoutes(directory: directory).routes
            + DocumentRoutes(directory: directory, versions: stores.versions, identity: identity).routes
            + VersionRoutes(directory: directory, versions: stores.versions).routes
            + ServiceAccountRoutes(services: services).routes
            + SyncTokenRoutes(services: services, directory: directory, rooms: stores.rooms).routes
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
            let file = file ?? room.fileName(of: room.specification.language)
            do throws(DoorRefusal) {
                return .success(try room.text(of: file, in: name, for: caller))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// The stores that only the rooms' routes read and write.
struct RoomRouteStores {
    let rooms: RoomStoreSQLite
    let blocks: BlockStoreSQLite
    let chatArchive: ChatArchiveSQLite
    let versions: VersionStoreSQLite

    init(_ database: CoduelDatabase, rooms: RoomStoreSQLite) {
        self.rooms = rooms
        blocks = BlockStoreSQLite(database)
        chatArchive = ChatArchiveSQLite(database)
        versions = VersionStoreSQLite(database)
    }
}
