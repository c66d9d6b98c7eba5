import Battles
import CRDT

/// Payloads of log records that are no updates: one JSON object each, readable with any tool.
enum RecordPayload {
    /// A submission was received.
    struct Received: Equatable {
        var id: String
        var userID: String
        var language: String
        var document: String
        var file: String
        var nonce: String

        init(id: String, userID: String, language: String, document: String, file: String, nonce: String) {
            self.id = id
            self.userID = userID
            self.language = language
            self.document = document
            self.file = file
            self.nonce = nonce
        }

        init?(_ payload: [UInt8]) {
            guard let fields = RecordPayload.fields(payload), let id = fields["id"]?.string,
                let userID = fields["user"]?.string, let language = fields["language"]?.string,
                let document = fields["document"]?.string, let file = fields["file"]?.string
            else { return nil }
            self.init(
                id: id, userID: userID, language: language, document: document, file: file,
                nonce: fields["nonce"]?.string ?? "")
        }

        var payload: [UInt8] {
            RecordPayload.bytes([
                ("id", .string(id)), ("user", .string(userID)), ("language", .string(language)),
                ("document", .string(document)), ("file", .string(file)), ("nonce", .string(nonce)),
            ])
        }
    }

    /// A submission was judged.
    struct Judged: Equatable {
        var id: String
        var verdict: String
        var testsPassed: Int
        var testsTotal: Int

        init(id: String, verdict: String, testsPassed: Int, testsTotal: Int) {
            self.id = id
            self.verdict = verdict
            self.testsPassed = testsPassed
            self.testsTotal = testsTotal
        }

        init?(_ payload: [UInt8]) {
            guard let fields = RecordPayload.fields(payload), let id = fields["id"]?.string,
                let verdict = fields["verdict"]?.string, let passed = fields["tests_passed"]?.integer,
                let total = fields["tests_total"]?.integer
            else { return nil }
            self.init(id: id, verdict: verdict, testsPassed: passed, testsTotal: total)
        }

        var payload: [UInt8] {
            RecordPayload.bytes([
                ("id", .string(id)), ("verdict", .string(verdict)), ("tests_passed", .integer(testsPassed)),
                ("tests_total", .integer(testsTotal)),
            ])
        }
    }

    /// The battle events that are logged as such; submissions and verdicts have records of their own, progress is
    /// not logged.
    static func battleEvent(_ payload: [UInt8]) -> BattleEvent? {
        guard let fields = fields(payload), let type = fields["type"]?.string else { return nil }
        let player = fields["player"]?.string
        switch (type, player) {
        case ("connected", .some(let player)): return .connected(player: player)
        case ("disconnected", .some(let player)): return .disconnected(player: player)
        case ("forfeited", .some(let player)): return .forfeited(player: player)
        case ("time_passed", _): return .timePassed
        default: return nil
        }
    }

    /// Whether a record of the story says what its kind should.
    static func isReadable(_ record: LogRecord) -> Bool {
        switch record.kind {
        case .update, .lost: true
        case .submission: Received(record.payload) != nil
        case .verdict: Judged(record.payload) != nil
        case .battle: battleEvent(record.payload) != nil
        }
    }

    static func bytes(of event: BattleEvent) -> [UInt8]? {
        switch event {
        case .connected(let player): bytes([("type", .string("connected")), ("player", .string(player))])
        case .disconnected(let player):
            bytes([("type", .string("disconnected")), ("player", .string(player))])
        case .forfeited(let player): bytes([("type", .string("forfeited")), ("player", .string(player))])
        case .timePassed: bytes([("type", .string("time_passed"))])
        case .submissionReceived, .submissionStarted, .progress, .judged: nil
        }
    }

    private static func fields(_ payload: [UInt8]) -> Value? {
        guard let text = String(validating: payload, as: UTF8.self) else { return nil }
        return JSONParser.parse(text)
    }

    private static func bytes(_ fields: [(String, Value)]) -> [UInt8] {
        Array(Value.object(fields).json.utf8)
    }
}
