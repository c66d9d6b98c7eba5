import Gateway
import Hummingbird
import Testing

/// Host and origin, headers of every answer, and pages of other origins.
@Suite struct OriginTests {
    private static let routes = [
        Route(.get, "/open", access: .open, limits: []) { _, _ in .json(["ok": true]) },
        Route(.post, "/open", access: .open, limits: []) { _, _ in .json(["ok": true]) },
    ]

    @Test(arguments: [
        ("localhost", 200), ("LOCALHOST:80", 200), ("127.0.0.1:8080", 200), ("[::1]:1", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("[::1", 403), ("localhost:x", 403),
        ("a b", 403), ("", 403),
    ])
    func loopbackAnswersToItsOwnNamesOnly(_ host: String, _ status: Int) async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            #expect(try await server.send("GET", "/open", host: host).status == status)
        }
    }

    @Test func pagesOfOtherOriginsAreRefused() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            func call(_ origin: String) async throws -> Int {
                try await server.send("POST", "/open", headers: [("Origin", origin)], host: "localhost:9")
                    .status
            }
            #expect(try await call("http://localhost:9") == 200)
            for origin in [
                "http://localhost:8", "https://localhost", "http://evil.example", "null", "file://",
                "http://",
            ] {
                #expect(try await call(origin) == 403)
            }
        }
    }

    @Test func listedOriginsGetCORS() async throws {
        var settings = testSettings()
        settings.allowedOrigins = ["https://editor.example"]
        try await withServer(gateway(Self.routes, settings: settings)) { server async throws in
            let origin = [("Origin", "https://editor.example")]
            let preflight = try await server.send("OPTIONS", "/open", headers: origin)
            #expect(preflight.status == 204)
            #expect(preflight.header("access-control-allow-origin") == "https://editor.example")
            #expect(preflight.header("access-control-allow-headers")?.contains("Authorization") == true)
            let answer = try await server.get("/open", headers: origin)
            #expect(answer.header("access-control-allow-origin") == "https://editor.example")
            #expect(answer.header("vary") == "Origin")
        }
        try await withServer(gateway(Self.routes)) { server async throws in
            let plain = try await server.get("/open")
            #expect(plain.header("access-control-allow-origin") == nil)
            #expect(try await server.send("OPTIONS", "/open").status == 405)
        }
    }

    @Test func everyAnswerCarriesTheSecurityFields() async throws {
        try await withServer(gateway(Self.routes)) { server async throws in
            for target in ["/open", "/nothing", "/"] {
                let answer = try await server.get(target)
                let policy = answer.header("content-security-policy") ?? ""
                #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self';"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(policy.contains("connect-src 'self' ws://localhost wss://localhost;"))
                #expect(!policy.contains("unsafe"))
                #expect(answer.header("x-content-type-options") == "nosniff")
                #expect(answer.header("referrer-policy") == "no-referrer")
                #expect(answer.header("x-request-id")?.isEmpty == false)
            }
        }
    }

    @Test func listenerBeyondLoopbackTakesListedNames() {
        let any = OriginPolicy(isLoopback: false)
        #expect(any.acceptsHost("coduel.example"))
        let named = OriginPolicy(isLoopback: false, hosts: ["Coduel.example"])
        #expect(named.acceptsHost("coduel.example:443"))
        #expect(!named.acceptsHost("other.example"))
        // Behind a proxy that ends TLS the page's origin says https and the port is left out on both sides.
        #expect(named.acceptsOrigin("https://coduel.example", host: "coduel.example"))
        #expect(!named.acceptsOrigin("https://coduel.example:444", host: "coduel.example"))
        #expect(named.acceptsOrigin(nil, host: "coduel.example"))
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.0.1", true), ("::1", true), ("localhost", true), ("0.0.0.0", false),
        ("::", false), ("10.0.0.1", false), ("host.example", false),
    ])
    func loopbackIsTold(_ host: String, _ isLoopback: Bool) {
        #expect(GatewaySettings(host: host).isLoopback == isLoopback)
    }
}
