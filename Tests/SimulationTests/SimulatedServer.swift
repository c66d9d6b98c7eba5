import Battles
import CRDT
import Rooms
import SyncProtocol
import TestSupport

/// One server process with one room, as its host runs it: actions carried out, batches handed to the disk, a full disk
/// waited for, a failed sync never tried again. It dies, and is started again.
final class SimulatedServer {
    /// A batch that found no space is tried again after so long.
    static let retryMs: Int64 = 1_000
    static let longestSleepMs: Int64 = 10_000

    private let world: World
    let disk: SimulatedDisk
    let witness: Witness
    private(set) var room: Room?
    private var life = 0
    private var connections: [SubscriberID: Connection] = [:]
    private var tiers: [SubscriberID: Tiers] = [:]
    private var documents: [SubscriberID: String] = [:]
    private var committed: [String: Document] = [:]
    private var nextID: UInt64 = 1
    private var wakeMs: Int64?
    private(set) var loads = 0
    private(set) var recoveries = 0
    private(set) var alarms = 0
    /// The most bytes that ever waited for the disk.
    private(set) var mostUncommitted = 0

    init(_ world: World, _ disk: SimulatedDisk, _ witness: Witness) {
        self.world = world
        self.disk = disk
        self.witness = witness
    }

    // MARK: Lives

    func start() {
        guard room == nil else { return }
        loads += 1
        do throws(RoomLoadError) {
            try load()
        } catch {
            world.expect(false, "the room cannot be loaded: \(error)")
        }
    }

    private func load() throws(RoomLoadError) {
        var history = disk.history(atMs: world.serverClockMs)
        if !history.isSound {
            let recovery = try LogRecovery(of: history)
            recoveries += 1
            disk.repair(recovery)
            if recovery.losesState { witness.forget() }
            history = disk.history(atMs: world.serverClockMs)
            world.expect(history.isSound, "a repaired log is not sound")
        }
        let loaded = try Room(
            loading: history, of: disk.specification,
            ports: RoomPorts(fileNames: ["python": "main.py"]) { _, _ in nil },
            atMs: world.serverClockMs)
        room = loaded
        committed = [:]
        for name in disk.specification.documentNames { committed[name] = disk.document(name) }
        witness.check(committed, world)
        if let snapshot = loaded.snapshot() {
            for document in snapshot.documents {
                world.expect(
                    document.state == committed[document.name]?.encodeStateAsUpdate(),
                    "\(document.name) as loaded is not what the log says")
            }
        }
        perform()
    }

    /// The process dies; the power may go with it.
    func die(restartMs: Int64) {
        end()
        for connection in inOrder { connection.serverDied() }
        connections = [:]
        disk.crash()
        world.after(restartMs) { self.start() }
    }

    /// The log failed: the room is thrown away and loaded again from the disk.
    private func fail() {
        end()
        for connection in inOrder {
            connection.closeByServer(DoorRefusal(.tryAgainLater, "the log failed"))
        }
        connections = [:]
        world.after(50) { self.start() }
    }

    private var inOrder: [Connection] { connections.values.sorted { $0.id < $1.id } }

    private func end() {
        life += 1
        room = nil
        wakeMs = nil
    }

    /// An administrator looks: a snapshot of what is there.
    func saveSnapshot() {
        if let snapshot = room?.snapshot() { disk.save(snapshot) }
    }

    // MARK: Sockets

    enum Joined { case connection(Connection), refused(DoorRefusal) }

    func join(_ client: SimulatedClient) -> Joined {
        guard room != nil else { return .refused(DoorRefusal(.tryAgainLater, "not loaded")) }
        guard client.epoch >= disk.specification.epoch else {
            return .refused(DoorRefusal(.reset, "reset:epoch"))
        }
        nextID += 1
        let connection = Connection(nextID, world, self, client)
        connections[nextID] = connection
        documents[nextID] = client.name
        do throws(DoorRefusal) {
            tiers[nextID] =
                try room?.join(nextID, client.caller, document: client.name, atMs: world.serverClockMs) ?? []
        } catch {
            connections[nextID] = nil
            return .refused(error)
        }
        perform()
        return .connection(connection)
    }

    func leave(_ connection: Connection) {
        connections[connection.id] = nil
        act { room, atMs in room.leave(connection.id, atMs: atMs) }
    }

    func receive(_ message: Inbound, from connection: Connection) {
        act { room, atMs in room.receive(message, from: connection.id, atMs: atMs) }
    }

    func catchUp(_ connection: Connection, since known: StateVector) {
        guard let (frame, now) = room?.catchUp(connection.id, since: known) else { return }
        check(frame, to: connection.id)
        connection.catchUp(frame, now: now)
    }

    func inbound(_ message: ClientMessage) -> Inbound? {
        switch message {
        case .syncStep1: nil
        case .syncStep2(let bytes): write(bytes, isStep2: true)
        case .update(let bytes): write(bytes, isStep2: false)
        case .awareness(let bytes): (try? AwarenessUpdate(decoding: bytes)).map(Inbound.awareness)
        case .queryAwareness: .queryAwareness
        case .stateless(let text): .stateless(text, newID: "id-\(world.random.next())")
        case .unknown: nil
        }
    }

    private func write(_ bytes: [UInt8], isStep2: Bool) -> Inbound {
        guard let update = try? Update(decodingV1: bytes) else { return .refusedWrite(.malformed) }
        return .update(update, isStep2: isStep2)
    }

    // MARK: Actions

    private func act(_ body: (inout Room, Int64) -> Void) {
        guard room != nil else { return }
        body(&room!, world.serverClockMs)
        perform()
    }

    private func perform() {
        let actions = room?.takeActions() ?? []
        for action in actions {
            switch action {
            case .append(let records): append(records)
            case .broadcast(let document, let wanted, let frame):
                for connection in inOrder
                where documents[connection.id] == document && wanted.contains(tiers[connection.id] ?? []) {
                    check(frame, to: connection.id)
                    connection.deliver(frame)
                }
            case .send(let id, let frame):
                check(frame, to: id)
                connections[id]?.answer(frame)
            case .acknowledged(let id, let count):
                for _ in 0..<count { connections[id]?.answer(ServerFrame.syncStatus(isSaved: true)) }
            case .refused(let id): connections[id]?.answer(ServerFrame.syncStatus(isSaved: false))
            case .close(let id, let refusal): connections[id]?.closeByServer(refusal)
            case .move(let id, let tier): tiers[id] = tier
            case .snapshotDue: saveSnapshot()
            case .alarm: alarms += 1
            case .submissionTaken, .submissionRefused, .verdictMissing, .battleFinished, .worked, .limited,
                .notify, .archiveChat, .writeFinished:
                break
            }
        }
        mostUncommitted = max(mostUncommitted, room?.uncommittedBytes ?? 0)
        scheduleWake()
    }

    private func append(_ records: [LogRecord]) {
        world.expect(records.first?.sequence == disk.lastSequence + 1, "the log has a hole")
        let life = life
        disk.append(records) { result in
            guard life == self.life else { return }
            switch result {
            case .success:
                for record in records where record.kind == .update {
                    try? self.committed[record.document]?.applyUpdate(record.payload)
                }
                self.act { room, atMs in room.committed(atMs: atMs) }
            case .failure(.full):
                self.act { room, _ in room.suspendWrites() }
                self.world.after(Self.retryMs) {
                    if life == self.life { self.append(records) }
                }
            case .failure(.syncFailed): self.fail()
            case .failure(.conflict): self.world.expect(false, "somebody else wrote to the room")
            }
        }
    }

    private func scheduleWake() {
        guard let due = room?.nextWakeMs else { return }
        let atMs = world.nowMs + min(max(1, due - world.serverClockMs), Self.longestSleepMs)
        guard atMs < wakeMs ?? .max else { return }
        wakeMs = atMs
        let life = life
        world.after(atMs - world.nowMs) {
            guard life == self.life, self.wakeMs == atMs else { return }
            self.wakeMs = nil
            self.act { room, atMs in room.tick(atMs: atMs) }
        }
    }

    /// Nothing is sent that is not on disk.
    private func check(_ frame: [UInt8], to id: SubscriberID) {
        guard let name = documents[id], let document = committed[name] else { return }
        switch try? ClientMessage(decoding: frame[...]) {
        case .syncStep1(let bytes):
            let vector = try? StateVector(decoding: bytes)
            world.expect(vector.map(document.stateVector.covers) == true, "step 1 counts what is not on disk")
        case .syncStep2(let bytes), .update(let bytes):
            let update = try? Update(decodingV1: bytes)
            world.expect(
                update.map { document.readiness(of: $0) == .redundant } == true,
                "of \(name) was sent what is not on disk")
        default: break
        }
    }
}

/// What clients were told of: the server must have it for ever.
final class Witness {
    private var heard: [String: [[UInt8]]] = [:]
    private var merged: [String: Document] = [:]
    private var chatLines: Set<String> = []
    private(set) var acknowledgements = 0

    func told(_ update: [UInt8], of document: String) {
        heard[document, default: []].append(update)
        acknowledgements += 1
    }

    func told(chatLine id: String) {
        chatLines.insert(id)
        acknowledgements += 1
    }

    /// A record was lost to damage, and the epoch rose.
    func forget() {
        heard = [:]
        merged = [:]
        chatLines = []
    }

    func check(_ documents: [String: Document], _ world: World) {
        for (name, updates) in heard {
            let all = merged[name] ?? Document(clientID: 9)
            merged[name] = all
            for update in updates { try? all.applyUpdate(update) }
            let promise = try? Update(decodingV1: all.encodeStateAsUpdate())
            world.expect(
                promise.map { documents[name]?.readiness(of: $0) == .redundant } == true,
                "\(name) lacks what was acknowledged")
        }
        heard = [:]
        let lines = [DocumentName.chat, DocumentName.watchersChat].flatMap {
            documents[$0]?.array("messages") ?? []
        }
        world.expect(
            chatLines.isSubset(of: lines.compactMap { $0["id"]?.string }), "a chat line is lost")
    }
}
