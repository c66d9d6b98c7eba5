import Battles
import Testing

@Suite struct BattleLifecycleTests {
    @Test func countdownStartsWhenBothAreReady() {
        var scene = Scene()
        scene.feed(.connected(player: "ann"), at: 100)
        #expect(scene.battle.phase == .waiting)
        #expect(scene.battle.nextDeadlineMs == 10_000)
        scene.feed(.connected(player: "bob"), at: 2_000)
        #expect(scene.battle.phase == .countdown)
        #expect(scene.battle.startedAtMs == 5_000)
        #expect(scene.battle.deadlineMs == 1_805_000)
        #expect(scene.battle.nextDeadlineMs == 5_000)
        let started = scene.feed(.timePassed, at: 5_000)
        #expect(notices(started).map(\.kind) == [.started])
        #expect(scene.battle.phase == .running)
    }

    @Test func countdownStartsAtTheReadyTimeoutWithoutTheOther() {
        var scene = Scene()
        scene.feed(.connected(player: "ann"), at: 100)
        scene.feed(.disconnected(player: "ann"), at: 200)
        scene.feed(.timePassed, at: 10_007)
        #expect(scene.battle.phase == .countdown)
        #expect(scene.battle.startedAtMs == 13_000, "due times count, not when the timer fired")
    }

    @Test func nobodyCame() {
        var scene = Scene()
        scene.feed(.timePassed, at: 10_000)
        #expect(scene.battle.result?.outcome == .aborted)
        #expect(scene.battle.ratingFrozen)
        #expect(scene.battle.nextDeadlineMs == nil)
        #expect(scene.feed(.connected(player: "ann"), at: 11_000).isEmpty)
        #expect(scene.battle.phase == .finished)
    }

    @Test func aBattleWithoutPlayersEnds() {
        var scene = Scene(players: [])
        scene.feed(.timePassed, at: 10_000)
        #expect(scene.battle.result?.outcome == .aborted)
    }

    @Test func samePlayerTwiceIsOnePlayer() {
        #expect(Scene(players: ["ann", "ann", "bob"]).battle.players.map(\.id) == ["ann", "bob"])
    }

    @Test func drawWhenTimeIsUp() {
        var scene = Scene.running()
        scene.submit("s1", by: "ann", at: 10_000)
        scene.judge("s1", "WA", at: 11_000)
        scene.feed(.timePassed, at: 1_803_000)
        #expect(scene.battle.phase == .running, "the deadline itself is in time")
        let end = scene.feed(.timePassed, at: 1_803_001)
        #expect(scene.battle.result?.outcome == .draw)
        #expect(scene.battle.result?.countsForRating == true)
        #expect(notices(end).map(\.kind) == [.finished])
        #expect(scene.results.count == 1)
    }

    @Test func drawAgainstSomeoneWhoNeverCameMovesNoRating() {
        var scene = Scene()
        scene.feed(.connected(player: "ann"), at: 0)
        scene.feed(.timePassed, at: 10_000_000)
        #expect(scene.battle.result?.outcome == .draw)
        #expect(scene.battle.result?.countsForRating == false)
        #expect(!scene.battle.disputed)
    }

    @Test func unratedStaysUnrated() {
        var scene = Scene.running(rated: false)
        scene.submit("s", by: "ann", at: 4_000)
        scene.judge("s", "AC", at: 5_000)
        #expect(scene.battle.winner == "ann")
        #expect(scene.battle.result?.countsForRating == false)
    }

    @Test func playersAreShownLive() {
        var scene = Scene.running()
        scene.submit("s1", by: "ann", at: 10_000)
        scene.feed(.submissionStarted(id: "s1"), at: 10_100)
        scene.feed(.progress(id: "s1", testsPassed: 4, testsTotal: 10), at: 10_200)
        #expect(scene.player("ann")?.testsPassed == 4)
        #expect(scene.player("ann")?.testsTotal == 10)
        scene.feed(.submissionStarted(id: "s1"), at: 10_300)
        #expect(scene.player("ann")?.testsPassed == 0, "judged again from the start")
        scene.feed(.progress(id: "s1", testsPassed: 99, testsTotal: -5), at: 10_400)
        #expect(scene.player("ann")?.testsPassed == 0)
        let judged = scene.judge("s1", "AC", at: 12_000)
        #expect(scene.player("ann")?.finishedAtMs == 10_000)
        #expect(notices(judged).map(\.kind) == [.submissionFinished, .finished])
        #expect(notices(judged).first?.verdict == "AC")
    }

    @Test func comingAndGoingIsAnnouncedBoundedly() {
        var scene = Scene.running()
        for step in 0..<1_000 {
            let at = 4_000 + Int64(step) * 2
            scene.feed(.disconnected(player: "ann"), at: at)
            scene.feed(.disconnected(player: "ann"), at: at)
            scene.feed(.connected(player: "ann"), at: at + 1)
        }
        let announced = notices(scene.actions).filter { $0.player == "ann" }
        #expect(announced.count == BattleLimits.maximumPresenceNoticesPerPlayer)
        #expect(scene.player("ann")?.connected == true)
        #expect(scene.battle.phase == .running, "absence costs nothing")
    }

    @Test func extremeTimesAndRulesDoNotTrap() {
        let rules = BattleRules(
            countdownMs: .max, readyTimeoutMs: .max, durationMs: .max, decidingTimeoutMs: .max,
            submissionGapMs: .min, maximumSubmissionGapMs: .max)
        var battle = Battle(
            players: [BattlePlayer(id: "ann", handle: "a", language: "c")], rules: rules, createdAtMs: .max,
            rated: true)
        for time in [Int64.min, .max, 0, .max] {
            _ = battle.apply(.connected(player: "ann"), atMs: time)
            _ = battle.apply(.submissionReceived(id: "\(time)", player: "ann"), atMs: time)
            _ = battle.apply(.timePassed, atMs: time)
            _ = battle.refusalOfSubmission(by: "ann", atMs: time)
        }
        #expect(battle.nextDeadlineMs != nil)
    }
}
