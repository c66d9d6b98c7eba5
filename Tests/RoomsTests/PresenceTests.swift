import CRDT
import Rooms
import Testing

@Suite struct PresenceTests {
    private func say(
        _ host: Host, _ socket: SubscriberID, _ client: ClientID, _ clock: UInt64,
        _ json: String = #"{"user":{"id":"root","name":"Root","color":"red"},"cursor":1}"#
    ) {
        host.send(
            .awareness(AwarenessUpdate(entries: [.init(client: client, clock: clock, json: json)])),
            from: socket)
    }

    private func heard(_ host: Host, _ socket: SubscriberID) -> [AwarenessUpdate.Entry] {
        host.heard(by: socket).compactMap(\.presence).flatMap(\.entries)
    }

    private func value(_ entry: AwarenessUpdate.Entry?) -> Value? {
        entry.flatMap { JSONParser.parse($0.json) }
    }

    @Test func theServerWritesTheUser() throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "main")
        let bob = try host.open(.user("bob"), "main")
        say(host, ann, 1_000, 1)
        for socket in [ann, bob] {
            let user = value(heard(host, socket).last)?["user"]
            #expect(user?["id"] == "ann" && user?["name"] == "Ann" && user?["color"] == "red")
        }
        say(host, ann, 1_000, 2, #"{"user":{"id":"a"},"user":{"id":"b"}}"#)
        #expect(value(heard(host, bob).last)?["user"]?["id"] == "ann")
        for odd in ["7", #""x""#, "[1]"] { say(host, ann, 1_000, 3, odd) }
        #expect(heard(host, bob).count == 2)
    }

    @Test func atMostFourIDsASocketAndNoneOfOthers() throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "main")
        let bob = try host.open(.user("bob"), "main")
        for client in 0..<10 { say(host, ann, 1_000 + UInt64(client), 1) }
        #expect(Set(heard(host, bob).map(\.client)).count == 4)
        host.forget()
        say(host, bob, 1_000, 9)
        say(host, bob, 1_001, 9, "null")
        say(host, bob, 5, 1)
        #expect(heard(host, ann).isEmpty)
        host.close(ann)
        let removed = heard(host, bob)
        #expect(removed.count == 4 && removed.allSatisfy { $0.isRemoval })
    }

    @Test func aClientThatComesBackTakesItsIDAlong() throws {
        let host = try Host(.pair())
        let bob = try host.open(.user("bob"), "main")
        let first = try host.open(.user("ann"), "main")
        say(host, first, 1_000, 1)
        // The old socket hangs while the client is back on a new one.
        let second = try host.open(.user("ann"), "main")
        say(host, second, 1_000, 2)
        #expect(heard(host, second).last?.clock == 2)
        host.forget()
        host.close(first)
        #expect(heard(host, bob).isEmpty, "the old socket takes nobody away")
        host.close(second)
        #expect(heard(host, bob).map(\.isRemoval) == [true])
    }

    @Test func silenceRemoves() throws {
        let host = try Host(.pair())
        let ann = try host.open(.user("ann"), "main")
        let bob = try host.open(.user("bob"), "main")
        say(host, ann, 1_000, 1)
        host.pass(29_000)
        #expect(!heard(host, bob).contains { $0.isRemoval })
        host.pass(6_000)
        #expect(heard(host, bob).last?.isRemoval == true)
        #expect(host.room.nextWakeMs == nil)
    }

    @Test func cursorsOfPlayersReachWatchersWithTheDelay() throws {
        let host = try Host(.battle())
        let ann = try host.open(.user("ann"), "player-ann")
        let eve = try host.open(.user("eve"), "player-ann")
        say(host, ann, 1_000, 1)
        say(host, eve, 9_000, 1)
        host.pass(Rooms.Limits.presenceNewsMs)
        #expect(heard(host, eve).map(\.client) == [9_000])
        #expect(heard(host, ann).map(\.client) == [1_000], "players hear nothing of watchers")
        host.pass(14_999 - Rooms.Limits.presenceNewsMs)
        let late = try host.open(.user("joe"), "player-ann")
        #expect(!heard(host, late).contains { $0.client == 1_000 })
        host.pass(1)
        #expect(heard(host, eve).last?.client == 1_000 && heard(host, late).last?.client == 1_000)
        // Going away shows as late as it should, however quiet the log is.
        host.forget()
        host.close(ann)
        host.pass(14_999)
        #expect(heard(host, eve).isEmpty)
        host.pass(1)
        #expect(heard(host, eve).filter { $0.client == 1_000 }.map(\.isRemoval) == [true])
    }

    @Test func aFloodOfCursorsLeavesTheLastOne() throws {
        let host = try Host(.battle())
        let ann = try host.open(.user("ann"), "player-ann")
        let eve = try host.open(.user("eve"), "player-ann")
        for clock in 1...2_000 { say(host, ann, 1_000, UInt64(clock)) }
        host.close(ann)
        host.pass(15_000)
        #expect(heard(host, eve).count <= Rooms.Limits.delayedPresence)
        #expect(heard(host, eve).last?.isRemoval == true)
    }

    @Test func watchersCannotFloodEachOther() throws {
        let host = try Host(.battle())
        let eve = try host.open(.user("eve"), "player-ann")
        let joe = try host.open(.user("joe"), "player-ann")
        for clock in 1...1_000 { say(host, eve, 9_000, UInt64(clock)) }
        #expect(heard(host, joe).count <= Rooms.Limits.readerAnnouncements)
        host.forget()
        for _ in 0..<1_000 { host.send(.queryAwareness, from: joe) }
        #expect(host.heard(by: joe).count <= 1)
    }

    @Test func watchersHearOfCursorsOnceASecond() throws {
        let host = try Host(.pair(.public))
        let ann = try host.open(.user("ann"), "main")
        let bob = try host.open(.user("bob"), "main")
        let eve = try host.open(.user("eve"), "main")
        for clock in 1...100 {
            say(host, ann, 1_000, UInt64(clock))
            host.pass(10)
        }
        #expect(heard(host, bob).count == 100, "those who write see every movement")
        #expect(heard(host, eve).map(\.clock) == [1, 100])
        host.close(ann)
        host.pass(999)
        #expect(heard(host, eve).count == 2)
        host.pass(1)
        #expect(heard(host, eve).last?.isRemoval == true)
        host.pass(60_000)
        #expect(host.room.nextWakeMs == nil)
    }

    @Test func manyWatchersAreNotAllAnnounced() throws {
        let host = try Host(.battle())
        let first = try host.open(.user("w0"), "state")
        var sockets: [ClientID: SubscriberID] = [:]
        for index in 1..<Rooms.Limits.presentReaders + 50 {
            let socket = try host.open(.user("w\(index)"), "state")
            sockets[10_000 + UInt64(index)] = socket
            say(host, socket, 10_000 + UInt64(index), 1)
        }
        host.pass(Rooms.Limits.presenceNewsMs)
        for (client, socket) in sockets {
            #expect(heard(host, socket).contains { $0.client == client }, "its own comes back")
        }
        #expect(Set(heard(host, first).map(\.client)).count == Rooms.Limits.presentReaders)
    }
}
