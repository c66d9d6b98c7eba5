import Battles
import Foundation
import Gateway
import Identity
import Judging
import Logging
import MailDelivery
import Matchmaking
import NIOPosix
import PackageFiles
import Problems
import Rooms
import Sandbox
import StorageSQLite
import SyncServer

extension Installation {
    init(
        _ foundation: ServeFoundation, _ database: CoduelDatabase, _ telemetry: TelemetryParts,
        _ logger: Logger
    ) async throws {
        let settings = foundation.settings
        let environment = IdentityEnvironment.system
        let now = environment.now
        let newID = environment.newID
        let log = try RoomLogSQLite(folder: foundation.data.path)
        if log.damagedRows > 0 {
            logger.error(
                "commits of the room log could not be read", metadata: ["rows": "\(log.damagedRows)"])
        }
        let rooms = RoomStoreSQLite(database)
        let submissions = SubmissionStoreSQLite(database)
        // The sandbox itself: a statement does not wait for a helper that has ended.
        let converter = foundation.sandbox.map { LaTeXConverter(executor: $0) }
        let catalogue = ProblemCatalogue(
            store: ProblemStoreSQLite(database), convert: { await converter?.html($0) })
        let secrets = try EncryptionKeys(
            dataFolder: foundation.data.path, environment: ProcessInfo.processInfo.environment
        ).box()
        let identity = try await IdentityService.start(
            accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database),
            keys: SigningKeyStoreSQLite(database), bans: BanStoreSQLite(database),
            people: PeopleStores(
                codes: OneTimeCodeStoreSQLite(database), tokens: PersonalTokenStoreSQLite(database),
                data: PersonalDataSQLite(database), door: AdministrationStoreSQLite(database),
                secondFactors: SecondFactorStoreSQLite(database), secretBox: secrets),
            settings: settings.identity, environment: environment)
        let mails = try MailDispatcher(settings, dataFolder: foundation.data.path, environment, logger)
        identity.mail = { mails.take($0) }
        let openID = try OpenIDService(
            settings, identity: identity, store: LinkedIdentityStoreSQLite(database), environment, logger)
        let profiles = ProfileService(
            store: ProfileStoreSQLite(database), identity: identity,
            isTimeZone: { TimeZone(identifier: $0) != nil && $0.contains("/") || $0 == "UTC" })
        let services = ServiceAccountService(
            store: ServiceAccountStoreSQLite(database), identity: identity, environment: environment)
        if let refusal = foundation.sandboxRefusal {
            logger.error(
                "programs are not judged here: see coduel doctor", metadata: ["reason": "\(refusal)"])
        }
        let executor = GuardedSandbox(
            sandbox: foundation.sandbox, refusal: foundation.sandboxRefusal,
            languages: foundation.languages.table, tracer: telemetry.tracer)
        let judge = JudgeService(
            executor: executor, submissions: submissions, catalogue: catalogue,
            workers: settings.judgeWorkers,
            guestPlaces: .half(of: settings.judgeWorkers) { userID in
                (try? await identity.account(userID))?.isGuest ?? false
            },
            now: now, newID: newID)
        let events = UserEvents(run: newID().filter { $0 != "-" })
        let metrics = Metrics()
        let observation = JudgeObservation(tracer: telemetry.tracer, metrics: metrics, now: now)
        let submit: RoomSubmissions.Submit = { submission throws(JudgingError) in
            try await observation.submitting(submission.id) { () async throws(JudgingError) in
                try await judge.submit(submission)
            }
        }
        let stores = RoomRouteStores(database, rooms: rooms)
        let limiter = RateLimiter(
            policies: RatePolicy.defaults.merging(settings.ratePolicies) { _, own in own })
        let registry = SocketRegistry(
            limits: settings.syncLimits.sockets, statistics: SyncStatistics(), now: now)
        let link = BattleLink()
        let webhooks = try WebhookParts(settings, database, secrets, environment, logger)
        let hooks = RoomHooks(
            storeSubmission: { room, taken in
                try await telemetry.tracer.span(
                    "store submission", attributes: ["coduel.room.id": .text(room.id)]
                ) { _ in
                    try await RoomSubmissions.store(
                        taken, of: room, executor: executor, submit: submit, submissions: submissions,
                        now: now)
                }
            },
            verdict: { id in await RoomSubmissions.verdict(of: id, in: submissions) },
            battleFinished: { room, result in await link.battleFinished(room, result) },
            notify: { notice in await Self.deliver(notice, stores.blocks, events) },
            activity: webhooks.roomActivity,
            alarm: { text in logger.error("\(text)") },
            observe: { event in RoomCounts.count(event, in: metrics) })
        let directory = RoomDirectory(
            services: RoomServices(
                store: rooms, log: log, chatArchive: stores.chatArchive, hooks: hooks,
                limits: settings.syncLimits.rooms,
                ports: RoomPorts(fileNames: executor.languages.fileNames) { userID, atMs in
                    // The same allowance as by HTTP.
                    let decision = limiter.take(.submissions, subject: "user:\(userID)", atMs: atMs)
                    guard let decision, !decision.isAllowed else { return nil }
                    return Int64(decision.resetSeconds) * 1_000
                }, registry: registry, now: now, newID: newID),
            group: MultiThreadedEventLoopGroup.singleton, opensAnyName: settings.openRooms,
            openRoomLimit: settings.syncLimits.openRooms)
        let director = MatchDirector(
            store: MatchmakingStoreSQLite(database),
            settings: MatchSettings(languages: Set(executor.languages.all.map(\.id))),
            ports: Self.matchPorts(
                settings: settings, directory: directory, catalogue: catalogue, events: events,
                metrics: metrics, environment: environment))
        link.connect(
            BattleSettlement(
                identity: identity, director: director, rooms: rooms, events: events, metrics: metrics,
                logger: logger))
        await Self.connect(
            judge, to: directory, events: events, webhooks: webhooks, metrics: metrics,
            observation: observation, logger: logger)

        self.settings = settings
        self.logger = logger
        self.identity = identity
        self.catalogue = catalogue
        self.submissions = submissions
        self.rooms = rooms
        self.log = log
        self.judge = judge
        self.director = director
        self.directory = directory
        self.webhooks = webhooks.dispatcher
        self.mails = mails
        self.events = events
        self.metrics = metrics
        self.telemetry = telemetry
        metrics.register(directory)
        metrics.gauge(.eventSubscribers) { Double(events.subscriberCount) }
        readiness = Readiness(checks: [
            .init("database") { (try? await catalogue.count()) != nil },
            .init("room_log") { (try? await log.records(of: "", after: 0, limit: 1)) != nil },
            .init("sandbox") { executor.isUsable },
        ])
        Self.registerOperations(
            metrics, foundation, telemetry, judge: judge, executor: executor, readiness: readiness)
        let gatewaySettings = GatewaySettings(
            host: settings.host, port: settings.port, allowedHosts: settings.allowedHosts,
            allowedOrigins: settings.allowedOrigins, trustedProxies: settings.proxies,
            ratePolicies: settings.ratePolicies, pages: foundation.pages,
            openAPI: foundation.openAPI, logsAccess: settings.telemetry.logsAccess,
            certificates: foundation.certificates, version: coduelVersion)
        let gate = SocketGate(
            identity: identity, services: services, directory: directory,
            origins: gatewaySettings.originPolicy, proxies: settings.proxies,
            opensAnyName: settings.openRooms, echoes: settings.conformanceEcho, tracer: telemetry.tracer)
        self.gate = gate
        gateway = GatewayServer(
            routes: Self.routes(
                identity: identity, openID: openID, profiles: profiles, catalogue: catalogue,
                submissions: submissions,
                executor: executor,
                judge: judge, observation: observation,
                director: director, directory: directory, events: events, metrics: metrics,
                readiness: readiness, settings: gatewaySettings, environment: environment)
                + Self.roomRoutes(
                    identity: identity, services: services, directory: directory, stores: stores,
                    languages: executor.languages, catalogue: catalogue, events: events, gate: gate,
                    roomsPerUser: settings.syncLimits.roomsPerUser, environment: environment)
                + WebhookRoutes(
                    dispatcher: webhooks.dispatcher, store: webhooks.store,
                    refusal: { webhooks.client.refusal(of: $0) }, environment: environment
                ).routes + gate.routes + Self.referenceRoutes(openAPI: foundation.openAPI)
                + PeopleAdminRoutes(identity: identity, log: AuditLogSQLite(database)).routes
                + AnnouncementRoutes(
                    store: AdministrationStoreSQLite(database), environment: environment
                ).routes,
            authenticate: { token in
                if token.hasPrefix(ServiceAccountService.keyPrefix) {
                    return try await services.authenticate(key: token)
                }
                if token.hasPrefix(PersonalToken.prefix) {
                    return try await identity.authenticate(personalToken: token)
                }
                return try await identity.authenticate(accessToken: token)
            },
            idempotency: IdempotencyStoreSQLite(database),
            audit: AuditGate(log: AuditLogSQLite(database), environment: environment),
            cache: ResponseCache(
                sources: [
                    ProblemRoutes.cacheTag: { try? await ProblemStoreSQLite(database).version() }
                ], now: now),
            settings: gatewaySettings, metrics: metrics,
            limiter: limiter, tracer: telemetry.tracer, now: now)
        services.onKeyEnded = { directory.endSession($0) }
        identity.onSessionEnded = { sessionID in
            directory.endSession(sessionID)
            events.endSession(sessionID)
        }
    }

    private static func matchPorts(
        settings: ServeSettings, directory: RoomDirectory, catalogue: ProblemCatalogue, events: UserEvents,
        metrics: Metrics, environment: IdentityEnvironment
    ) -> MatchPorts {
        MatchPorts(
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

    /// The judge reports to the room that a submission came from, and to its author.
    private static func connect(
        _ judge: JudgeService, to directory: RoomDirectory, events: UserEvents, webhooks: WebhookParts,
        metrics: Metrics, observation: JudgeObservation, logger: Logger
    ) async {
        await judge.observe(
            onProgress: { submission, passed, total, _ in
                guard let origin = submission.origin else { return }
                try? await directory.with(origin.roomID) { room, atMs in
                    room.progress(
                        submissionID: submission.id, testsPassed: passed, testsTotal: total, atMs: atMs)
                }
            },
            onFinished: { submission in
                guard let judgement = submission.judgement else { return }
                let verdict = judgement.verdict.rawValue
                observation.finished(submission, verdict: verdict)
                webhooks.finished(submission)
                let room = submission.origin.map { #""\#($0.roomID)""# } ?? "null"
                events.publish(
                    userID: submission.userID, type: "submission.finished",
                    json: #"{"id":"\#(submission.id)","verdict":"\#(verdict)","room_id":\#(room)}"#)
                guard let origin = submission.origin else { return }
                do {
                    try await directory.with(origin.roomID) { room, atMs in
                        room.judged(
                            submissionID: submission.id, verdict: verdict, testsPassed: judgement.testsPassed,
                            testsTotal: judgement.testsTotal, atMs: atMs)
                    }
                } catch {
                    // The room asks for the verdict itself when it is loaded.
                    logger.error("a verdict did not reach its room", metadata: ["room": "\(origin.roomID)"])
                }
            },
            onFault: { id, message in
                metrics.add(.judgeFaults)
                logger.error("judging failed", metadata: ["submission": "\(id)", "reason": "\(message)"])
            },
            around: { try await observation.attempt($0, $1) })
    }
}
