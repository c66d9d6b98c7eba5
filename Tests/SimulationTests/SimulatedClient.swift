import CRDT
import Rooms
import SyncProtocol
import TestSupport

/// A Yjs client with the manners of a stock provider: step 1 on opening, step 2 in answer to the server's, every edit
/// sent at once while there is a connection, kept while there is none; reconnects for ever.
final class SimulatedClient {
    enum Manner {
        case honest
        /// Its state vectors are inventions.
        case liar
        /// Sends whatever comes to mind, much of it nearly right.
        case hostile
    }

    let caller: RoomCaller
    let name: String
    let manner: Manner
    let mayWrite: Bool
    /// The epoch of its token.
    private(set) var epoch: Int64 = 1
    private(set) var document: Document
    private(set) var connection: Connection?
    private(set) var isSynced = false
    /// Denials that an honest client must never hear.
    private(set) var denials: [String] = []
    private(set) var resets = 0
    private let world: World
    private let server: SimulatedServer
    /// Writes of this connection, and how they were answered.
    private var writes: [[UInt8]] = []
    private var saved = 0
    private var refused = 0
    private var overheard: [[UInt8]] = []
    private var nextNonce = 0

    init(
        _ world: World, _ server: SimulatedServer, user: String, name: String, _ manner: Manner,
        mayWrite: Bool
    ) {
        self.world = world
        self.server = server
        self.name = name
        self.manner = manner
        self.mayWrite = mayWrite
        caller = RoomCaller(userID: user, handle: user, sessionID: "session-\(user)")
        document = Document(clientID: world.newClientID())
    }

    // MARK: Connecting

    func connect() {
        guard connection == nil else { return }
        switch server.join(self) {
        case .connection(let connection):
            self.connection = connection
            writes = []
            saved = 0
            refused = 0
            send(.syncStep1)
        case .refused(let refusal):
            if refusal.code == .reset { startAnew() }
            reconnect()
        }
    }

    private func reconnect() {
        world.after(world.random.between(50, 1_500)) { self.connect() }
    }

    func disconnected(from connection: Connection, _ refusal: DoorRefusal?) {
        guard self.connection === connection else { return }
        self.connection = nil
        isSynced = false
        if refusal?.code == .reset { startAnew() }
        reconnect()
    }

    /// The browser is closed; another one is opened later.
    func die() {
        connection?.closeByClient()
        connection = nil
        isSynced = false
        document = Document(clientID: world.newClientID())
        reconnect()
    }

    /// The room's history is another: a new token and a new document.
    private func startAnew() {
        resets += 1
        epoch = server.disk.specification.epoch
        document = Document(clientID: world.newClientID())
    }

    func hangUp() {
        guard let connection else { return }
        connection.closeByClient()
        self.connection = nil
        isSynced = false
        reconnect()
    }

    // MARK: Editing

    private var path: SharedPath {
        server.disk.specification.kind == .open ? SharedPath("code") : SharedPath("files").key("main.py")
    }

    func edit() {
        // Whoever does not read does not write either.
        guard connection?.reads != false else { return }
        guard mayWrite, manner == .honest else { return world.random.chance(80) ? misbehave() : () }
        let length = document.length(at: path)
        guard length != nil || server.disk.specification.kind == .open else { return }
        let end = length ?? 0
        let deletes = end > 2 && world.random.chance(35)
        let at = world.random.below(deletes ? end - 1 : end + 1)
        let count = 1 + world.random.below(min(6, max(1, end - at)))
        let words = ["x", "if ", "é", "for i in range(n):\n", "😀", "0"]
        let word = words[world.random.below(words.count)]
        let path = path
        let update = try? document.edit { transaction throws(EditError) in
            if deletes {
                try transaction.delete(at: at, length: min(count, end - at), in: path)
            } else {
                try transaction.insertText(word, at: at, in: path)
            }
        }
        if let update = update ?? nil { write(ServerFrame.update(update), update) }
    }

    func chat() {
        nextNonce += 1
        connection?.send(
            ServerFrame.stateless(
                #"{"type":"chat.post","nonce":"\#(caller.userID)-\#(nextNonce)","text":"line"}"#))
    }

    private enum Step { case syncStep1 }

    private func send(_: Step) {
        var vector = document.stateVector
        if manner == .liar {
            for client in vector.clients.keys.sorted() { vector[client] = UInt64(world.random.below(50)) }
            vector[world.newClientID()] = world.random.next() >> 40
        }
        connection?.send(ServerFrame.syncStep1(stateVector: vector.encoded()))
    }

    private func write(_ frame: [UInt8], _ update: [UInt8]) {
        guard let connection else { return }
        writes.append(update)
        connection.send(frame)
    }

    private func misbehave() {
        switch manner {
        case .honest: break
        case .liar: send(.syncStep1)
        case .hostile:
            var frame = overheard.randomElement(using: &world.random) ?? [0, 2, 0]
            for _ in 0..<(1 + world.random.below(3)) where !frame.isEmpty {
                frame[world.random.below(frame.count)] = UInt8(truncatingIfNeeded: world.random.next())
            }
            if world.random.chance(20) {
                frame = frame.prefix(world.random.below(frame.count + 1)).map { $0 }
            }
            connection?.send(frame)
        }
    }

    // MARK: Hearing

    func hear(_ frame: [UInt8], on connection: Connection) {
        guard self.connection === connection else { return }
        if manner != .honest, overheard.count < 50 { overheard.append(frame) }
        if frame.starts(with: [8]) { return status(isSaved: frame.last == 1) }
        if frame.starts(with: [2, 0]) { return denied(String(decoding: frame.dropFirst(3), as: UTF8.self)) }
        switch try? ClientMessage(decoding: frame[...]) {
        case .syncStep1(let bytes):
            guard let vector = try? StateVector(decoding: bytes) else { return }
            let update = document.encodeStateAsUpdate(since: vector)
            if manner != .liar { write(ServerFrame.syncStep2(update: update), update) }
        case .syncStep2(let bytes):
            isSynced = true
            take(bytes)
        case .update(let bytes): take(bytes)
        case .stateless(let json):
            guard let fields = JSONParser.parse(json), fields["type"] == "chat.accepted",
                let id = fields["id"]?.string, epoch == server.disk.specification.epoch
            else { return }
            server.witness.told(chatLine: id)
        default: break
        }
    }

    private func take(_ update: [UInt8]) {
        do {
            try document.applyUpdate(update)
        } catch {
            world.expect(false, "\(caller.userID) was sent what cannot be read: \(error)")
        }
        if manner == .honest, epoch == server.disk.specification.epoch {
            server.witness.told(update, of: name)
        }
    }

    /// All writes of a connection are saved when each was answered so.
    private func status(isSaved: Bool) {
        if isSaved { saved += 1 } else { refused += 1 }
        world.expect(saved + refused <= writes.count || manner != .honest, "more answers than writes")
        guard manner == .honest, saved == writes.count, epoch == server.disk.specification.epoch else {
            return
        }
        for update in writes { server.witness.told(update, of: name) }
        writes = []
        saved = 0
    }

    private func denied(_ reason: String) {
        guard reason != WriteRefusal.diskFull.reason else { return }
        denials.append(reason)
    }
}
