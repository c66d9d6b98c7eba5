// What a decision of the rate limiter costs; built by limiter.py together with the server's own sources.
//
//   limiter CALLS ROUNDS      one JSON object: µs a call of each round, by case
//
// The time that is handed in moves as it would at 50,000 calls a second.

private let start: Int64 = 1_700_000_000_000
private let callsPerMs = 50

private func seconds(_ work: () -> Void) -> Double {
    let begin = ContinuousClock.now
    work()
    let (whole, part) = (ContinuousClock.now - begin).components
    return Double(whole) + Double(part) / 1e18
}

/// What a call answers, so that nothing is optimised away.
@inline(never) private func use(_ decision: RateDecision?) -> Int { decision?.remaining ?? 0 }

/// As the gateway tells the caller: the two fields.
@inline(never) private func tell(_ decision: RateDecision?) -> Int {
    guard let decision else { return 0 }
    return decision.policyField.utf8.count + decision.limitField.utf8.count
}

private func subjects(_ count: Int) -> [String] {
    (0..<count).map { "user:0190d3a2-7b1c-7e5a-\(1_000_000 + $0)" }
}

private struct Case {
    var name: String
    var limiter: RateLimiter
    var subjects: [String]
    var tells = false
    var threads = 1

    func run(_ calls: Int, _ round: Int) -> Double {
        let at = start + Int64(round) * 600_000
        let own = subjects, limiter = limiter, tells = tells
        return seconds {
            for call in 0..<calls {
                let decision = limiter.take(
                    .reads, subject: own[call % own.count], atMs: at + Int64(call / callsPerMs))
                _ = tells ? tell(decision) : use(decision)
            }
        }
    }

    /// Seconds of `calls` on each thread, the slowest.
    func runAll(_ calls: Int, _ round: Int) async -> Double {
        guard threads > 1 else { return run(calls, round) }
        let own = self
        return await withTaskGroup(of: Double.self) { group in
            for _ in 0..<threads { group.addTask { own.run(calls, round) } }
            return await group.reduce(0) { max($0, $1) }
        }
    }
}

@main private struct Limiter {
    static func main() async {
        guard CommandLine.arguments.count == 3, let calls = Int(CommandLine.arguments[1]), calls > 0,
            let rounds = Int(CommandLine.arguments[2]), rounds > 0
        else { return print("usage: limiter CALLS ROUNDS") }
        let refusing: [RatePolicyName: RatePolicy] = [.reads: RatePolicy(quota: 1, windowSeconds: 86_400)]
        let cases = [
            Case(name: "one subject, mostly refused", limiter: RateLimiter(), subjects: subjects(1)),
            Case(name: "2,000 subjects", limiter: RateLimiter(), subjects: subjects(2_000)),
            Case(
                name: "2,000 subjects, refused", limiter: RateLimiter(policies: refusing),
                subjects: subjects(2_000)),
            Case(
                name: "2,000 subjects, and the fields of the answer", limiter: RateLimiter(),
                subjects: subjects(2_000),
                tells: true),
            Case(
                name: "2,000 subjects, two threads", limiter: RateLimiter(), subjects: subjects(2_000),
                threads: 2),
            Case(
                name: "120,000 subjects, more than are remembered", limiter: RateLimiter(),
                subjects: subjects(120_000)),
            Case(name: "no policy", limiter: RateLimiter(policies: [:]), subjects: subjects(2_000)),
        ]
        var costs: [String: [Double]] = [:]
        for round in 0..<rounds {
            for one in cases {
                costs[one.name, default: []].append(await one.runAll(calls, round) / Double(calls) * 1e6)
            }
        }
        let rows = cases.map { "\"\($0.name)\": \(costs[$0.name] ?? [])" }
        print("{\(rows.joined(separator: ",\n"))}")
    }
}
