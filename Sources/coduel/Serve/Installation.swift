import Foundation
import Gateway
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PackageFiles
import Problems
import ServiceLifecycle

/// The embedded default: every role in one process, on SQLite. With its parts, the one place that knows all adapters.
///
/// Parts are made in this order, each of those before it: `SharedParts` (data bases, clock, metrics), `ApplicationCore`
/// (people, judging, webhooks, rooms, matchmaking), `GatewayParts` (the listener's side).
struct Installation {
    let core: ApplicationCore
    let gateway: GatewayParts

    var shared: SharedParts { core.shared }
    var settings: ServeSettings { core.shared.settings }
    var logger: Logger { core.shared.logger }

    /// Opens the data bases and makes all parts; nothing runs yet.
    init(_ foundation: ServeFoundation, _ telemetry: TelemetryParts, _ logger: Logger) async throws {
        core = try await ApplicationCore(SharedParts(foundation, telemetry, logger))
        gateway = GatewayParts(core)
    }

    /// Runs until SIGTERM or SIGINT.
    ///
    /// The order of the start: problems first, as judging and battles need them; then the judge, which takes up what
    /// an earlier run left; then the rooms of unsettled battles, which may ask it for verdicts at once; the listener
    /// last, so that the first caller meets a whole server.
    ///
    /// The order of the stop is that of `services` from its end, each waiting for the one before it, then `finish`.
    static func run(_ foundation: ServeFoundation, _ telemetry: TelemetryParts) async throws {
        let installation = try await Installation(foundation, telemetry, Logger(label: "coduel"))
        try await installation.fillCatalogue(foundation.bundledProblems)
        // Without a sandbox they wait for a start that has one: a judge error would be their last word.
        if foundation.sandboxRefusal == nil { try await installation.core.judging.judge.start() }
        try await installation.resumeBattles()
        do {
            try await installation.serve()
        } catch {
            await installation.finish()
            throw error
        }
        await installation.finish()
    }

    private func fillCatalogue(_ bundled: [PackageTree]) async throws {
        let catalogue = core.judging.catalogue
        guard try await catalogue.count() == 0, !bundled.isEmpty else { return }
        let imported = try await catalogue.importPackages(bundled, publish: true, atMs: shared.now())
        logger.info("the empty catalogue was filled", metadata: ["problems": "\(imported.count)"])
    }

    /// Battles whose result is not settled are loaded: their deadlines must come, their ratings be written.
    private func resumeBattles() async throws {
        for id in try await core.rooms.stores.rooms.unsettledBattles() {
            do {
                try await core.rooms.directory.with(id) { _, _ in }
            } catch {
                logger.error(
                    "a battle could not be resumed", metadata: ["room": "\(id)", "error": "\(error)"])
            }
        }
    }

    private func serve() async throws {
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
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

    /// What runs beside each other. A stop goes from the end: the watch of certificates ends at once; then work
    /// is no more taken and sockets are told to leave, while the listener still answers them; then the listener, and the last socket; then
    /// the loops that calls relied on, with mails and webhooks after the last call that may have caused one, and traces after all that they tell of.
    ///
    /// The group writes out each service it gets by reflection: those here hold nothing but a closure.
    private var services: [ServiceGroupConfiguration.ServiceConfiguration] {
        let (director, webhooks, mails) = (core.director, core.webhooks.dispatcher, core.people.mails)
        var services: [any Service] = [
            BackgroundService { await director.run() },
            BackgroundService { await webhooks.run() },
            BackgroundService { await mails.run() },
            BackgroundService { await purgeSessions() },
            BackgroundService { await tendKeys() },
            BackgroundService { await removeQuietRooms() },
            ShutdownStep { await core.rooms.directory.loops.allClosed() },
            application,
            ShutdownStep { await drain() },
        ]
        if let exporter = shared.telemetry.exporter {
            services.insert(BackgroundService { await exporter.run() }, at: 0)
        }
        if let certificates = gateway.server.settings.certificates {
            services.append(BackgroundService { await watch(certificates) })
        }
        return services.map { .init(service: $0) }
    }

    /// The first thing at a stop: takes no more work, closes rooms and streams.
    private func drain() async {
        gateway.readiness.beginDraining()
        await core.judging.judge.beginStopping()
        core.rooms.directory.shutDown(.goingAway)
        shared.events.close()
    }

    /// The listener. Whoever started the server waits for the line that it prints.
    private var application: some Service {
        let gate = gateway.gate
        let certificates = gateway.server.settings.certificates
        return gateway.server.application(
            server: HTTPServerBuilder {
                GatewayChannel(gate: gate, certificates: certificates, responder: $0)
            }, logger: logger
        ) { [settings, identity = core.people.identity] port in
            let url = settings.listenerURL(port: port)
            if settings.publicURL == nil { identity.publicURL = url }
            print("coduel listening on \(url)")
            fflush(nil)
        }
    }

    /// After the last socket: what was handed to the disk gets there, running judgements are left to the next start.
    private func finish() async {
        shared.roomLog.drain()
        await core.webhooks.dispatcher.stop()
        shared.foundation.sandbox?.stop()
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

/// What is done when the server is told to stop.
private struct ShutdownStep: Service {
    let body: @Sendable () async -> Void

    func run() async throws {
        try await gracefulShutdown()
        await body()
    }
}
