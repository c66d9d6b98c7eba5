import Battles
import Testing

@Suite struct BattleDecisionTests {
    @Test func earlierReceivedWinsThoughJudgedLater() {
        var scene = Scene.running()
        scene.submit("slow", by: "ann", at: 10_000)
        scene.submit("fast", by: "bob", at: 10_001)
        let shown = scene.judge("fast", "AC", at: 11_000)
        #expect(notices(shown).map(\.verdict) == ["AC"], "the verdict is shown at once")
        #expect(scene.battle.phase == .deciding)
        #expect(scene.battle.winner == nil)
        #expect(scene.battle.nextDeadlineMs == 131_000)
        scene.judge("slow", "AC", at: 70_000)
        #expect(scene.battle.winner == "ann")
        #expect(!scene.battle.disputed)
    }

    @Test func laterOneWinsWhenTheEarlierIsWrong() {
        var scene = Scene.running()
        scene.submit("slow", by: "ann", at: 10_000)
        scene.submit("fast", by: "bob", at: 10_001)
        scene.judge("fast", "AC", at: 11_000)
        scene.judge("slow", "TLE", at: 30_000)
        #expect(scene.battle.result?.outcome == .win(player: "bob", reason: .accepted))
        #expect(scene.battle.result?.countsForRating == true)
    }

    @Test func laterPendingOneDoesNotHoldTheDecision() {
        var scene = Scene.running()
        scene.submit("first", by: "ann", at: 10_000)
        scene.submit("second", by: "bob", at: 10_001)
        scene.judge("first", "AC", at: 11_000)
        #expect(scene.battle.winner == "ann")
        #expect(scene.battle.pendingSubmissions == ["second"])
        let late = scene.judge("second", "AC", at: 12_000)
        #expect(notices(late).map(\.kind) == [.submissionFinished], "judged to the end, shown, nothing more")
        #expect(scene.battle.winner == "ann")
        #expect(scene.player("bob")?.finishedAtMs == 10_001)
    }

    @Test func ourOwnFaultFreezesTheRating() {
        var scene = Scene.running()
        scene.submit("lost", by: "ann", at: 10_000)
        scene.submit("good", by: "bob", at: 10_001)
        scene.judge("good", "AC", at: 11_000)
        scene.judge("lost", "JE", at: 20_000)
        #expect(scene.battle.winner == "bob")
        #expect(scene.battle.disputed)
        #expect(scene.battle.ratingFrozen)
    }

    @Test func ourOwnFaultOnALaterOneOrTheWinnersOwnDoesNot() {
        var scene = Scene.running()
        scene.submit("own", by: "bob", at: 10_000)
        scene.judge("own", "JE", at: 10_100)
        #expect(scene.battle.refusalOfSubmission(by: "bob", atMs: 10_200) == nil, "may submit again at once")
        scene.submit("good", by: "bob", at: 10_200)
        scene.submit("late", by: "ann", at: 10_300)
        scene.judge("late", "JE", at: 10_400)
        scene.judge("good", "AC", at: 11_000)
        #expect(scene.battle.winner == "bob")
        #expect(!scene.battle.disputed)
    }

    @Test func decisionWaitsOneAttemptAndOneRetry() {
        var scene = Scene.running()
        scene.submit("stuck", by: "ann", at: 10_000)
        scene.submit("good", by: "bob", at: 10_001)
        scene.judge("good", "AC", at: 11_000)
        scene.feed(.timePassed, at: 130_999)
        #expect(scene.battle.phase == .deciding)
        scene.feed(.timePassed, at: 131_000)
        #expect(scene.battle.winner == "bob")
        #expect(scene.battle.disputed)
        let late = scene.judge("stuck", "AC", at: 140_000)
        #expect(notices(late).map(\.verdict) == ["AC"])
        #expect(scene.battle.winner == "bob", "finished is final")
        #expect(scene.results.count == 1)
    }

    @Test func receivedAtTheDeadlineCounts() {
        var scene = Scene.running()
        scene.submit("late", by: "ann", at: 1_803_000)
        #expect(scene.battle.submission("late") != nil)
        #expect(scene.battle.refusalOfSubmission(by: "bob", atMs: 1_803_000) == nil)
        #expect(scene.battle.refusalOfSubmission(by: "bob", atMs: 1_803_001) == .over)
        scene.submit("too late", by: "bob", at: 1_803_001)
        #expect(scene.battle.submission("too late") == nil)
        #expect(scene.battle.phase == .deciding)
        scene.judge("late", "AC", at: 1_820_000)
        #expect(scene.battle.result?.outcome == .win(player: "ann", reason: .accepted))
    }

    @Test func deadlineWithPendingOnesOfBoth() {
        var scene = Scene.running()
        scene.submit("a", by: "ann", at: 1_802_000)
        scene.submit("b", by: "bob", at: 1_802_500)
        scene.feed(.timePassed, at: 1_803_001)
        scene.judge("b", "AC", at: 1_804_000)
        #expect(scene.battle.phase == .deciding)
        scene.judge("a", "WA", at: 1_805_000)
        #expect(scene.battle.winner == "bob")

        var other = Scene.running()
        other.submit("a", by: "ann", at: 1_802_000)
        other.submit("b", by: "bob", at: 1_802_500)
        other.feed(.timePassed, at: 1_803_001)
        other.judge("b", "WA", at: 1_804_000)
        other.judge("a", "JE", at: 1_805_000)
        #expect(other.battle.result?.outcome == .draw)
        #expect(other.battle.disputed, "the lost one might have won")
    }

    @Test func forfeitGivesTheWinToTheOther() {
        var scene = Scene.running()
        let end = scene.feed(.forfeited(player: "ann"), at: 20_000)
        #expect(scene.battle.result?.outcome == .win(player: "bob", reason: .forfeit))
        #expect(notices(end).map(\.kind) == [.forfeited, .finished])
        #expect(scene.feed(.forfeited(player: "bob"), at: 20_001).isEmpty)
    }

    @Test func forfeitTakesItsPlaceInTheLog() {
        for (verdict, winner) in [("AC", "ann"), ("WA", "bob")] {
            var scene = Scene.running()
            scene.submit("s", by: "ann", at: 10_000)
            scene.feed(.forfeited(player: "ann"), at: 11_000)
            #expect(scene.battle.phase == .deciding)
            scene.judge("s", verdict, at: 12_000)
            #expect(scene.battle.winner == winner)
        }
    }

    @Test func forfeitDoesNotWaitForTheWinnersOwnSubmission() {
        var scene = Scene.running()
        scene.submit("s", by: "bob", at: 10_000)
        scene.feed(.forfeited(player: "ann"), at: 11_000)
        #expect(scene.battle.winner == "bob")
    }

    @Test func forfeitBeforeTheStart() {
        var alone = Scene()
        alone.feed(.connected(player: "ann"), at: 0)
        alone.feed(.forfeited(player: "ann"), at: 1)
        #expect(alone.battle.result?.outcome == .aborted)
        var both = Scene()
        both.feed(.connected(player: "ann"), at: 0)
        both.feed(.connected(player: "bob"), at: 0)
        both.feed(.forfeited(player: "ann"), at: 1)
        #expect(both.battle.winner == "bob")
    }

    @Test func ofThreePlayersOneIsLeft() {
        var scene = Scene(players: ["ann", "bob", "cem"])
        for player in ["ann", "bob", "cem"] { scene.feed(.connected(player: player), at: 0) }
        scene.feed(.forfeited(player: "ann"), at: 4_000)
        #expect(scene.battle.phase == .running)
        #expect(scene.battle.refusalOfSubmission(by: "ann", atMs: 5_000) == .over)
        scene.feed(.forfeited(player: "cem"), at: 6_000)
        #expect(scene.battle.winner == "bob")
    }
}
