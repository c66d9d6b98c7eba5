import CRDT

/// Who may not speak in a room, and how fast the others may. Kept in the roots `mutes` and `moderation` of the room's
/// chat documents, so that it lasts and everyone sees the rules that hold.
struct ChatModeration {
    struct Mute: Equatable {
        /// ms since 1970.
        var untilMs: Int64
        var reason: String
        var by: ChatPerson

        init(untilMs: Int64, reason: String, by: ChatPerson) {
            self.untilMs = untilMs
            self.reason = reason
            self.by = by
        }

        init?(_ value: Value) {
            guard let until = value["until_ms"]?.integer, let by = ChatPerson(value["by"]) else { return nil }
            self.init(untilMs: Int64(until), reason: value["reason"]?.string ?? "", by: by)
        }

        var value: Value {
            .object([
                ("until", .string(timestamp(untilMs))), ("until_ms", .integer(Int(untilMs))),
                ("reason", .string(reason)), ("by", by.value),
            ])
        }
    }

    private(set) var mutes: [String: Mute] = [:]
    private(set) var slowModeSeconds = 0

    var slowModeMs: Int64 { Int64(slowModeSeconds) * 1_000 }

    /// Takes up what a document says.
    mutating func recall(_ document: Document) {
        for (userID, value) in document.map(Self.mutesRoot) { mutes[userID] = Mute(value) ?? mutes[userID] }
        let seconds = document.map(Self.rulesRoot)[Self.slowModeKey]?.integer ?? slowModeSeconds
        slowModeSeconds = min(max(0, seconds), Limits.slowModeSeconds)
    }

    /// The mute of a user that holds now.
    func mute(of userID: String, atMs: Int64) -> Mute? {
        mutes[userID].flatMap { $0.untilMs > atMs ? $0 : nil }
    }

    /// Mutes somebody; nil when the room has all the mutes it can have.
    mutating func mute(_ userID: String, _ mute: Mute, atMs: Int64) -> [PlannedEdit]? {
        var edits: [PlannedEdit] = []
        for (other, old) in mutes.sorted(by: { $0.key < $1.key }) where old.untilMs <= atMs {
            edits += unmute(other)
        }
        guard mutes.count < Limits.mutes || mutes[userID] != nil else { return nil }
        mutes[userID] = mute
        return edits + [.set(root: Self.mutesRoot, key: userID, value: mute.value)]
    }

    mutating func unmute(_ userID: String) -> [PlannedEdit] {
        guard mutes.removeValue(forKey: userID) != nil else { return [] }
        return [.removeKey(root: Self.mutesRoot, key: userID)]
    }

    mutating func setSlowMode(seconds: Int) -> [PlannedEdit] {
        guard seconds != slowModeSeconds else { return [] }
        slowModeSeconds = seconds
        return [.set(root: Self.rulesRoot, key: Self.slowModeKey, value: .integer(seconds))]
    }

    private static let mutesRoot = "mutes"
    private static let rulesRoot = "moderation"
    private static let slowModeKey = "slow_mode_s"
}
