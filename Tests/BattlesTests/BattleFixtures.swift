import Battles
import Foundation
import TestSupport

/// A battle of two with a log, so that every test can replay it.
struct Scene {
    var battle: Battle
    private(set) var log: [(event: BattleEvent, atMs: Int64)] = []
    private(set) var actions: [BattleAction] = []
    private let created: Battle

    init(rules: BattleRules = BattleRules(), rated: Bool = true, players: [String] = ["ann", "bob"]) {
        created = Battle(
            players: players.map { BattlePlayer(id: $0, handle: $0.uppercased(), language: "python") },
            rules: rules, createdAtMs: 0, rated: rated)
        battle = created
    }

    /// Both ready at 0, started at 3,000.
    static func running(rules: BattleRules = BattleRules(), rated: Bool = true) -> Scene {
        var scene = Scene(rules: rules, rated: rated)
        scene.feed(.connected(player: "ann"), at: 0)
        scene.feed(.connected(player: "bob"), at: 0)
        scene.feed(.timePassed, at: 3_000)
        return scene
    }

    @discardableResult
    mutating func feed(_ event: BattleEvent, at atMs: Int64) -> [BattleAction] {
        log.append((event, atMs))
        let new = battle.apply(event, atMs: atMs)
        actions += new
        return new
    }

    @discardableResult
    mutating func submit(_ id: String, by player: String, at atMs: Int64) -> [BattleAction] {
        feed(.submissionReceived(id: id, player: player), at: atMs)
    }

    @discardableResult
    mutating func judge(_ id: String, _ verdict: String, at atMs: Int64) -> [BattleAction] {
        feed(
            .judged(id: id, verdict: verdict, testsPassed: verdict == "AC" ? 10 : 3, testsTotal: 10), at: atMs
        )
    }

    func replayed() -> Battle {
        var battle = created
        for entry in log { _ = battle.apply(entry.event, atMs: entry.atMs) }
        return battle
    }

    var results: [BattleResult] {
        actions.compactMap { action in
            guard case .finished(let result) = action else { return nil }
            return result
        }
    }

    func player(_ id: String) -> PlayerState? { battle.players.first { $0.id == id } }
}

func notices(_ actions: [BattleAction]) -> [BattleNotice] {
    actions.compactMap { action in
        guard case .announce(let notice) = action else { return nil }
        return notice
    }
}
