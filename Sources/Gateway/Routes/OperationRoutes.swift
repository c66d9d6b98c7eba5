import Foundation
import Hummingbird
import NIOCore

/// What operators and tools ask for: liveness, readiness, metrics, keys, the interface's description.
package enum OperationRoutes {
    package static func routes(
        readiness: Readiness, metrics: Metrics, jwks: @escaping @Sendable () -> String,
        settings: GatewaySettings
    ) -> [Route] {
        let description = settings.openAPI.map { text in
            Representation(
                Array(text.utf8),
                fields: [.contentType: "application/yaml; charset=utf-8", .cacheControl: "no-cache"])
        }
        let version = settings.version
        return [
            open("/healthz") {
                .json(Health(status: "ok", version: version, dependencies: await readiness.recent()))
            },
            open("/readyz") {
                let (isReady, checks) = await readiness.report()
                return .json(
                    Readings(status: isReady ? "ready" : "not_ready", checks: checks),
                    status: isReady ? .ok : .serviceUnavailable)
            },
            open("/metrics") {
                await metrics.refresh()
                return text(metrics.render(), "text/plain; version=0.0.4; charset=utf-8")
            },
            open("/.well-known/jwks.json") {
                text(jwks(), "application/jwk-set+json", caching: "public, max-age=300")
            },
            Route(.get, "/api/openapi.yaml", access: .open, limits: []) { request, _ in
                guard let description else { throw HTTPProblem.notFound("The description is not installed.") }
                return description.response(to: request)
            },
        ]
    }

    /// Without limits: probes and scrapers come often, and the answers are cheap.
    private static func open(_ path: String, _ answer: @escaping @Sendable () async throws -> Response)
        -> Route
    {
        Route(.get, path, access: .open, limits: []) { _, _ in try await answer() }
    }

    private static func text(_ body: String, _ mediaType: String, caching: String = "no-store") -> Response {
        Response(
            status: .ok, headers: [.contentType: mediaType, .cacheControl: caching],
            body: .init(byteBuffer: ByteBuffer(string: body)))
    }

    private struct Health: Encodable {
        var status: String
        var version: String
        var dependencies: [String: Bool]
    }

    private struct Readings: Encodable {
        var status: String
        var checks: [String: Bool]
    }
}
