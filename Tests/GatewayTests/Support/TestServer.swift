import Foundation
import Gateway
import Hummingbird
import Identity
import Logging
import Synchronization

/// A time that tests move by hand.
final class TestClock: Sendable {
    private let value: Mutex<Int64>

    init(_ ms: Int64 = 1_800_000_000_000) { value = Mutex(ms) }

    var nowMs: Int64 { value.withLock { $0 } }
    func advance(byMs ms: Int64) { value.withLock { $0 += ms } }
}

/// A gateway that listens on a free port of the loopback interface.
struct TestServer: Sendable {
    var port: Int
    var gateway: GatewayServer

    func send(
        _ method: String, _ target: String, token: String? = nil, headers: [(String, String)] = [],
        body: [UInt8]? = nil, host: String? = "localhost"
    ) async throws -> RawAnswer {
        var fields = headers
        if let token { fields.append(("Authorization", "Bearer \(token)")) }
        return try await RawHTTP.send(port: port, method, target, headers: fields, body: body, host: host)
    }

    func get(_ target: String, token: String? = nil, headers: [(String, String)] = []) async throws
        -> RawAnswer
    {
        try await send("GET", target, token: token, headers: headers)
    }

    func post(
        _ target: String, _ json: String, token: String? = nil, headers: [(String, String)] = []
    ) async throws -> RawAnswer {
        try await send(
            "POST", target, token: token, headers: [("Content-Type", "application/json")] + headers,
            body: Array(json.utf8))
    }
}

/// Runs `body` against a server of `gateway`, and stops it.
func withServer<Result: Sendable>(
    _ gateway: GatewayServer, _ body: @escaping @Sendable (TestServer) async throws -> Result
) async throws -> Result {
    var logger = Logger(label: "gateway-tests")
    logger.logLevel = .critical
    let quiet = logger
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { continuation.finish() }
            try await gateway.application(logger: quiet) { continuation.yield($0) }.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            throw RawHTTPError(message: "the server did not start")
        }
        let result = try await body(TestServer(port: port, gateway: gateway))
        group.cancelAll()
        // The server ends by cancellation, which is no failure.
        while await group.nextResult() != nil {}
        return result
    }
}

/// A gateway of `routes` alone. Tokens are `ROLE:USER`, and anything else is bad.
func gateway(
    _ routes: [Route], settings: GatewaySettings = GatewaySettings(port: 0), clock: TestClock = TestClock(),
    idempotency: (any IdempotencyStore)? = nil, metrics: Metrics = Metrics()
) -> GatewayServer {
    GatewayServer(
        routes: routes,
        authenticate: { token in
            let parts = token.split(separator: ":")
            guard parts.count == 2, let role = Role(rawValue: String(parts[0])) else {
                throw IdentityError(.invalidToken, "The token is not valid.")
            }
            let id = String(parts[1])
            return Caller(userID: id, handle: id, sessionID: "session-\(id)", roles: role.granted)
        },
        idempotency: idempotency, settings: settings, metrics: metrics, now: { clock.nowMs })
}

/// Settings of a test: a free port, and the given limits instead of the defaults.
func testSettings(_ policies: [RatePolicyName: RatePolicy] = [:]) -> GatewaySettings {
    GatewaySettings(port: 0, ratePolicies: policies)
}

/// A folder of its own that is gone when `body` has returned.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = NSTemporaryDirectory() + "coduel-gateway-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
