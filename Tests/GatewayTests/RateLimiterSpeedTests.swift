import Gateway
import Testing

@Suite struct RateLimiterSpeedTests {
    /// A limiter that costs more than the rest of a cached answer would be the first thing to fall over. The figure is
    /// printed; the bound is loose, for machines that do something else besides.
    @Test func aDecisionCostsMicroseconds() {
        let limiter = RateLimiter()
        let subjects = (0..<2_000).map { "ip:10.0.\($0 / 250).\($0 % 250)" }
        let calls = 200_000
        var costs: [Double] = []
        for round in 0..<5 {
            let start = ContinuousClock.now
            for call in 0..<calls {
                _ = limiter.take(
                    .reads, subject: subjects[call % subjects.count],
                    atMs: 1_700_000_000_000 + Int64(round * 60_000 + call / 50))
            }
            costs.append((ContinuousClock.now - start).inSeconds / Double(calls) * 1e6)
        }
        let best = costs.min() ?? .infinity
        print("rate limiter: \(best) us a decision, rounds \(costs)")
        #expect(best < 20)
    }
}
