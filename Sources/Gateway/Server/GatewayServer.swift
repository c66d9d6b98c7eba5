import Hummingbird
import HummingbirdCore
import Identity
import Logging
import NIOCore
import Traces

/// The HTTP side of the server: all routes behind one responder, and the application that serves it.
package struct GatewayServer: Sendable {
    package let responder: GatewayResponder
    package let settings: GatewaySettings
    package let origins: OriginPolicy

    /// - Parameters:
    ///   - routes: every call; two with the same method and path are a programming error, the first wins.
    ///   - authenticate: the caller of an access token; throws `IdentityError` for a bad one.
    ///   - tracer: opens a span for every request.
    ///   - limiter: where others count calls too; nil makes one of the settings.
    ///   - audit: writes down what those with power do; nil writes nothing.
    ///   - cache: keeps answers of public reads; nil makes each anew.
    ///   - idempotency: remembers answers for `Idempotency-Key`; nil ignores the field.
    package init(
        routes: [Route], authenticate: @escaping Admission.Authenticate, idempotency: (any IdempotencyStore)?,
        audit: AuditGate? = nil, cache: ResponseCache? = nil, settings: GatewaySettings, metrics: Metrics,
        limiter: RateLimiter? = nil, tracer: Tracer = .off,
        now: @escaping @Sendable () -> Int64
    ) {
        let limiter = limiter ?? RateLimiter(policies: settings.effectiveRatePolicies)
        let pages = settings.pages
        let origins = settings.originPolicy
        self.settings = settings
        self.origins = origins
        self.responder = GatewayResponder(
            table: RouteTable(routes),
            admission: Admission(
                authenticate: authenticate, limiter: limiter, metrics: metrics,
                bodyTimeoutMs: settings.bodyTimeoutMs, now: now),
            origins: origins, proxies: settings.trustedProxies,
            idempotency: idempotency.map { IdempotencyGate(store: $0, now: now) }, audit: audit,
            cache: cache, isSecure: settings.certificates != nil,
            observer: RequestObserver(
                tracer: tracer, metrics: metrics, logsAccess: settings.logsAccess,
                scheme: settings.certificates == nil ? "http" : "https"),
            requestsInFlight: settings.requestsInFlight,
            fallback: { request, segments in pages.response(to: request, segments: segments) })
        metrics.gauge(.buildInfo, labels: [settings.version, BuildInfo.swiftVersion]) { 1 }
        metrics.gauge(.rateLimitSubjects) { Double(limiter.subjectCount) }
        let responder = responder
        metrics.gauge(.requestsActive) { [weak responder] in Double(responder?.requestsActive ?? 0) }
    }

    /// The application that binds the settings' address. `onRunning` gets the port that was really bound.
    package func application(
        server: HTTPServerBuilder = .http1(configuration: .init(idleTimeout: .seconds(60))), logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) -> Application<GatewayResponder> {
        let asked = settings.port
        return Application(
            responder: responder, server: server,
            configuration: .init(
                address: .hostname(settings.host, port: asked), backlog: GatewayLimits.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(GatewayLimits.connections)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? asked) },
            logger: logger)
    }
}
