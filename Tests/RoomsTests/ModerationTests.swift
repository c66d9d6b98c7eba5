import CRDT
import Rooms
import Testing

/// Lines that are edited, deleted and mention people; mutes and slow mode.
@Suite struct ModerationTests {
    private let host: Host
    private let ann: SubscriberID
    private let bob: SubscriberID

    init() throws {
        host = try Host(.pair())
        ann = try host.open(.user("ann"), "chat")
        bob = try host.open(.user("bob"), "main")
    }

    private var lines: [ChatLine] {
        host.committedDocument("chat").array("messages").compactMap(ChatLine.init)
    }

    /// Sends a message and gives the type of the answer, or the reason of a refusal.
    @discardableResult
    private func ask(_ type: String, _ fields: [(String, Value)], from socket: SubscriberID) -> String? {
        let all: [(String, Value)] = [("type", .string(type)), ("nonce", .string(host.newID()))] + fields
        host.say(Value.object(all.map { Value.Entry($0.0, $0.1) }).json, from: socket)
        let answer = host.messages(to: socket).last
        return answer?["reason"]?.string ?? answer?["type"]?.string
    }

    @discardableResult
    private func post(_ text: String, from socket: SubscriberID) -> String {
        ask("chat.post", [("text", .string(text))], from: socket)
        return host.messages(to: socket).last?["id"]?.string ?? ""
    }

    @Test func anAuthorEditsAndDeletesOwnLines() throws {
        let id = post("helo", from: bob)
        #expect(ask("chat.edit", [("id", .string(id)), ("text", "hello")], from: bob) == "chat.accepted")
        #expect(lines.map(\.text) == ["hello"] && lines[0].editedAt != nil && lines[0].id == id)
        let own = post("mine", from: ann)
        #expect(ask("chat.edit", [("id", .string(own)), ("text", "stolen")], from: bob) == "not_allowed")
        #expect(ask("chat.delete", [("id", .string(own))], from: bob) == "not_allowed")
        #expect(ask("chat.edit", [("id", "no-such"), ("text", "x")], from: bob) == "not_found")
        #expect(ask("chat.edit", [("id", .string(id)), ("text", " ")], from: bob) == "empty")
        #expect(ask("chat.edit", [("id", .string(id))], from: bob) == "malformed")
        #expect(ask("chat.delete", [("id", .string(id))], from: bob) == "chat.accepted")
        #expect(lines[0].isDeleted && lines[0].text.isEmpty && lines[0].author.id == "bob")
        #expect(ask("chat.edit", [("id", .string(id)), ("text", "back")], from: bob) == "not_allowed")
        #expect(ask("chat.delete", [("id", .string(id))], from: bob) == "chat.accepted", "deleted is deleted")
        #expect(lines.map(\.text) == ["", "mine"])
    }

    @Test func theOwnerDeletesAndAStrangerDoesNot() throws {
        let id = post("rude", from: bob)
        let deletion: [(String, Value)] = [("id", .string(id)), ("reason", "rude")]
        #expect(ask("chat.delete", deletion, from: ann) == "chat.accepted")
        #expect(lines[0].deletedBy?.id == "ann" && lines[0].deletionReason == "rude")
        let open = try Host(.pair(.public))
        let member = try open.open(.user("bob"), "main")
        open.say(#"{"type":"chat.post","nonce":"1","text":"hi"}"#, from: member, newID: "m1")
        let stranger = try open.open(.user("eve"), "chat")
        for message in [
            #"{"type":"chat.delete","nonce":"1","id":"m1"}"#,
            #"{"type":"chat.slow","nonce":"2","seconds":9}"#,
            #"{"type":"chat.mute","nonce":"3","user":"bob","seconds":9}"#,
            #"{"type":"chat.unmute","nonce":"4","user":"bob"}"#,
        ] {
            open.say(message, from: stranger)
            #expect(open.messages(to: stranger).last?["reason"] == "not_allowed", "\(message)")
        }
    }

    @Test func changesOnTheirWayAreCounted() throws {
        let id = post("one", from: bob)
        host.commitsAtOnce = false
        ask("chat.delete", [("id", .string(id))], from: bob)
        // Not on disk yet, and already the last word.
        #expect(ask("chat.edit", [("id", .string(id)), ("text", "two")], from: bob) == "not_allowed")
        host.settle()
        #expect(lines[0].isDeleted)
    }

    @Test func aMuteHoldsUntilItExpiresAndOverARestart() throws {
        let mute: [(String, Value)] = [("user", "bob"), ("seconds", 600), ("reason", "calm down")]
        #expect(ask("chat.mute", mute, from: ann) == "chat.moderated")
        #expect(host.notices.last?.userID == "bob" && host.notices.last?.type == "chat.muted")
        #expect(ask("chat.post", [("text", "hi")], from: bob) == "muted")
        #expect(host.messages(to: bob).last?["detail"] == "calm down")
        try host.crash()
        host.saveSnapshot()
        try host.crash()
        let bob = try host.open(.user("bob"), "main")
        #expect(ask("chat.post", [("text", "hi")], from: bob) == "muted")
        host.pass(600_000)
        #expect(ask("chat.post", [("text", "hi")], from: bob) == "chat.accepted")
        let ann = try host.open(.user("ann"), "chat")
        ask("chat.mute", mute, from: ann)
        #expect(ask("chat.unmute", [("user", "bob")], from: bob) == "not_allowed")
        #expect(ask("chat.unmute", [("user", "bob")], from: ann) == "chat.moderated")
        #expect(ask("chat.post", [("text", "again")], from: bob) == "chat.accepted")
    }

    @Test func whoMayMuteWhom() throws {
        func mute(_ user: String, from socket: SubscriberID) -> String? {
            ask("chat.mute", [("user", .string(user)), ("seconds", 60)], from: socket)
        }
        let judge = try host.open(.moderator("mod"), "chat")
        #expect(mute("ann", from: bob) == "not_allowed" && mute("ann", from: ann) == "not_allowed")
        #expect(mute("mod", from: ann) == "not_allowed")
        #expect(mute("ann", from: judge) == "chat.moderated")
        #expect(ask("chat.unmute", [("user", "ann")], from: ann) == "not_allowed", "nobody frees themselves")
        for seconds: Value in [0, -1, 1.5, "60", .number(1e12)] {
            #expect(ask("chat.mute", [("user", "bob"), ("seconds", seconds)], from: judge) == "malformed")
        }
        // Players of a battle are not each other's moderators, and the room made by one of them is not theirs.
        var specification = RoomSpecification.battle()
        specification.ownerID = "ann"
        let battle = try Host(specification)
        let player = try battle.open(.user("ann"), "state")
        battle.say(#"{"type":"chat.mute","nonce":"1","user":"bob","seconds":60}"#, from: player)
        #expect(battle.messages(to: player).last?["reason"] == "not_allowed")
    }

    @Test func mutesAreBounded() throws {
        for number in 0..<Rooms.Limits.mutes {
            ask("chat.mute", [("user", .string("u\(number)")), ("seconds", 60)], from: ann)
        }
        #expect(ask("chat.mute", [("user", "more"), ("seconds", 60)], from: ann) == "too_many")
        host.pass(60_000)
        #expect(ask("chat.mute", [("user", "more"), ("seconds", 60)], from: ann) == "chat.moderated")
        #expect(host.committedDocument("chat").map("mutes").count == 1)
    }

    @Test func slowModeHoldsEveryoneButModerators() throws {
        #expect(ask("chat.slow", [("seconds", 30)], from: bob) == "not_allowed")
        #expect(ask("chat.slow", [("seconds", 30)], from: ann) == "chat.moderated")
        #expect(host.committedDocument("chat").map("moderation")["slow_mode_s"] == 30)
        #expect(ask("chat.post", [("text", "one")], from: bob) == "chat.accepted")
        host.pass(29_000)
        #expect(ask("chat.post", [("text", "two")], from: bob) == "slow_mode")
        #expect(host.messages(to: bob).last?["retry_after_ms"] == 1_000)
        #expect(ask("chat.post", [("text", "a")], from: ann) == "chat.accepted")
        #expect(ask("chat.post", [("text", "b")], from: ann) == "chat.accepted")
        host.pass(1_000)
        #expect(ask("chat.post", [("text", "two")], from: bob) == "chat.accepted")
        try host.crash()
        let (ann, bob) = (try host.open(.user("ann"), "chat"), try host.open(.user("bob"), "main"))
        #expect(ask("chat.post", [("text", "three")], from: bob) == "chat.accepted")
        #expect(ask("chat.post", [("text", "four")], from: bob) == "slow_mode")
        ask("chat.slow", [("seconds", 0)], from: ann)
        #expect(ask("chat.post", [("text", "four")], from: bob) == "chat.accepted")
    }

    @Test func mentionsNameOnlyWhoMayRead() throws {
        let id = post("@Bob, @bob and @nobody: mail ann@bob.example, ask @eve or @ann", from: bob)
        #expect(lines.last?.mentions.map(\.id) == ["bob", "ann"])
        #expect(host.notices.map(\.userID) == ["ann"], "not oneself")
        let event = host.notices.last.flatMap { JSONParser.parse($0.json) }
        #expect(event?["message_id"]?.string == id && event?["author"]?["id"] == "bob")
        ask("chat.edit", [("id", .string(id)), ("text", "@ann @bob still")], from: bob)
        #expect(host.notices.count == 1, "nobody is called twice")

        let battle = try Host(.battle())
        let player = try battle.open(.user("ann"), "state")
        _ = try battle.open(.user("eve"), "state")
        battle.say(#"{"type":"chat.post","nonce":"1","text":"@bob @eve"}"#, from: player)
        #expect(battle.notices.map(\.userID) == ["bob"], "a watcher does not read the players' chat")
    }

    @Test func whatWasTakenBackIsInNoRecordThatIsShown() throws {
        let edited = post("firstsecret", from: bob)
        post("between", from: ann)
        let deleted = post("secondsecret", from: bob)
        ask("chat.edit", [("id", .string(edited)), ("text", "harmless")], from: bob)
        ask("chat.delete", [("id", .string(deleted))], from: ann)
        let shown = host.room.redacted(host.log.records)
        #expect(shown.map(\.sequence) == host.log.records.map(\.sequence))
        let bytes = shown.flatMap(\.payload)
        for secret in ["firstsecret", "secondsecret"] {
            #expect(host.log.records.flatMap(\.payload).firstRange(of: Array(secret.utf8)) != nil)
            #expect(bytes.firstRange(of: Array(secret.utf8)) == nil)
        }
        let replayed = Document(clientID: 77)
        for record in shown where record.document == "chat" { try replayed.applyUpdate(record.payload) }
        #expect(!replayed.hasPending)
        #expect(replayed.array("messages") == host.committedDocument("chat").array("messages"))
        // Other documents are shown as they were.
        #expect(zip(shown, host.log.records).allSatisfy { $0.document == "chat" || $0 == $1 })
    }

    @Test func anEditOfALineThatLeavesIsNotLost() throws {
        host.archiveWorks = false
        var ids: [String] = []
        for number in 0..<(Rooms.Limits.chatHistory + 50) {
            ids.append(post("line \(number)", from: bob))
            host.pass(2_000)
        }
        host.archiveWorks = true
        host.commitsAtOnce = false
        // The deletion is on its way while the archive is given the line.
        ask("chat.delete", [("id", .string(ids[3]))], from: bob)
        host.settle()
        host.commitsAtOnce = true
        host.act { _, _ in }
        host.settle()
        #expect(host.archived["chat"]?.count == 50)
        #expect(host.archived["chat"]?[3].isDeleted == true)
        #expect(lines.count == Rooms.Limits.chatHistory && lines[0].text == "line 50")
    }
}
