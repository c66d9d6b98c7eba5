import CRDT
import Rooms
import TestSupport

/// One room, its clients, and everything that happens to them.
final class Simulation {
    struct Plan {
        var kind = RoomKind.pair
        /// Whether what is on disk is damaged now and then.
        var rots = false
        var troubledMs: Int64 = 20_000
        var quietMs: Int64 = 120_000
    }

    let world: World
    let server: SimulatedServer
    private let plan: Plan
    private var clients: [SimulatedClient] = []
    private var isTroubled = true
    private var latestOffsetMs: Int64 = 0

    init(seed: UInt64, _ plan: Plan) {
        self.plan = plan
        world = World(seed: seed)
        let disk = SimulatedDisk(world, Self.specification(plan.kind))
        server = SimulatedServer(world, disk, Witness())
        clients = makeClients()
    }

    private static func specification(_ kind: RoomKind) -> RoomSpecification {
        let users = kind == .open ? [] : kind == .battle ? ["ann", "bob"] : ["ann", "bob", "mallory"]
        return RoomSpecification(
            id: kind == .open ? "open/x" : "room-1", kind: kind, visibility: .public, ownerID: "ann",
            language: "python",
            participants: users.map { .init(userID: $0, handle: $0, language: "python") },
            spectatorDelay: .seconds(2), createdAtMs: kind == .open ? 0 : World.beginMs)
    }

    private func makeClients() -> [SimulatedClient] {
        func client(
            _ user: String, _ name: String, _ manner: SimulatedClient.Manner = .honest, writes: Bool = true
        )
            -> SimulatedClient
        {
            SimulatedClient(world, server, user: user, name: name, manner, mayWrite: writes)
        }
        switch plan.kind {
        case .open, .hosted: return (0..<3).map { _ in client("", DocumentName.main) }
        case .pair:
            var clients = [
                client("ann", DocumentName.main), client("bob", DocumentName.main),
                // Two tabs of one account.
                client("bob", DocumentName.main),
                client("eve", DocumentName.main, writes: false),
                client("ann", DocumentName.chat, writes: false),
                client("bob", DocumentName.state, writes: false),
            ]
            if world.random.chance(60) { clients.append(client("mallory", DocumentName.main, .hostile)) }
            if world.random.chance(40) { clients.append(client("mallory", DocumentName.main, .liar)) }
            return clients
        case .battle:
            return [
                client("ann", DocumentName.player("ann")), client("bob", DocumentName.player("bob")),
                client("ann", DocumentName.player("ann")),
                client("eve", DocumentName.player("ann"), writes: false),
                client("eve", DocumentName.watchersChat, writes: false),
                client("eve", DocumentName.player("bob"), .hostile, writes: false),
                client("bob", DocumentName.state, writes: false),
            ]
        }
    }

    // MARK: Running

    func run() {
        server.start()
        for client in clients {
            world.after(world.random.between(0, 500)) { client.connect() }
            keepEditing(client)
        }
        trouble()
        let end = World.beginMs + plan.troubledMs
        world.run(until: end)
        isTroubled = false
        server.disk.isFull = false
        server.disk.failsNextSync = false
        // Times in the log never fall: with the clock behind them, what is delayed would wait for hours.
        world.clockOffsetMs = latestOffsetMs
        for client in clients { resumeReading(client) }
        world.run(until: end + plan.quietMs)
        checkTheEnd()
    }

    private func keepEditing(_ client: SimulatedClient) {
        world.after(world.random.between(20, 1_200)) {
            guard self.isTroubled else { return }
            client.edit()
            self.keepEditing(client)
        }
    }

    private func trouble() {
        world.after(world.random.between(100, 1_500)) {
            guard self.isTroubled else { return }
            self.somethingHappens()
            self.trouble()
        }
    }

    private func somethingHappens() {
        let client = clients[world.random.below(clients.count)]
        switch world.random.below(100) {
        case 0..<10: server.die(restartMs: world.random.between(10, 2_000))
        case 10..<13: killEverything()
        case 13..<28: client.connection?.cut()
        case 28..<35: client.hangUp()
        case 35..<42: client.die()
        case 42..<50: stopReading(client)
        case 50..<56: fillDisk()
        case 56..<62: server.disk.failsNextSync = true
        case 62..<68: jumpClock()
        case 68..<78: server.saveSnapshot()
        case 78..<84: if plan.rots { rot() }
        case 84..<90: client.chat()
        default: for _ in 0..<20 { client.edit() }
        }
    }

    /// Nobody is left who could send anything again.
    private func killEverything() {
        server.die(restartMs: world.random.between(10, 1_000))
        for client in clients { client.die() }
    }

    private func stopReading(_ client: SimulatedClient) {
        client.connection?.reads = false
        // Not longer than a gap may stay: whoever sends what lacks its dependencies and falls silent is refused.
        world.after(world.random.between(500, 3_000)) { self.resumeReading(client) }
    }

    private func resumeReading(_ client: SimulatedClient) {
        client.connection?.reads = true
        client.connection?.read()
    }

    private func fillDisk() {
        server.disk.isFull = true
        world.after(world.random.between(100, 4_000)) { self.server.disk.isFull = false }
    }

    private func jumpClock() {
        let jumps: [Int64] = [-3_600_000, -5_000, -300, 300, 5_000, 3_600_000]
        world.clockOffsetMs += jumps[world.random.below(jumps.count)]
        latestOffsetMs = max(latestOffsetMs, world.clockOffsetMs)
    }

    private func rot() {
        server.die(restartMs: 10)
        server.disk.rot()
    }

    // MARK: Checks

    private func checkTheEnd() {
        guard world.faults.isEmpty else { return }
        let disk = server.disk
        world.expect(server.room != nil, "the room is not loaded")
        world.expect(server.room?.isReadOnly == false, "the room is still read-only")
        world.expect(server.room?.uncommittedBytes == 0, "writes still wait for the disk")
        world.expect(server.mostUncommitted <= Rooms.Limits.uncommittedBytes, "too much waited for the disk")
        server.witness.check(
            Dictionary(
                uniqueKeysWithValues: disk.specification.documentNames.map { ($0, disk.document($0)) }),
            world)
        let isHonest = clients.allSatisfy { $0.manner == .honest }
        world.expect(server.alarms == 0 || !isHonest || plan.rots, "there was an alarm")
        for client in clients where client.manner == .honest { check(client) }
    }

    private func check(_ client: SimulatedClient) {
        let who = "\(client.caller.userID) on \(client.name)"
        world.expect(client.isSynced, "\(who) is not synced")
        world.expect(client.denials.isEmpty, "\(who) was refused: \(client.denials)")
        world.expect(!client.document.hasPending, "\(who) lacks something it was promised")
        world.expect(client.resets == 0 || plan.rots, "\(who) had to start anew")
        let expected = server.disk.document(client.name)
        // Delayed readers wait for the end of the battle once it is not known what is old enough.
        if !client.mayWrite, plan.kind == .battle, server.disk.hasRotted { return }
        world.expect(
            client.document.encodeStateAsUpdate() == expected.encodeStateAsUpdate(),
            "\(who) differs from the log: \(client.document.stateVector.clients) and \(expected.stateVector.clients)"
        )
        let longest = client.connection?.longestQueue ?? 0
        world.expect(longest <= Connection.highWater + 200, "\(longest) frames waited for \(who)")
    }
}
