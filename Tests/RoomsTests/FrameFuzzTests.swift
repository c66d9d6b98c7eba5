import CRDT
import Rooms
import SyncProtocol
import TestSupport
import Testing

/// Nonsense from many sockets, some of it nearly right. The host checks every frame that comes back.
@Suite struct FrameFuzzTests {
    private static let texts = [
        "", "null", "[]", #"{"type":"chat.post","nonce":"a","text":"x"}"#, #"{"type":"battle.forfeit"}"#,
        #"{"type":"submit","nonce":"b","language":"python"}"#,
        #"{"type":"submit","nonce":"c","language":"c","file":7}"#,
        #"{"type":"chat.post","nonce":"\u0000","text":"\ud83d"}"#, String(repeating: "[", count: 5_000),
    ]

    private func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<random.below(4) where !bytes.isEmpty {
            switch random.below(4) {
            case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: random.below(bytes.count))
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count + 1))
            default: bytes.removeLast(random.below(bytes.count))
            }
        }
        return bytes
    }

    private func inbound(_ host: Host, _ client: Client, _ random: inout SplitMix64) throws -> Inbound? {
        switch random.below(10) {
        case 0:
            return .step1(
                StateVector([UInt64(random.below(3_000)): random.next() >> UInt64(random.below(64))]))
        case 1: return .refusedWrite(random.chance(50) ? .malformed : .tooLarge)
        case 2: return .queryAwareness
        case 3: return .stateless(Self.texts[random.below(Self.texts.count)], newID: host.newID())
        case 4, 5:
            let entries = (0..<random.below(7)).map { _ in
                AwarenessUpdate.Entry(
                    client: random.chance(50) ? UInt64(random.below(2_000)) : random.next() >> 11,
                    clock: random.next() >> UInt64(11 + random.below(53)),
                    json: random.chance(20) ? "null" : #"{"user":{"name":"x"},"n":\#(random.below(9))}"#)
            }
            return .awareness(AwarenessUpdate(entries: entries))
        default:
            let length = client.document.length(at: client.file()) ?? 0
            let path = client.document.textInMap("files", "main.py") == nil ? SharedPath("r") : client.file()
            let place = path.steps.isEmpty ? 0 : random.below(length + 1)
            let edit = try client.edit { transaction throws(EditError) in
                try transaction.insertText("ab", at: place, in: path)
            }
            let bytes = random.chance(60) ? mutated(edit, &random) : edit
            guard let update = try? Update(decodingV1: bytes) else { return .refusedWrite(.malformed) }
            return .update(update, isStep2: random.chance(20))
        }
    }

    @Test(arguments: Scale.seeds(10, offset: 29))
    func nonsenseTrapsNothing(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let kinds: [RoomSpecification] = [
            .battle(), .pair(.public), .open, .battle(.public, delay: .seconds(.max)), .battle(delay: .end),
        ]
        let host = try Host(kinds[random.below(kinds.count)])
        let names = host.room.specification.documentNames
        var clients: [Client] = []
        for _ in 0..<1_500 {
            host.commitsAtOnce = random.chance(70)
            if clients.count < 12, random.chance(20) {
                let caller = RoomCaller.user(["ann", "bob", "eve", "joe"][random.below(4)])
                let name = names[random.below(names.count)]
                let id = random.chance(20) ? UInt64(random.below(300)) : 1_000 + UInt64(random.below(20))
                if let client = try? Client(host, caller, name, clientID: id, syncs: random.chance(70)) {
                    clients.append(client)
                }
            }
            guard !clients.isEmpty else { continue }
            let place = random.below(clients.count)
            if random.chance(3) {
                host.close(clients.remove(at: place).socket)
                continue
            }
            if random.chance(40) { clients[place].take() }
            if let message = try inbound(host, clients[place], &random) {
                host.send(message, from: clients[place].socket)
            }
            if random.chance(10) { host.pass(Int64(random.below(3_000))) }
            if random.chance(2) { host.saveSnapshot() }
        }
        host.settle()
        #expect(
            host.room.subscriberCount == clients.count,
            Comment(rawValue: Scale.rerun(seed, "nonsenseTrapsNothing")))
        try host.crash()
        let loaded = try #require(host.room.snapshot())
        for document in loaded.documents {
            #expect(
                document.state == host.log.document(document.name).encodeStateAsUpdate(),
                Comment(rawValue: Scale.rerun(seed, "nonsenseTrapsNothing")))
        }
    }

    @Test func placesAreBounded() throws {
        let specification = RoomSpecification.battle()
        var room = try Room(
            loading: MemoryLog().history(of: specification, atMs: 0), of: specification, ports: .test,
            atMs: 0)
        var refusals = 0
        for id in 1...UInt64(Rooms.Limits.subscribers + 10) {
            do throws(DoorRefusal) {
                _ = try room.join(id, .user("w\(id)"), document: "state", atMs: 0)
            } catch {
                refusals += 1
                #expect(error.code == .tryAgainLater)
            }
            _ = room.takeActions()
        }
        #expect(room.subscriberCount == Rooms.Limits.subscribers - Rooms.Limits.participantPlaces)
        #expect(refusals == Rooms.Limits.participantPlaces + 10)
        // Watchers do not keep a player out.
        _ = try room.join(1_000_000, .user("ann"), document: "player-ann", atMs: 0)
    }
}
