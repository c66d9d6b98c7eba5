import Gateway
import Judging
import NIOPosix
import Rooms
import StorageSQLite
import SyncServer

/// Rooms: where they are kept, what they tell, and the directory that has them in memory.
struct RoomParts {
    let stores: RoomStores
    /// Takes the results of battles; nobody listens before it is connected.
    let battles: BattleLink
    let directory: RoomDirectory

    init(_ shared: SharedParts, _ judging: JudgingParts, _ webhooks: WebhookParts) {
        let settings = shared.settings
        stores = RoomStores(shared.database)
        battles = BattleLink()
        directory = RoomDirectory(
            services: RoomServices(
                store: stores.rooms, log: shared.roomLog, chatArchive: stores.chatArchive,
                hooks: Self.hooks(shared, judging, webhooks, stores.blocks, battles),
                limits: settings.syncLimits.rooms, ports: Self.ports(shared.limiter, judging.languages),
                registry: SocketRegistry(
                    limits: settings.syncLimits.sockets, statistics: SyncStatistics(), now: shared.now),
                now: shared.now, newID: shared.newID),
            group: MultiThreadedEventLoopGroup.singleton, opensAnyName: settings.openRooms,
            openRoomLimit: settings.syncLimits.openRooms)
    }

    private static func hooks(
        _ shared: SharedParts, _ judging: JudgingParts, _ webhooks: WebhookParts, _ blocks: any BlockStore,
        _ battles: BattleLink
    ) -> RoomHooks {
        let (events, metrics, logger) = (shared.events, shared.metrics, shared.logger)
        let (tracer, now) = (shared.telemetry.tracer, shared.now)
        return RoomHooks(
            storeSubmission: { room, taken in
                try await tracer.span(
                    "store submission", attributes: ["coduel.room.id": .text(room.id)]
                ) { _ in
                    try await RoomSubmissions.store(
                        taken, of: room, executor: judging.executor, submit: judging.submit,
                        submissions: judging.submissions, now: now)
                }
            },
            verdict: { id in await RoomSubmissions.verdict(of: id, in: judging.submissions) },
            battleFinished: { room, result in await battles.battleFinished(room, result) },
            notify: { notice in await deliver(notice, blocks, events) },
            activity: webhooks.roomActivity,
            alarm: { text in logger.error("\(text)") },
            observe: { event in RoomCounts.count(event, in: metrics) })
    }

    /// Tells a user something, unless they block whom it comes from.
    private static func deliver(
        _ notice: UserNotice, _ blocks: any BlockStore, _ events: UserEvents
    ) async {
        let isBlocked = try? await blocks.isBlocked(notice.from, by: notice.userID)
        // Where that cannot be read, silence is the smaller fault.
        guard notice.from.isEmpty || isBlocked == false else { return }
        events.publish(userID: notice.userID, type: notice.type, json: notice.json)
    }

    private static func ports(_ limiter: RateLimiter, _ languages: LanguageTable) -> RoomPorts {
        RoomPorts(fileNames: languages.fileNames) { userID, atMs in
            // The same allowance as by HTTP.
            let decision = limiter.take(.submissions, subject: "user:\(userID)", atMs: atMs)
            guard let decision, !decision.isAllowed else { return nil }
            return Int64(decision.resetSeconds) * 1_000
        }
    }
}

/// What is kept of rooms besides their log.
struct RoomStores {
    let rooms: RoomStoreSQLite
    let blocks: BlockStoreSQLite
    let chatArchive: ChatArchiveSQLite
    let versions: VersionStoreSQLite

    init(_ database: CoduelDatabase) {
        rooms = RoomStoreSQLite(database)
        blocks = BlockStoreSQLite(database)
        chatArchive = ChatArchiveSQLite(database)
        versions = VersionStoreSQLite(database)
    }
}
