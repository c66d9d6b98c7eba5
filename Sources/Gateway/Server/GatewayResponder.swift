import HTTPTypes
import Hummingbird
import Identity
import NIOCore
import Synchronization
import Traces

/// Answers every request: checks whom it is meant for, finds the route, admits, calls the handler, turns any error
/// into a problem, and puts the fields on that every answer carries.
package final class GatewayResponder: HTTPResponder {
    package typealias Context = GatewayContext

    /// What answers a path that no route names: the files of the page. Nil is 404.
    package typealias Fallback = @Sendable (_ request: Request, _ segments: [String]) -> Response?

    package let table: RouteTable
    /// Requests that handlers work on now.
    package var requestsActive: Int { inFlight.load(ordering: .relaxed) }
    private let admission: Admission
    private let origins: OriginPolicy
    private let proxies: [AddressBlock]
    private let idempotency: IdempotencyGate?
    private let audit: AuditGate?
    private let cache: ResponseCache?
    private let isSecure: Bool
    private let observer: RequestObserver
    private let fallback: Fallback
    private let requestsInFlight: Int
    private let inFlight = Atomic<Int>(0)

    init(
        table: RouteTable, admission: Admission, origins: OriginPolicy, proxies: [AddressBlock],
        idempotency: IdempotencyGate?, audit: AuditGate?, cache: ResponseCache?, isSecure: Bool,
        observer: RequestObserver, requestsInFlight: Int,
        fallback: @escaping Fallback
    ) {
        self.table = table
        self.admission = admission
        self.origins = origins
        self.proxies = proxies
        self.idempotency = idempotency
        self.audit = audit
        self.cache = cache
        self.isSecure = isSecure
        self.observer = observer
        self.requestsInFlight = requestsInFlight
        self.fallback = fallback
    }

    /// Never throws: every failure is a problem answer.
    package func respond(to request: Request, context: GatewayContext) async throws -> Response {
        var observation = observer.begin(request)
        var context = context
        context.address = ClientAddress.resolve(
            peer: context.address, forwardedFor: request.headers[.forwardedFor], proxies: proxies)
        observation.address = context.address
        var label = "none"
        var fields: HTTPFields = [:]
        var response: Response
        do {
            response = try await observation.run {
                try await answer(request, &context, label: &label, fields: &fields)
            }
        } catch {
            response = problemResponse(for: error, observation.trace, context)
        }
        finish(&response, request, context, fields)
        observer.end(&observation, request, response, route: label, context)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(
        _ request: Request, _ context: inout GatewayContext, label: inout String, fields: inout HTTPFields
    ) async throws -> Response {
        let authority = request.head.authority
        guard let authority else { throw HTTPProblem.malformed("The Host field is missing.") }
        guard origins.acceptsHost(authority) else {
            throw HTTPProblem.forbidden(
                "This server does not answer to that host name.", code: "host_not_allowed")
        }
        let origin = request.headers[.origin]
        guard origins.acceptsOrigin(origin, host: authority) else {
            throw HTTPProblem.forbidden(
                "Pages of that origin may not call this server.", code: "origin_not_allowed")
        }
        guard let segments = RequestPath.segments(of: request.uri.path) else { throw HTTPProblem.notFound() }
        if request.method == .options, let origin, origins.isListed(origin) {
            return Response(status: .noContent, headers: Self.preflightFields)
        }
        switch table.match(request.method, segments) {
        case .route(let route, let parameters):
            label = route.path
            context.pathParameters = parameters
            try await admission.admit(request, to: route, &context, fields: &fields)
            return try await handle(request, context, route).compressed(for: request)
        case .methodNotAllowed(let allowed):
            throw HTTPProblem.methodNotAllowed(allowed)
        case .none:
            guard request.method == .get || request.method == .head,
                let response = fallback(request, segments)
            else { throw HTTPProblem.notFound() }
            label = "static"
            return response
        }
    }

    /// Runs the handler, unless too many run already.
    private func handle(_ request: Request, _ context: GatewayContext, _ route: Route) async throws
        -> Response
    {
        let running = inFlight.wrappingAdd(1, ordering: .relaxed).newValue
        defer { inFlight.wrappingSubtract(1, ordering: .relaxed) }
        // Probes are answered also, and above all, when there is too much to do.
        guard running <= requestsInFlight || route.limits.isEmpty else {
            throw HTTPProblem.unavailable("The server has too much to do; try again.")
        }
        guard let audit, audit.concerns(route, context) else {
            return try await work(request, context, route)
        }
        return try await audit.answer(context, route) { try await work(request, context, route) }
    }

    private func work(
        _ request: Request, _ context: GatewayContext, _ route: Route
    ) async throws -> Response {
        if let cache, let rule = route.cache {
            return try await cache.answer(request, context, rule) {
                try await route.handler(request, context)
            }
        }
        defer { for tag in route.changes { cache?.invalidate(tag) } }
        if route.idempotent, let idempotency { return try await idempotency.answer(request, context, route) }
        return try await route.handler(request, context)
    }

    private func problemResponse(
        for error: any Error, _ trace: TraceContext?, _ context: GatewayContext
    ) -> Response {
        let problem = HTTPProblem.describing(error)
        if problem.status == .internalServerError {
            context.logger.error("request failed", metadata: ["error": "\(error)"])
        }
        return problem.response(traceID: trace?.traceID)
    }

    /// Whether the request has a body that is long, or of which nobody knows how long it gets.
    private static func mayBeLong(_ request: Request) -> Bool {
        guard let length = request.headers[.contentLength].flatMap({ Int($0) }) else {
            return request.headers[.transferEncoding] != nil
        }
        return length > GatewayLimits.jsonBody
    }

    private func finish(
        _ response: inout Response, _ request: Request, _ context: GatewayContext, _ fields: HTTPFields
    ) {
        response.headers.append(contentsOf: fields)
        if !context.bodyWasRead, Self.mayBeLong(request) {
            // A body that nobody wants is not worth reading for long.
            // A stream of HTTP/2 lies on a connection that others use, and knows no such field.
            if context.channel.parent?.parent == nil { response.headers[.connection] = "close" }
            let channel = context.channel
            channel.eventLoop.scheduleTask(in: GatewayLimits.lingerAfterRefusal) {
                channel.close(promise: nil)
            }
        }
        response.headers[.requestID] = context.id
        SecurityHeaders.apply(to: &response.headers, authority: request.head.authority, isSecure: isSecure)
        if !response.headers.contains(.cacheControl) { response.headers[.cacheControl] = "no-store" }
        if let origin = request.headers[.origin], origins.isListed(origin) {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlExposeHeaders] =
                "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id"
            response.headers.addVary("Origin")
            response.headers[.resourcePolicy] = "cross-origin"
        }
    }

    private static let preflightFields: HTTPFields = [
        .accessControlAllowMethods: "GET, POST, PUT, PATCH, DELETE",
        .accessControlAllowHeaders:
            "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID",
        .accessControlMaxAge: "600",
    ]
}
