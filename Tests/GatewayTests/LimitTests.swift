import Gateway
import Hummingbird
import Testing

@Suite struct LimitTests {
    private static let routes = [
        Route(.get, "/read", access: .optional) { _, _ in .json(["ok": true]) },
        Route(.post, "/log-in", access: .open, limits: [.logins]) { _, _ in Response(status: .noContent) },
    ]

    @Test func overTheLimitIs429WithItsFields() async throws {
        let clock = TestClock()
        let settings = testSettings([.reads: RatePolicy(quota: 3, windowSeconds: 30)])
        try await withServer(gateway(Self.routes, settings: settings, clock: clock)) { server async throws in
            for left in [2, 1, 0] {
                let answer = try await server.get("/read", token: "user:ann")
                #expect(answer.status == 200)
                #expect(answer.header("ratelimit-policy") == "\"reads\";q=3;w=30")
                #expect(answer.header("ratelimit")?.hasPrefix("\"reads\";r=\(left);t=") == true)
            }
            let refused = try await server.get("/read", token: "user:ann")
            #expect(refused.status == 429)
            #expect(refused.header("retry-after") == "10")
            #expect(refused.header("ratelimit") == "\"reads\";r=0;t=10")
            #expect(refused.problemCode == "rate_limited")
            // Another user, and nobody at the same address, have buckets of their own.
            #expect(try await server.get("/read", token: "user:bob").status == 200)
            #expect(try await server.get("/read").status == 200)
            clock.advance(byMs: 10_000)
            #expect(try await server.get("/read", token: "user:ann").status == 200)
            #expect(try await server.get("/read", token: "user:ann").status == 429)
        }
    }

    @Test func badTokensAreLimitedByAddress() async throws {
        let settings = testSettings([.refusals: RatePolicy(quota: 2, windowSeconds: 60)])
        try await withServer(gateway(Self.routes, settings: settings)) { server async throws in
            #expect(try await server.get("/read", token: "bad").status == 401)
            #expect(try await server.get("/read", token: "bad").status == 401)
            #expect(try await server.get("/read", token: "bad").status == 429)
            #expect(try await server.get("/read", token: "user:ann").status == 200)
        }
    }

    @Test func forwardedAddressIsBelievedOfProxiesOnly() async throws {
        var settings = testSettings([.logins: RatePolicy(quota: 1, windowSeconds: 60)])
        try await withServer(gateway(Self.routes, settings: settings)) { server async throws in
            #expect(
                try await server.send("POST", "/log-in", headers: [("X-Forwarded-For", "9.9.9.1")]).status
                    == 204)
            #expect(
                try await server.send("POST", "/log-in", headers: [("X-Forwarded-For", "9.9.9.2")]).status
                    == 429)
        }
        settings.trustedProxies = try [#require(AddressBlock("127.0.0.0/8"))]
        try await withServer(gateway(Self.routes, settings: settings)) { server async throws in
            #expect(
                try await server.send("POST", "/log-in", headers: [("X-Forwarded-For", "9.9.9.1")]).status
                    == 204)
            #expect(
                try await server.send("POST", "/log-in", headers: [("X-Forwarded-For", "9.9.9.2")]).status
                    == 204)
            // What the client wrote in front of the proxy's hop counts for nothing.
            #expect(
                try await server.send("POST", "/log-in", headers: [("X-Forwarded-For", "1.1.1.1, 9.9.9.2")])
                    .status
                    == 429)
        }
    }

    @Test func quotaHoldsOverAnyPattern() {
        // However calls are spread, a window that follows a quiet one lets at most twice the quota through.
        let limiter = RateLimiter(policies: [.writes: RatePolicy(quota: 10, windowSeconds: 10)])
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &generator)
        var random = SplitMix(state: seed)
        var times: [Int64] = []
        var nowMs: Int64 = 1_000_000
        for _ in 0..<5_000 {
            nowMs += Int64(random.next() % 1_500)
            if limiter.take(.writes, subject: "s", atMs: nowMs)?.isAllowed == true { times.append(nowMs) }
        }
        for (index, start) in times.enumerated() {
            let inWindow = times[index...].prefix { $0 < start + 10_000 }.count
            #expect(inWindow <= 20, "seed \(seed)")
        }
        #expect(Double(times.count) >= Double(nowMs - 1_000_000) / 1_000 * 0.9, "seed \(seed)")
    }

    @Test func tableStaysBoundedAndKeepsTheStopped() {
        let limiter = RateLimiter(
            policies: [.writes: RatePolicy(quota: 2, windowSeconds: 60)], capacity: 100)
        for _ in 0..<3 { _ = limiter.take(.writes, subject: "stopped", atMs: 0) }
        for index in 0..<10_000 { _ = limiter.take(.writes, subject: "u\(index)", atMs: 1) }
        #expect(limiter.take(.writes, subject: "stopped", atMs: 2)?.isAllowed == false)
        #expect(limiter.subjectCount <= 100)
    }

    @Test func clockThatGoesBackLocksNobodyOut() {
        let limiter = RateLimiter(policies: [.writes: RatePolicy(quota: 1, windowSeconds: 10)])
        #expect(limiter.take(.writes, subject: "s", atMs: 1_000_000)?.isAllowed == true)
        let back = limiter.take(.writes, subject: "s", atMs: 0)
        #expect((back?.resetSeconds ?? 99) <= 10)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("192.168.4.0/22", "192.168.7.255", true), ("192.168.4.0/22", "192.168.8.0", false),
        ("::1/128", "::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
        ("0.0.0.0/0", "1.2.3.4", true),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("10.0.0.0/8", "nonsense", false),
    ])
    func blocksContainTheirAddresses(_ block: String, _ address: String, _ isInside: Bool) throws {
        #expect(try #require(AddressBlock(block)).contains(address) == isInside)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0/8", "x", "", "1.2.3.4/", "1.2.3.4/-1", "::/129", "1.2.3.4/8/8"])
    func badBlocksAreRefused(_ block: String) {
        #expect(AddressBlock(block) == nil)
    }
}

/// A small seeded generator (Steele, Lea, Flood 2014), so that a failure can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
