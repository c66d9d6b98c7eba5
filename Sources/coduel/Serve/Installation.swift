import Foundation
import Gateway
import Hummingbird
import HummingbirdCore
import Identity
import Judging
import Logging
import MailDelivery
import Matchmaking
import NIOCore
import NIOPosix
import PackageFiles
import Problems
import Rooms
import ServiceLifecycle
import StorageSQLite
import SyncServer
import Webhooks

/// The embedded default: every role in one process, on SQLite. The one place that knows all adapters.
struct Installation {
    let settings: ServeSettings
    let logger: Logger
    let identity: IdentityService
    let catalogue: ProblemCatalogue
    let submissions: SubmissionStoreSQLite
    let rooms: RoomStoreSQLite
    let log: RoomLogSQLite
    let judge: JudgeService
    let director: MatchDirector
    let directory: RoomDirectory
    let webhooks: WebhookDispatcher
    let mails: MailDispatcher
    let events: UserEvents
    let metrics: Metrics
    let readiness: Readiness
    let gateway: GatewayServer
    let gate: SocketGate
    let telemetry: TelemetryParts

    /// Runs until SIGTERM or SIGINT.
    static func run(_ foundation: ServeFoundation, _ telemetry: TelemetryParts) async throws {
        let logger = Logger(label: "coduel")
        let database = try CoduelDatabase.open(folder: foundation.data.path)
        let installation = try await Installation(foundation, database, telemetry, logger)
        try await installation.fillCatalogue(foundation.bundledProblems)
        // Without a sandbox they wait for a start that has one: a judge error would be their last word.
        if foundation.sandboxRefusal == nil { try await installation.judge.start() }
        try await installation.resumeBattles()
        do {
            try await installation.serve()
        } catch {
            await installation.finish(foundation, database)
            throw error
        }
        await installation.finish(foundation, database)
    }

    private func fillCatalogue(_ bundled: [PackageTree]) async throws {
        guard try await catalogue.count() == 0, !bundled.isEmpty else { return }
        let imported = try await catalogue.importPackages(bundled, publish: true, atMs: directory.now())
        logger.info("the empty catalogue was filled", metadata: ["problems": "\(imported.count)"])
    }

    /// Battles whose result is not settled are loaded: their deadlines must come, their ratings be written.
    private func resumeBattles() async throws {
        for id in try await rooms.unsettledBattles() {
            do {
                try await directory.with(id) { _, _ in }
            } catch {
                logger.error(
                    "a battle could not be resumed", metadata: ["room": "\(id)", "error": "\(error)"])
            }
        }
    }

    private func serve() async throws {
        let gate = gate
        let certificates = gateway.settings.certificates
        let application = gateway.application(
            server: HTTPServerBuilder {
                GatewayChannel(gate: gate, certificates: certificates, responder: $0)
            }, logger: logger
        ) { [settings, identity] port in
            let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
            let scheme = certificates == nil ? "http" : "https"
            if settings.publicURL == nil { identity.publicURL = "\(scheme)://\(host):\(port)" }
            print("coduel listening on \(scheme)://\(host):\(port)")
            // Whoever started the server waits for this line.
            fflush(nil)
        }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: BackgroundService { [director] in await director.run() }),
                .init(service: BackgroundService { [webhooks] in await webhooks.run() }),
                .init(service: BackgroundService { [mails] in await mails.run() }),
                .init(service: BackgroundService { await purgeSessions() }),
                .init(service: BackgroundService { await tendKeys() }),
                .init(service: BackgroundService { await removeQuietRooms() }),
                .init(service: application),
                .init(service: DrainService(installation: self)),
            ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        if let exporter = telemetry.exporter {
            configuration.services.append(.init(service: BackgroundService { await exporter.run() }))
        }
        if let certificates {
            configuration.services.append(.init(service: BackgroundService { await watch(certificates) }))
        }
        configuration.maximumGracefulShutdownDuration = .seconds(6)
        configuration.maximumCancellationDuration = .seconds(2)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError where Self.bindFailures.contains(error.errnoCode) {
            throw SettingsError(
                "\(settings.host), port \(settings.port), cannot be listened on: "
                    + String(cString: strerror(error.errnoCode)))
        }
    }

    private static let bindFailures: Set<CInt> = [EADDRINUSE, EADDRNOTAVAIL, EACCES]

    /// Sessions and tokens that ended long ago are no use to anyone.
    private func purgeSessions() async {
        while !Task.isCancelled {
            do {
                let purged = try await identity.purgeSessions()
                if purged > 0 { logger.info("old sessions were purged", metadata: ["count": "\(purged)"]) }
                try await Task.sleep(for: Self.purgeInterval)
            } catch is CancellationError {
                return
            } catch {
                logger.error("old sessions could not be purged", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: Self.purgeInterval)
            }
        }
    }

    /// Signing keys are taken up, replaced and removed in time.
    private func tendKeys() async {
        while !Task.isCancelled {
            do {
                try await identity.tendKeys()
                try await identity.reloadDoor()
            } catch {
                logger.error("the signing keys could not be tended", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.keyInterval)
        }
    }

    /// A renewed certificate serves the next connection.
    private func watch(_ certificates: TLSCertificates) async {
        var fault = ""
        while !Task.isCancelled {
            do {
                if try certificates.reloadIfChanged() { logger.notice("the certificate was read again") }
                fault = ""
            } catch {
                // Once a fault: the two files are seldom replaced in one moment.
                if fault != "\(error)" {
                    logger.error("a changed certificate cannot be used", metadata: ["reason": "\(error)"])
                }
                fault = "\(error)"
            }
            try? await Task.sleep(for: Self.certificateInterval)
        }
    }

    private static let certificateInterval = Duration.seconds(5)

    private static let keyInterval = Duration.seconds(30)

    /// Open rooms that nobody writes to any more give their place and their disk back.
    private func removeQuietRooms() async {
        let hours = Int64(settings.syncLimits.openRoomHours)
        while !Task.isCancelled {
            if settings.openRooms { await removeQuietRooms(olderThanHours: hours) }
            try? await Task.sleep(for: Self.purgeInterval)
        }
    }

    private func removeQuietRooms(olderThanHours hours: Int64) async {
        do {
            let removed = try await directory.removeQuietOpenRooms(
                log, beforeMs: directory.now() - hours * 3_600_000)
            if removed > 0 {
                logger.info("quiet open rooms were removed", metadata: ["count": "\(removed)"])
            }
        } catch {
            logger.error("quiet open rooms could not be removed", metadata: ["error": "\(error)"])
        }
    }

    private static let purgeInterval = Duration.seconds(3_600)

    /// After the last socket: what was handed to the disk gets there, running judgements are left to the next start.
    private func finish(_ foundation: ServeFoundation, _ database: CoduelDatabase) async {
        log.drain()
        await webhooks.stop()
        foundation.sandbox?.stop()
        logger.info("stopped")
    }
}

/// A loop that ends when the server is told to stop.
private struct BackgroundService: Service {
    let body: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown { await body() }
    }
}

/// The first to be told of a shutdown: takes no more work, closes rooms and streams.
private struct DrainService: Service {
    let installation: Installation

    func run() async throws {
        try await gracefulShutdown()
        installation.readiness.beginDraining()
        await installation.judge.beginStopping()
        installation.directory.shutDown(.goingAway)
        installation.events.close()
    }
}
