import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Logging
import Traces

/// One request while it is answered, as it is seen from outside.
struct RequestObservation {
    let started = ContinuousClock.now
    var span: OpenSpan?
    /// What the request is part of: its own span, or with tracing off the caller's.
    let trace: TraceContext?
    /// The client's.
    var address = ""

    /// Answers the request within its trace.
    func run(_ answer: () async throws -> Response) async rethrows -> Response {
        guard let trace else { return try await answer() }
        return try await TraceContext.$current.withValue(trace) { try await answer() }
    }
}

/// Notes every request: a span, a measurement, a line of the log. The names are those of OpenTelemetry's semantic
/// conventions for HTTP and of the Elastic Common Schema. Paths appear as templates only: a real one may hold an invite,
/// its query a token.
struct RequestObserver: Sendable {
    let tracer: Tracer
    let metrics: Metrics
    let logsAccess: Bool
    /// Of the connections to this server: `http`, or `https` where it speaks TLS itself.
    let scheme: String

    func begin(_ request: Request) -> RequestObservation {
        let caller = request.headers[.traceparent].flatMap {
            TraceContext(traceparent: $0, tracestate: request.headers[.tracestate])
        }
        let span = tracer.begin(request.method.rawValue, .server, below: caller)
        return RequestObservation(span: span, trace: span?.context ?? caller)
    }

    func end(
        _ observation: inout RequestObservation, _ request: Request, _ response: Response, route: String,
        _ context: GatewayContext
    ) {
        let elapsed = ContinuousClock.now - observation.started
        let method = Self.label(of: request.method)
        metrics.observe(
            .requestDuration, elapsed.inSeconds, labels: [method, route, String(response.status.code)])
        end(&observation.span, request, response, method, route, observation.address)
        log(observation, method, response, route, elapsed, context)
    }

    private func end(
        _ span: inout OpenSpan?, _ request: Request, _ response: Response, _ method: String, _ route: String,
        _ address: String
    ) {
        guard span != nil else { return }
        span?.rename("\(method) \(route)")
        span?["http.request.method"] = .text(method)
        span?["http.route"] = .text(route)
        span?["http.response.status_code"] = .integer(Int64(response.status.code))
        span?["url.scheme"] = .text(scheme)
        span?["server.address"] = request.head.authority.map { .text($0) }
        span?["client.address"] = .text(address)
        // By the conventions only the server's own faults are failures of a server's span.
        if response.status.code >= 500 {
            span?["error.type"] = .text(String(response.status.code))
            span?.fail(response.status.reasonPhrase)
        }
        tracer.end(span)
    }

    private func log(
        _ observation: RequestObservation, _ method: String, _ response: Response, _ route: String,
        _ elapsed: Duration, _ context: GatewayContext
    ) {
        // Files and probes come often and tell little.
        let level: Logger.Level = logsAccess && !Self.quietRoutes.contains(route) ? .info : .debug
        guard context.logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "event.dataset": "coduel.access",
            "event.duration": "\(Int64(elapsed.inSeconds * 1e9))",
            "http.request.method": "\(method)",
            "http.response.status_code": "\(response.status.code)",
            "http.route": "\(route)",
            "client.ip": "\(observation.address)",
        ]
        // Tells requests of one user together without telling who it is.
        if let caller = context.caller {
            metadata["user.hash"] = "\(Hashing.sha256Hex(Array(caller.userID.utf8)).prefix(16))"
        }
        guard let trace = observation.trace else {
            return context.logger.log(level: level, "answered", metadata: metadata)
        }
        TraceContext.$current.withValue(trace) {
            context.logger.log(level: level, "answered", metadata: metadata)
        }
    }

    private static let quietRoutes: Set<String> = ["static", "/healthz", "/readyz", "/metrics"]

    /// A method nobody knows must not become a label of its own.
    private static func label(of method: HTTPRequest.Method) -> String {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        return known.contains(method) ? method.rawValue : "_OTHER"
    }
}

/// What the program was made with.
enum BuildInfo {
    #if compiler(>=6.3)
        static let swiftVersion = "6.3"
    #else
        static let swiftVersion = "6.2"
    #endif
}

extension Duration {
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
