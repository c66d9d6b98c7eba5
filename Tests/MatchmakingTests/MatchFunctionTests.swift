import Matchmaking
import TestSupport
import Testing

@Suite struct MatchFunctionTests {
    private let function = MatchFunction()

    private func pairs(_ tickets: [Ticket]) -> [String] {
        MatchEvaluator().resolve(function.proposals(for: tickets, atMs: poolNowMs))
            .map { $0.tickets.map(\.id).sorted().joined(separator: "-") }.sorted()
    }

    @Test func equalTicketsMatchAtOnce() {
        #expect(pairs([makeTicket("a"), makeTicket("b")]) == ["a-b"])
    }

    @Test func whatKeepsTicketsApart() {
        let base = makeTicket("a", waited: 300)
        #expect(pairs([base, makeTicket("b", user: "u-a", waited: 300)]).isEmpty, "the same user")
        #expect(pairs([base, makeTicket("b", waited: 300, mode: .pair)]).isEmpty)
        #expect(pairs([base, makeTicket("b", waited: 300, rated: false)]).isEmpty)
        #expect(pairs([base, makeTicket("b", waited: 300, languages: ["c"])]).isEmpty)
        let graphs = makeTicket("c", waited: 300, topics: ["graphs"])
        #expect(pairs([graphs, makeTicket("b", waited: 300, topics: ["strings"])]).isEmpty)
        #expect(pairs([base, graphs]) == ["a-c"], "no topic means any")
    }

    @Test func agreesOnTheLanguageBothWantMost() throws {
        let a = makeTicket("a", languages: ["c", "python", "cpp"], topics: ["dp", "graphs"], watch: .open)
        let b = makeTicket("b", waited: 1, languages: ["python", "cpp", "c"], topics: ["graphs", "dp"])
        let match = try #require(function.proposals(for: [a, b], atMs: poolNowMs).first)
        #expect(match.language == "python")
        #expect(match.topics == ["dp", "graphs"])
        #expect(match.watch == .closed)
        #expect(match.first.id == "b", "the longer waiting one first")
        let tie = MatchFunction.agreement(
            makeTicket("a", languages: ["c", "cpp"]), makeTicket("b", languages: ["cpp", "c"]))
        #expect(tie?.language == "c", "ties by name, whoever comes first")
    }

    @Test func bothMustHaveWaited() {
        let far = (makeTicket("a", rating: 1_400, waited: 20), makeTicket("b", rating: 1_900, waited: 20))
        #expect(pairs([far.0, far.1]) == ["a-b"])
        #expect(
            pairs([far.0, makeTicket("b", rating: 1_900)]).isEmpty, "patience is not forced on a newcomer")
        #expect(pairs([makeTicket("a", rating: 1_400, waited: 10), far.1]).isEmpty)
    }

    @Test func anyCompatiblePairAtTheCap() {
        let cap = function.widening.anyGapAfterMs / 1_000
        let low = makeTicket("a", rating: 100, deviation: 45, waited: cap)
        #expect(pairs([low, makeTicket("b", rating: 4_000, deviation: 45, waited: cap)]) == ["a-b"])
        #expect(pairs([low, makeTicket("b", rating: 4_000, deviation: 45, waited: cap - 1)]).isEmpty)
    }

    @Test func closestFitWins() {
        let tickets = [
            makeTicket("a", rating: 1_500), makeTicket("b", rating: 1_590), makeTicket("c", rating: 1_510),
        ]
        #expect(pairs(tickets) == ["a-c"])
    }

    @Test func moreMatchesBeforeClosestFit() {
        // The closest two are in the middle; taking them would leave both ends alone.
        let tickets = [1_400.0, 1_500, 1_510, 1_610].enumerated().map { makeTicket("\($0)", rating: $1) }
        #expect(pairs(tickets) == ["0-1", "2-3"])
    }

    @Test func crossedPartnersAreExchanged() {
        let tickets = [
            makeTicket("a", rating: 1_500, waited: 60), makeTicket("b", rating: 1_600, waited: 60),
            makeTicket("c", rating: 1_601, waited: 60), makeTicket("d", rating: 1_900, waited: 60),
        ]
        let total = MatchEvaluator().resolve(function.proposals(for: tickets, atMs: poolNowMs))
            .reduce(0) { $0 + $1.gap }
        let best =
            Glicko2.effectiveGap(tickets[0].rating, tickets[1].rating)
            + Glicko2.effectiveGap(tickets[2].rating, tickets[3].rating)
        #expect(total <= best + 1e-6)
    }

    @Test func userWithTwoModesIsMatchedOnceATime() {
        let matched = MatchEvaluator().resolve(
            function.proposals(
                for: [
                    makeTicket("a1", user: "ann"), makeTicket("a2", user: "ann", mode: .pair),
                    makeTicket("b", user: "bob"), makeTicket("c", user: "cem", mode: .pair),
                ], atMs: poolNowMs))
        #expect(matched.count == 1)
    }

    static func randomPool(seed: UInt64, count: Int) -> [Ticket] {
        var random = SplitMix64(seed: seed)
        let words = ["python", "c", "cpp", "java", "go", "rust", "swift", "javascript"]
        let topics = ["graphs", "dp", "strings", "math", "greedy"]
        return (0..<count).map { number in
            makeTicket(
                "t\(number)", user: "u\(Int.random(in: 0..<max(count * 9 / 10, 1), using: &random))",
                rating: Double.random(in: 800...2_400, using: &random),
                deviation: Double.random(in: 45...350, using: &random),
                waited: Int64.random(in: 0...70, using: &random),
                mode: Int.random(in: 0..<4, using: &random) == 0 ? .pair : .duel,
                languages: Array(
                    words.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))),
                topics: Array(
                    topics.shuffled(using: &random).prefix(
                        [0, 0, 1, 2][Int.random(in: 0..<4, using: &random)])),
                rated: Bool.random(using: &random))
        }
    }

    @Test func randomPoolsKeepTheRules() {
        for seed in Scale.seeds(40, offset: 29) {
            var random = SplitMix64(seed: seed)
            let tickets = Self.randomPool(seed: seed, count: Int.random(in: 0...120, using: &random))
            let note = Comment(rawValue: Scale.rerun(seed, "randomPoolsKeepTheRules"))
            let matches = MatchEvaluator().resolve(function.proposals(for: tickets, atMs: poolNowMs))
            let users = matches.flatMap(\.tickets).map(\.userID)
            #expect(Set(users).count == users.count, note)
            for match in matches {
                let (a, b) = (match.first, match.second)
                #expect(a.mode == b.mode && a.rated == b.rated, note)
                #expect(a.languages.contains(match.language) && b.languages.contains(match.language), note)
                #expect(match.gap <= function.acceptedGap(of: a, atMs: poolNowMs), note)
                #expect(match.gap <= function.acceptedGap(of: b, atMs: poolNowMs), note)
            }
            let again = MatchEvaluator().resolve(
                function.proposals(for: tickets.shuffled(using: &random), atMs: poolNowMs))
            #expect(matches == again, note)
            // No proposal is left whose two users are free.
            let taken = Set(users)
            for proposal in function.proposals(for: tickets, atMs: poolNowMs) {
                #expect(!taken.isDisjoint(with: proposal.tickets.map(\.userID)), note)
            }
        }
    }

    /// Against all ways of pairing eight tickets: as many matches as possible, and hardly more gap.
    @Test func smallPoolsAreNearlyOptimal() {
        for seed in Scale.seeds(150, offset: 29) {
            let tickets = Self.randomPool(seed: seed, count: 8)
            let proposals = function.proposals(for: tickets, atMs: poolNowMs)
            let best = Self.best(proposals, used: [])
            let chosen = MatchEvaluator().resolve(proposals)
            let note = Comment(rawValue: Scale.rerun(seed, "smallPoolsAreNearlyOptimal"))
            #expect(chosen.count == best.count, note)
            #expect(chosen.reduce(0) { $0 + $1.cost } <= best.cost + 300, note)
        }
    }

    private static func best(_ proposals: [ProposedMatch], used: Set<String>) -> (count: Int, cost: Double) {
        var best = (count: 0, cost: 0.0)
        for (place, match) in proposals.enumerated() {
            let users = Set(match.tickets.map(\.userID))
            guard used.isDisjoint(with: users) else { continue }
            var rest = Self.best(Array(proposals[(place + 1)...]), used: used.union(users))
            rest.count += 1
            rest.cost += match.cost
            if rest.count > best.count || (rest.count == best.count && rest.cost < best.cost) { best = rest }
        }
        return best
    }

    /// Ticks until everyone who has a compatible partner is matched: the cap bounds the wait of any two.
    @Test func nobodyWaitsBeyondTheCapWhileACompatiblePartnerWaits() {
        let cap = function.widening.anyGapAfterMs
        for seed in Scale.seeds(20, offset: 29) {
            var waiting = Self.randomPool(seed: seed, count: 60)
            for tick in 0..<40 {
                let matched = MatchEvaluator().resolve(
                    function.proposals(for: waiting, atMs: poolNowMs + cap + Int64(tick) * 500))
                let taken = Set(matched.flatMap(\.tickets).map(\.id))
                waiting.removeAll { taken.contains($0.id) }
                if matched.isEmpty { break }
            }
            for (place, a) in waiting.enumerated() {
                for b in waiting[(place + 1)...] {
                    #expect(
                        MatchFunction.agreement(a, b) == nil,
                        Comment(rawValue: Scale.rerun(seed, "nobodyWaitsBeyondTheCap")))
                }
            }
        }
    }

    @Test(arguments: [1_000, MatchmakingLimits.maximumWaitingTickets])
    func aTickOverManyTicketsIsQuick(count: Int) {
        let tickets = Self.randomPool(seed: 3, count: count)
        let clock = ContinuousClock()
        var matches: [ProposedMatch] = []
        let time = clock.measure {
            matches = MatchEvaluator().resolve(function.proposals(for: tickets, atMs: poolNowMs))
        }
        #expect(matches.count > count / 4)
        #expect(time < .seconds(5), "generous: unoptimised builds, busy machines")
        print("match function: \(count) tickets, \(matches.count) matches, \(time)")
    }
}
