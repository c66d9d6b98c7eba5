import CRDT
import Rooms
import Testing

@Suite struct ChatTests {
    private func post(_ text: String, nonce: String) -> String {
        Value.object([
            "type": .string("chat.post"), "nonce": .string(nonce), "text": .string(text),
        ]).json
    }

    private func lines(_ host: Host, _ document: String = "chat") -> [Value] {
        host.committedDocument(document).array("messages")
    }

    @Test func aLineComesBackAndIsThenAccepted() throws {
        let host = try Host(.pair())
        let ann = try Client(host, .user("ann"), "chat", clientID: 1_000)
        let main = try host.open(.user("ann"), "main")
        host.commitsAtOnce = false
        host.say(post("hello", nonce: "1"), from: ann.socket, newID: "m1")
        #expect(host.messages(to: ann.socket).isEmpty)
        host.say(post("hello", nonce: "1"), from: main, newID: "m2")
        #expect(host.messages(to: main).isEmpty, "a repeat is not accepted before the line is on disk")
        host.settle()
        for socket in [ann.socket, main] {
            #expect(host.messages(to: socket).map { $0["id"]?.string } == ["m1"])
        }
        ann.take()
        #expect(ann.document.array("messages").map { $0["text"] } == ["hello"])
        #expect(ann.document.array("messages").first?["author"]?["id"] == "ann")
        // Also while the line waits for the one before it.
        host.forget()
        host.say(post("two", nonce: "2"), from: main, newID: "m3")
        host.say(post("three", nonce: "3"), from: main, newID: "m4")
        host.say(post("three", nonce: "3"), from: ann.socket, newID: "m5")
        host.say(post("three", nonce: "3"), from: ann.socket, newID: "m6")
        #expect(host.messages(to: ann.socket).isEmpty && host.messages(to: main).isEmpty)
        host.settle()
        #expect(host.messages(to: main).map { $0["id"]?.string } == ["m3", "m4"])
        #expect(host.messages(to: ann.socket).map { $0["id"]?.string } == ["m4"])
    }

    @Test func aNonceCountsOnceAlsoAfterARestart() throws {
        let host = try Host(.pair())
        // The room was quiet for long: times of the server's own records are still those of now.
        host.pass(86_400_000)
        var ann = try host.open(.user("ann"), "main")
        host.say(post("hello", nonce: "1"), from: ann, newID: "m1")
        #expect(host.log.records.last { $0.note != nil }?.committedAtMs == host.nowMs)
        host.pass(60_000)
        for usesSnapshot in [false, true] {
            if usesSnapshot { host.saveSnapshot() }
            try host.crash()
            ann = try host.open(.user("ann"), "main")
            host.say(post("hello", nonce: "1"), from: ann, newID: "m2")
            #expect(host.messages(to: ann).last?["id"] == "m1")
            #expect(lines(host).count == 1)
        }
        let bob = try host.open(.user("bob"), "main")
        host.say(post("hi", nonce: "1"), from: bob, newID: "m3")
        #expect(lines(host).count == 2, "a nonce is its author's")
        host.pass(Rooms.Limits.nonceMs)
        host.say(post("again", nonce: "1"), from: ann, newID: "m4")
        #expect(lines(host).count == 3)
    }

    @Test func refusals() throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "chat")
        func reason(_ text: String, nonce: String? = nil) -> String? {
            host.say(post(text, nonce: nonce ?? host.newID()), from: ann)
            return host.messages(to: ann).last?["reason"]?.string
        }
        #expect(reason("") == "empty" && reason(" \n\u{2003}") == "empty")
        #expect(reason(String(repeating: "x", count: 501)) == "too_long")
        #expect(reason(String(repeating: "😀", count: 251)) == "too_long")
        #expect(reason("x", nonce: "") == "malformed")
        #expect(reason("x", nonce: String(repeating: "n", count: 65)) == "malformed")
        #expect(reason(String(repeating: "😀", count: 250)) == nil)
        for number in 0..<4 { #expect(reason("x\(number)") == nil) }
        #expect(reason("x") == "too_fast")
        host.pass(10_000)
        #expect(reason("x") == nil)
        for junk in ["", "[]", "{", #"{"type":7}"#, #"{"type":"chat.post"}"#, #"{"type":"no"}"#] {
            host.say(junk, from: ann)
        }
        #expect(lines(host).count == 6)
        let open = try Host(.open)
        let nobody = try open.open(.anonymous, "main")
        open.say(post("x", nonce: "1"), from: nobody)
        #expect(open.messages(to: nobody).last?["reason"] == "not_allowed")
    }

    @Test func watchersTalkAmongThemselves() throws {
        let host = try Host(.battle())
        let ann = try host.open(.user("ann"), "player-ann")
        let eve = try host.open(.user("eve"), "player-ann")
        host.say(post("from ann", nonce: "1"), from: ann)
        host.say(post("from eve", nonce: "1"), from: eve)
        #expect(lines(host).map { $0["text"] } == ["from ann"])
        #expect(lines(host, "chat-watchers").map { $0["text"] } == ["from eve"])
    }

    @Test func theSameLineIsTakenTwiceInAWhile() throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "chat")
        func say(_ text: String) -> String? {
            host.say(post(text, nonce: host.newID()), from: ann)
            return host.messages(to: ann).last?["reason"]?.string
        }
        #expect(say("Buy now") == nil && say("buy... NOW!") == nil)
        #expect(say("buy  now") == "repeated")
        #expect(say("!!!") == nil && say("???") == nil)
        host.pass(30_000)
        #expect(say("buy now") == nil)
    }

    @Test func manyWatchersShareAnAllowance() throws {
        let host = try Host(.battle())
        for number in 0..<Rooms.Limits.chatWatchersBurst {
            let socket = try host.open(.user("w\(number)"), "state")
            host.say(post("hello \(number)", nonce: "1"), from: socket)
            #expect(host.messages(to: socket).last?["type"] == "chat.accepted")
        }
        let late = try host.open(.user("late"), "state")
        host.say(post("me too", nonce: "1"), from: late)
        #expect(host.messages(to: late).last?["reason"] == "too_fast")
        let player = try host.open(.user("ann"), "state")
        host.say(post("players are not held up", nonce: "1"), from: player)
        #expect(host.messages(to: player).last?["type"] == "chat.accepted")
    }

    @Test func oldLinesGoToTheArchiveBeforeTheyLeave() throws {
        let host = try Host(.pair())
        let sockets = try ["ann", "bob"].map { try host.open(.user($0), "chat") }
        var posted = 0
        func postSome(_ count: Int) {
            for number in 0..<count {
                // Several in a batch, and several while a batch is on its way.
                host.pass(10_000)
                host.commitsAtOnce = false
                for socket in sockets {
                    for _ in 0..<3 {
                        host.say(post("\(posted)", nonce: "n\(posted)"), from: socket)
                        posted += 1
                    }
                }
                host.commitsAtOnce = true
                host.settle()
                host.act { _, _ in }
                #expect(lines(host).count < Rooms.Limits.chatHistory + 50 + 6)
                guard number % 10 == 0 else { continue }
                let all =
                    (host.archived["chat"] ?? []).map(\.text) + lines(host).compactMap { $0["text"]?.string }
                #expect(Set(all) == Set((0..<posted).map(String.init)), "no line is lost")
            }
        }
        postSome(110)
        #expect(host.archived["chat"]?.map(\.text) == (0..<150).map(String.init))
        #expect(lines(host).last?["text"]?.string == "\(posted - 1)")

        // Without an archive the document grows, up to a bound.
        host.archiveWorks = false
        while lines(host).count < RoomLimits.standard.chatLines {
            host.say(post("\(posted)", nonce: "n\(posted)"), from: sockets[0])
            posted += 1
            host.pass(2_000)
        }
        host.say(post("one too many", nonce: "last"), from: sockets[0])
        #expect(host.messages(to: sockets[0]).last?["reason"] == "unavailable")
        // It goes on where it stopped, also after a restart.
        host.archiveWorks = true
        try host.crash()
        let ann = try host.open(.user("ann"), "chat")
        for _ in 0..<12 {
            host.say(post("\(posted)", nonce: "n\(posted)"), from: ann)
            posted += 1
            host.pass(10_000)
        }
        #expect(lines(host).count < Rooms.Limits.chatHistory + 50)
        #expect(host.archived["chat"]?.map(\.text).prefix(151).last == "150")
    }
}
