import Battles
import Testing

@Suite struct BattleRefusalTests {
    @Test func onlyPlayersOnlyWhileRunning() {
        var scene = Scene()
        #expect(scene.battle.refusalOfSubmission(by: "eve", atMs: 0) == .notAPlayer)
        #expect(scene.battle.refusalOfSubmission(by: "ann", atMs: 0) == .notStarted)
        scene.feed(.connected(player: "ann"), at: 0)
        scene.feed(.connected(player: "bob"), at: 0)
        #expect(scene.battle.refusalOfSubmission(by: "ann", atMs: 2_999) == .notStarted)
        #expect(scene.battle.refusalOfSubmission(by: "ann", atMs: 3_000) == nil, "before the timer fired")
        scene.submit("s", by: "ann", at: 3_000)
        #expect(scene.battle.submission("s")?.receivedAtMs == 3_000)
    }

    @Test func oneUnfinishedSubmissionAPlayer() {
        var scene = Scene.running()
        scene.submit("s1", by: "ann", at: 10_000)
        #expect(scene.battle.refusalOfSubmission(by: "ann", atMs: 30_000) == .unfinished(submission: "s1"))
        #expect(scene.battle.refusalOfSubmission(by: "bob", atMs: 10_000) == nil)
        scene.submit("s2", by: "ann", at: 30_000)
        #expect(scene.battle.pendingSubmissions == ["s1"])
        scene.submit("s1", by: "bob", at: 30_000)
        #expect(scene.player("bob")?.submissions == 0, "an id is taken once")
    }

    @Test func gapDoublesAfterEveryTimeLimit() {
        var scene = Scene.running()
        var now: Int64 = 10_000
        for (turn, gap) in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000].enumerated() {
            scene.submit("t\(turn)", by: "ann", at: now)
            #expect(scene.battle.submission("t\(turn)") != nil)
            scene.judge("t\(turn)", turn == 0 ? "WA" : "TLE", at: now + 100)
            #expect(
                scene.battle.refusalOfSubmission(by: "ann", atMs: now + 200)
                    == .tooSoon(retryAfterMs: Int64(gap) - 200))
            now += Int64(gap)
        }
        #expect(scene.battle.refusalOfSubmission(by: "bob", atMs: now) == nil)
        scene.submit("w", by: "ann", at: now)
        scene.judge("w", "WA", at: now + 1)
        scene.submit("x", by: "ann", at: now + 60_000)
        scene.judge("x", "WA", at: now + 60_001)
        #expect(
            scene.battle.refusalOfSubmission(by: "ann", atMs: now + 60_002) == .tooSoon(retryAfterMs: 4_998),
            "any other verdict ends the doubling")
    }

    @Test func submissionsAreBounded() {
        var scene = Scene.running(rules: BattleRules(submissionGapMs: 0))
        for turn in 0..<BattleLimits.maximumSubmissionsPerPlayer {
            scene.submit("s\(turn)", by: "ann", at: 4_000)
            scene.judge("s\(turn)", "CE", at: 4_000)
        }
        #expect(scene.battle.refusalOfSubmission(by: "ann", atMs: 4_001) == .tooMany)
    }

    @Test func unknownSubmissionsAreIgnored() {
        var scene = Scene.running()
        let before = scene.battle
        #expect(scene.judge("ghost", "AC", at: 3_000).isEmpty)
        scene.feed(.progress(id: "ghost", testsPassed: 1, testsTotal: 2), at: 3_000)
        scene.submit("s", by: "eve", at: 3_000)
        scene.feed(.forfeited(player: "eve"), at: 3_000)
        scene.feed(.connected(player: "eve"), at: 3_000)
        #expect(scene.battle == before)
    }
}
