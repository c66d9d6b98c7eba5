import Gateway
import Hummingbird
import NIOCore
import Synchronization
import Testing

/// Answers that are kept, and what makes them stale.
@Suite struct CacheTests {
    /// A source whose content and version move by hand, behind a gateway that keeps answers made from it.
    private final class Source: Sendable {
        let state = Mutex((text: "first", version: 1, made: 0))

        func make(_ audience: String) -> String {
            state.withLock { state in
                state.made += 1
                return
                    #"{"text":"\#(state.text)","audience":"\#(audience)","pad":"\#(String(repeating: "x", count: 2_000))"}"#
            }
        }

        var made: Int { state.withLock { $0.made } }
        var version: String? { state.withLock { $0.version == 0 ? nil : String($0.version) } }

        func change(_ text: String) {
            state.withLock { state in
                state.text = text
                state.version += 1
            }
        }
    }

    private func with(
        _ body: @escaping @Sendable (TestServer, Source, ResponseCache, TestClock) async throws -> Void
    ) async throws {
        let (source, clock) = (Source(), TestClock())
        let cache = ResponseCache(sources: ["s": { source.version }], now: { clock.nowMs })
        let route = Route(.get, "/api/v1/thing", access: .open, limits: [], cache: CacheRule(tag: "s")) {
            _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: source.make("all"))))
        }
        let change = Route(.post, "/api/v1/thing", access: .open, limits: [], changes: ["s"]) { _, _ in
            source.change("by call")
            return Response(status: .noContent)
        }
        let gateway = GatewayServer(
            routes: [route, change], authenticate: { _ in throw HTTPProblem.notFound() }, idempotency: nil,
            cache: cache, settings: GatewaySettings(port: 0), metrics: Metrics(), now: { clock.nowMs })
        try await withServer(gateway) { try await body($0, source, cache, clock) }
    }

    @Test func isMadeOnceAndAskedForAgain() async throws {
        try await with { server, source, cache, _ in
            let first = try await server.get("/api/v1/thing")
            let again = try await server.get("/api/v1/thing")
            #expect(first.body == again.body && source.made == 1)
            #expect(cache.counts == (hits: 1, misses: 1))
            let tag = try #require(first.header("etag"))
            let known = try await server.get("/api/v1/thing", headers: [("If-None-Match", tag)])
            #expect(known.status == 304 && known.body.isEmpty && known.header("etag") == tag)
            let other = try await server.get("/api/v1/thing?x=1")
            #expect(other.status == 200 && source.made == 2)
        }
    }

    @Test func aChangeHereIsSeenAtOnce() async throws {
        try await with { server, source, _, _ in
            _ = try await server.get("/api/v1/thing")
            #expect(try await server.send("POST", "/api/v1/thing").status == 204)
            #expect(try await server.get("/api/v1/thing").json["text"] as? String == "by call")
            #expect(source.made == 2)
        }
    }

    @Test func aChangeElsewhereIsSeenWithinAMoment() async throws {
        try await with { server, source, _, clock in
            let old = try await server.get("/api/v1/thing")
            source.change("by another")
            clock.advance(byMs: 249)
            #expect(try await server.get("/api/v1/thing").body == old.body)
            clock.advance(byMs: 1)
            let new = try await server.get("/api/v1/thing")
            #expect(new.json["text"] as? String == "by another")
            #expect(new.header("etag") != old.header("etag"))
        }
    }

    @Test func withoutAVersionNothingIsKept() async throws {
        try await with { server, source, _, _ in
            source.state.withLock { $0.version = 0 }
            _ = try await server.get("/api/v1/thing")
            _ = try await server.get("/api/v1/thing")
            #expect(source.made == 2)
        }
    }

    @Test func isCompressedForWhoTakesIt() async throws {
        try await with { server, source, _, _ in
            let plain = try await server.get("/api/v1/thing")
            let small = try await server.get(
                "/api/v1/thing", headers: [("Accept-Encoding", "br, gzip;q=0.5")])
            #expect(small.header("content-encoding") == "gzip")
            #expect(small.body.count < plain.body.count / 4 && small.body.starts(with: [0x1F, 0x8B]))
            #expect(small.header("vary")?.contains("Accept-Encoding") == true)
            for refused in ["", "br", "gzip;q=0", "identity", "*;q=0", "*, gzip;q=0"] {
                let answer = try await server.get("/api/v1/thing", headers: [("Accept-Encoding", refused)])
                #expect(answer.header("content-encoding") == nil && answer.body == plain.body)
            }
            #expect(source.made == 1)
        }
    }
}
