import APIReference
import Gateway
import Judging
import StorageSQLite
import SyncServer

/// The doors of an installation: HTTP, sockets, and the word whether they are open.
struct GatewayParts {
    let readiness: Readiness
    let gate: SocketGate
    let server: GatewayServer

    /// Metrics that need both the core and its readiness are registered on the way.
    init(_ core: ApplicationCore) {
        let (shared, people) = (core.shared, core.people)
        let (database, settings) = (shared.database, shared.gatewaySettings)
        readiness = Self.readiness(core)
        core.registerMetrics(readiness)
        gate = SocketGate(
            identity: people.identity, services: people.services, directory: core.rooms.directory,
            origins: settings.originPolicy, proxies: settings.trustedProxies,
            opensAnyName: shared.settings.openRooms, echoes: shared.settings.conformanceEcho,
            tracer: shared.telemetry.tracer)
        server = GatewayServer(
            routes: core.routes + Self.routes(core, readiness, gate),
            authenticate: { try await people.caller(of: $0) },
            idempotency: IdempotencyStoreSQLite(database),
            audit: AuditGate(log: AuditLogSQLite(database), environment: shared.environment),
            cache: ResponseCache(
                sources: [
                    ProblemRoutes.cacheTag: { try? await ProblemStoreSQLite(database).version() }
                ], now: shared.now),
            settings: settings, metrics: shared.metrics, limiter: shared.limiter,
            tracer: shared.telemetry.tracer, now: shared.now)
    }

    private static func readiness(_ core: ApplicationCore) -> Readiness {
        let (catalogue, log) = (core.judging.catalogue, core.shared.roomLog)
        let executor = core.judging.executor
        return Readiness(checks: [
            .init("database") { (try? await catalogue.count()) != nil },
            .init("room_log") { (try? await log.records(of: "", after: 0, limit: 1)) != nil },
            .init("sandbox") { executor.isUsable },
        ])
    }

    /// What is asked about the doors themselves, and the description of all calls where it is installed.
    private static func routes(
        _ core: ApplicationCore, _ readiness: Readiness, _ gate: SocketGate
    ) -> [Route] {
        let (shared, identity) = (core.shared, core.people.identity)
        return OperationRoutes.routes(
            readiness: readiness, metrics: shared.metrics, jwks: { identity.jwks() },
            settings: shared.gatewaySettings)
            + AdminRoutes(
                identity: identity, directory: core.rooms.directory,
                forgetRefusals: { gate.forgetRefusals() }
            ).routes + gate.routes + referenceRoutes(openAPI: shared.foundation.openAPI)
    }

    private static func referenceRoutes(openAPI: String?) -> [Route] {
        guard let reference = openAPI.flatMap(APIReference.init) else { return [] }
        return ReferenceRoutes.routes(page: reference.page, style: APIReference.style)
    }
}
