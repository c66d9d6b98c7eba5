import Battles
import CRDT

/// Turns what a room knows into edits of its `state` document: only what changed since the last write.
struct StateWriter {
    private var room: [String: Value] = [:]
    private var players: [String: Value] = [:]
    private(set) var events = 0

    init() {}

    /// Takes up what the document of a loaded room says.
    init(document: Document) {
        room = document.map("room")
        players = document.map("players")
        events = document.arrayCount("events")
    }

    mutating func edits(
        room newRoom: [(String, Value)], players newPlayers: [(String, Value)]
    ) -> [PlannedEdit] {
        var edits: [PlannedEdit] = []
        for (key, value) in newRoom where room[key] != value {
            room[key] = value
            edits.append(.set(root: "room", key: key, value: value))
        }
        for (key, value) in newPlayers where players[key] != value {
            players[key] = value
            edits.append(.set(root: "players", key: key, value: value))
        }
        let gone = players.keys.filter { id in !newPlayers.contains { $0.0 == id } }
        for id in gone.sorted() {
            players[id] = nil
            edits.append(.removeKey(root: "players", key: id))
        }
        return edits
    }

    mutating func edit(appending notices: some Collection<BattleNotice>) -> PlannedEdit? {
        let room = Limits.stateEvents - events
        guard room > 0, !notices.isEmpty else { return nil }
        let values = notices.prefix(room).map(Self.value)
        events += values.count
        return .append(root: "events", values: values)
    }

    private static func value(_ notice: BattleNotice) -> Value {
        var fields: [(String, Value)] = [
            ("type", .string(notice.kind.rawValue)), ("at", .string(timestamp(notice.atMs))),
        ]
        if let player = notice.player { fields.append(("player", .string(player))) }
        if let submission = notice.submission { fields.append(("submission_id", .string(submission))) }
        if let verdict = notice.verdict { fields.append(("verdict", .string(verdict))) }
        return .object(fields)
    }
}

/// Who has sockets in the room: participants by id, and the number of spectators, written at most once a second.
struct Attendance {
    private(set) var participants: [String: Int] = [:]
    private var watchers: [String: Int] = [:]
    private(set) var writtenSpectators = 0
    private var lastWriteMs: Int64 = 0

    var spectators: Int { watchers.count }

    var nextWriteMs: Int64? {
        spectators == writtenSpectators ? nil : lastWriteMs + Limits.spectatorCountMs
    }

    /// Counts a socket of a participant; the number that is open now.
    mutating func participant(_ userID: String, isJoining: Bool) -> Int {
        let count = max(0, participants[userID, default: 0] + (isJoining ? 1 : -1))
        participants[userID] = count == 0 ? nil : count
        return count
    }

    mutating func watcher(_ key: String, isJoining: Bool) {
        let count = max(0, watchers[key, default: 0] + (isJoining ? 1 : -1))
        watchers[key] = count == 0 ? nil : count
    }

    /// Whether the count is to be written now; it counts as written then.
    mutating func writesCount(atMs: Int64) -> Bool {
        guard let due = nextWriteMs, due <= atMs else { return false }
        writtenSpectators = spectators
        lastWriteMs = atMs
        return true
    }
}
