import Battles
import Foundation
import TestSupport
import Testing

/// Random event sequences, with nonsense among them, against an independent reading of the rules.
@Suite struct BattlePropertyTests {
    private static let verdicts = ["AC", "WA", "TLE", "RTE", "CE", "JE", "?"]

    private static func randomEvent(
        _ scene: Scene, _ step: Int, using random: inout SplitMix64
    ) -> BattleEvent {
        let player = ["ann", "bob", "bob", "ann", "eve"].randomElement(using: &random) ?? "ann"
        let known = scene.battle.pendingSubmissions + (step % 7 == 0 ? ["ghost"] : [])
        let id = known.randomElement(using: &random) ?? "ghost"
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<12: return .connected(player: player)
        case 12..<17: return .disconnected(player: player)
        case 17..<55: return .submissionReceived(id: "s\(step)", player: player)
        case 55..<60: return .submissionStarted(id: id)
        case 60..<65: return .progress(id: id, testsPassed: step % 11, testsTotal: 10)
        case 65..<92:
            let verdict = verdicts.randomElement(using: &random) ?? "WA"
            return .judged(id: id, verdict: verdict, testsPassed: 1, testsTotal: 10)
        case 92..<94: return .forfeited(player: player)
        default: return .timePassed
        }
    }

    private static func randomScene(seed: UInt64) -> Scene {
        var random = SplitMix64(seed: seed)
        let rules = BattleRules(
            durationMs: 60_000, decidingTimeoutMs: 5_000,
            submissionGapMs: Int64.random(in: 0...3_000, using: &random),
            maximumSubmissionGapMs: 4_000)
        var scene = Scene(rules: rules)
        var now: Int64 = 0
        for step in 0..<Int.random(in: 5...120, using: &random) {
            now += Int64.random(in: -200...2_500, using: &random)
            if let due = scene.battle.nextDeadlineMs, Int.random(in: 0..<10, using: &random) == 0 {
                now = due
            }
            scene.feed(randomEvent(scene, step, using: &random), at: now)
        }
        while let due = scene.battle.nextDeadlineMs { scene.feed(.timePassed, at: due) }
        return scene
    }

    @Test func randomBattlesKeepTheRules() throws {
        for seed in Scale.seeds(2_000, offset: 17) {
            let scene = Self.randomScene(seed: seed)
            let battle = scene.battle
            let note = Comment(rawValue: Scale.rerun(seed, "randomBattlesKeepTheRules"))
            #expect(battle.phase == .finished, note)
            #expect(scene.results.count == 1, note)
            #expect(scene.results.first == battle.result, note)
            #expect(scene.replayed() == battle, note)
            let coded = try JSONDecoder().decode(Battle.self, from: JSONEncoder().encode(battle))
            #expect(coded == battle, note)
            if case .win(let player, .accepted)? = battle.result?.outcome {
                let endedAt = battle.result?.finishedAtMs ?? 0
                let winning = battle.submissions.firstIndex { $0.player == player && $0.status == .accepted }
                let place = try #require(winning, note)
                // Nothing accepted before it, unless its verdict came when the outcome already stood.
                for earlier in battle.submissions[..<place] where earlier.status == .accepted {
                    #expect(battle.disputed, note)
                }
                #expect(endedAt >= battle.submissions[place].receivedAtMs, note)
            }
            let perPlayer = Dictionary(grouping: battle.submissions, by: \.player)
            for player in battle.players {
                #expect(perPlayer[player.id]?.count ?? 0 == player.submissions, note)
            }
            #expect(perPlayer["eve"] == nil, note)
        }
    }

    /// Prefixes: a finished battle ignores whatever follows.
    @Test func finishedIsFinal() {
        for seed in Scale.seeds(300, offset: 17) {
            var random = SplitMix64(seed: seed)
            var scene = Self.randomScene(seed: seed)
            let result = scene.battle.result
            for step in 0..<60 {
                scene.feed(
                    Self.randomEvent(scene, 1_000 + step, using: &random), at: 10_000_000 + Int64(step))
            }
            #expect(scene.battle.result == result, Comment(rawValue: Scale.rerun(seed, "finishedIsFinal")))
            #expect(scene.results.count == 1)
        }
    }

    /// One set of receipts and forfeits, every order of the verdicts that fits: one outcome.
    @Test func orderOfJudgingDoesNotMatter() {
        for seed in Scale.seeds(3_000, offset: 17) {
            var outcomes: Set<String> = []
            for order in 0..<6 { outcomes.insert(Self.outcome(seed: seed, judgingOrder: UInt64(order))) }
            #expect(outcomes.count == 1, Comment(rawValue: Scale.rerun(seed, "orderOfJudgingDoesNotMatter")))
        }
    }

    /// Plays the plan of `seed`: per round each player may submit once or give up; verdicts are fixed by the
    /// plan, their order and moment inside the round (before or after the other's receipt) by `judgingOrder`.
    private static func outcome(seed: UInt64, judgingOrder: UInt64) -> String {
        var plan = SplitMix64(seed: seed)
        var judging = SplitMix64(seed: seed ^ (judgingOrder &* 0xABCD_EF01))
        var scene = Scene.running(
            rules: BattleRules(durationMs: 100_000, decidingTimeoutMs: 60_000, submissionGapMs: 0))
        for round in 0..<6 {
            let start = 4_000 + Int64(round) * 15_000
            var waiting: [(id: String, verdict: String)] = []
            let order = Bool.random(using: &plan) ? ["ann", "bob"] : ["bob", "ann"]
            for (turn, player) in order.enumerated() {
                let at = start + Int64(turn) * 100
                let what = Int.random(in: 0..<10, using: &plan)
                let verdict = ["AC", "WA", "TLE", "JE", "WA"].randomElement(using: &plan) ?? "WA"
                if what < 7 {
                    let id = "s\(round)\(player)"
                    scene.submit(id, by: player, at: at)
                    waiting.append((id, verdict))
                } else if what == 7, round > 2 {
                    scene.feed(.forfeited(player: player), at: at)
                }
                if Bool.random(using: &judging), let early = waiting.popLast() {
                    scene.judge(early.id, early.verdict, at: at + 50)
                }
            }
            for late in waiting.shuffled(using: &judging) {
                scene.judge(late.id, late.verdict, at: start + 9_000)
            }
        }
        while let due = scene.battle.nextDeadlineMs { scene.feed(.timePassed, at: due) }
        return "\(scene.battle.winner ?? "nobody") \(scene.battle.disputed)"
    }
}
