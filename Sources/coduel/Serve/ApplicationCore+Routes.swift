import Gateway
import Identity
import Judging
import PackageFiles
import StorageSQLite
import SyncServer

extension ApplicationCore {
    /// Every call that needs no door of its own.
    var routes: [Route] {
        accountRoutes + problemRoutes + judgingRoutes + MatchmakingRoutes.routes(director) + roomRoutes
            + serviceRoutes + administrationRoutes
    }

    /// Accounts, how people log in, and what they are to themselves.
    private var accountRoutes: [Route] {
        let identity = people.identity
        return AccountRoutes.routes(identity, shared.metrics) + SessionRoutes.routes(identity)
            + SecondFactorRoutes.routes(identity) + CredentialRoutes.routes(identity)
            + OpenIDRoutes(openID: people.openID, metrics: shared.metrics).routes
            + ProfileRoutes(identity: identity, profiles: people.profiles).routes
            + MeRoutes.routes(identity: identity, matchmaking: director, events: shared.events)
    }

    private var problemRoutes: [Route] {
        ProblemRoutes.routes(
            catalogue: judging.catalogue,
            readPackage: { try PackageArchive.read($0, name: "package") },
            writePackage: { try PackageExport.zip($0) }, now: shared.now)
    }

    /// Submissions, runs, and what is done to judgements later.
    private var judgingRoutes: [Route] {
        let (judging, directory) = (judging, rooms.directory)
        return SubmissionRoutes.routes(
            catalogue: judging.catalogue, submissions: judging.submissions, languages: judging.languages,
            watches: judging.judge.watches,
            submit: { submission in
                try judging.executor.requireUsable()
                try await judging.submit(submission)
            },
            canSee: { caller, submission in await directory.canSee(submission, caller) },
            newID: shared.newID, now: shared.now)
            + RejudgingRoutes.routes(judging.rejudging) + SimilarityRoutes.routes(judging.submissions)
            + RunRoutes.routes(
                judge: judging.judge, languages: judging.languages,
                admit: { try judging.executor.requireUsable() },
                roomSource: { caller, roomID, document, file in
                    try await directory.source(for: caller, in: roomID, document: document, file: file)
                })
            + LanguageRoutes.routes { await judging.executor.languageReports() }
    }

    /// Rooms, their documents and history, and what people say and change in them.
    private var roomRoutes: [Route] {
        let (directory, stores, identity) = (rooms.directory, rooms.stores, people.identity)
        return RoomRoutes(
            identity: identity, directory: directory, rooms: stores.rooms, catalogue: judging.catalogue,
            blocks: stores.blocks, events: shared.events, languages: judging.languages,
            roomsPerUser: shared.settings.syncLimits.roomsPerUser,
            randomBytes: shared.environment.randomBytes
        ).routes + RoomChangeRoutes(directory: directory).routes
            + ChatRoutes(directory: directory, archive: stores.chatArchive, blocks: stores.blocks).routes
            + BlockRoutes.routes(
                identity: identity, blocks: stores.blocks, events: shared.events, now: shared.now)
            + ReplayRoutes(directory: directory).routes
            + DocumentRoutes(directory: directory, versions: stores.versions, identity: identity).routes
            + VersionRoutes(directory: directory, versions: stores.versions).routes
    }

    /// Other products: who of them is let in, and what they are told.
    private var serviceRoutes: [Route] {
        let (services, webhooks) = (people.services, webhooks)
        return ServiceAccountRoutes(services: services).routes
            + SyncTokenRoutes(services: services, directory: rooms.directory, rooms: rooms.stores.rooms)
            .routes
            + WebhookRoutes(
                dispatcher: webhooks.dispatcher, store: webhooks.store,
                refusal: { webhooks.client.refusal(of: $0) }, environment: shared.environment
            ).routes
    }

    /// Whoever watches over people.
    private var administrationRoutes: [Route] {
        PeopleAdminRoutes(identity: people.identity, log: AuditLogSQLite(shared.database)).routes
            + AnnouncementRoutes(
                store: AdministrationStoreSQLite(shared.database), environment: shared.environment
            ).routes
    }
}
