/// Someone who takes part in a battle.
public struct BattlePlayer: Sendable, Equatable, Codable {
    public let id: String
    public let handle: String
    public let language: String

    public init(id: String, handle: String, language: String) {
        self.id = id
        self.handle = handle
        self.language = language
    }
}

/// What happens to a battle. The room's log is the order of these; nothing else moves the machine.
public enum BattleEvent: Sendable, Equatable, Codable {
    /// The player's first socket in the room was opened. A room that loads again after a crash first tells
    /// `disconnected` of everyone it has no socket of.
    case connected(player: String)
    /// The player's last socket in the room was closed.
    case disconnected(player: String)
    /// A submission arrived. Its place among the other submissions and forfeits is what decides a battle.
    case submissionReceived(id: String, player: String)
    /// The judge took the submission up (again, after a worker was lost: its progress starts over).
    case submissionStarted(id: String)
    case progress(id: String, testsPassed: Int, testsTotal: Int)
    /// The judge's last word: `AC`, `WA`, `TLE`, … `JE` means lost to our own fault, after the judge's retry.
    case judged(id: String, verdict: String, testsPassed: Int, testsTotal: Int)
    case forfeited(player: String)
    /// Nothing but time: fed when `Battle.nextDeadlineMs` is reached.
    case timePassed
}
