import CRDT
import Rooms
import SyncProtocol
import TestSupport

/// One socket: two pipes that keep the order of what goes through them, each at its own pace. It may be cut, and then
/// either end hears of it in its own time, or never.
final class Connection {
    /// Frames on their way to a client that still count as written; past it, the socket is behind.
    static let highWater = 24

    let id: SubscriberID
    private let world: World
    private unowned let server: SimulatedServer
    private unowned let client: SimulatedClient
    private(set) var isOpenAtServer = true
    private(set) var isOpenAtClient = true
    private var isCut = false
    private let delayMs: Int64
    private var upFreeMs: Int64 = 0
    private var downFreeMs: Int64 = 0
    /// Frames that the client has not read.
    private var unread: [[UInt8]] = []
    private(set) var inFlight = 0
    var reads = true
    // As the server's side of the socket keeps it.
    private(set) var isBehind = false
    private var catchUpIsAsked = false
    private var known = StateVector()
    private var step1IsAnswered = true
    private var waitingStep1: StateVector?
    /// The most frames that ever waited here.
    private(set) var longestQueue = 0

    init(_ id: SubscriberID, _ world: World, _ server: SimulatedServer, _ client: SimulatedClient) {
        self.id = id
        self.world = world
        self.server = server
        self.client = client
        delayMs = world.random.between(0, world.random.chance(80) ? 40 : 400)
    }

    private func pause() -> Int64 { delayMs + world.random.between(0, 20) }

    // MARK: Up

    func send(_ frame: [UInt8]) {
        guard isOpenAtClient, !isCut else { return }
        upFreeMs = max(upFreeMs, world.nowMs + pause())
        world.after(upFreeMs - world.nowMs) {
            guard self.isOpenAtServer, !self.isCut else { return }
            self.arrive(frame)
        }
    }

    private func arrive(_ frame: [UInt8]) {
        guard let message = try? ClientMessage(decoding: frame[...]) else {
            return server.receive(.refusedWrite(.malformed), from: self)
        }
        guard case .syncStep1(let bytes) = message else {
            if let inbound = server.inbound(message) { server.receive(inbound, from: self) }
            return
        }
        guard let stateVector = try? StateVector(decoding: bytes) else {
            return server.receive(.refusedWrite(.malformed), from: self)
        }
        known = stateVector
        guard step1IsAnswered, isWritable else {
            waitingStep1 = stateVector
            return
        }
        step1IsAnswered = false
        server.receive(.step1(stateVector), from: self)
    }

    // MARK: Down

    private var isWritable: Bool { inFlight < Self.highWater }

    /// Of a broadcast: left out while the socket is behind.
    func deliver(_ frame: [UInt8]) {
        guard isOpenAtServer, !isBehind else { return }
        guard isWritable else {
            isBehind = true
            return
        }
        write(frame)
    }

    /// For this socket alone.
    func answer(_ frame: [UInt8]) {
        guard isOpenAtServer else { return }
        write(frame)
        guard frame.starts(with: [0, 1]) else { return }
        step1IsAnswered = true
        answerWaitingStep1()
    }

    func catchUp(_ frame: [UInt8], now: StateVector) {
        guard isOpenAtServer else { return }
        catchUpIsAsked = false
        isBehind = false
        known = now
        write(frame)
    }

    private func answerWaitingStep1() {
        guard let stateVector = waitingStep1, step1IsAnswered, isWritable else { return }
        waitingStep1 = nil
        step1IsAnswered = false
        server.receive(.step1(stateVector), from: self)
    }

    private func write(_ frame: [UInt8]) {
        inFlight += 1
        longestQueue = max(longestQueue, inFlight)
        downFreeMs = max(downFreeMs, world.nowMs + pause())
        world.after(downFreeMs - world.nowMs) {
            guard self.isOpenAtClient, !self.isCut else { return }
            self.unread.append(frame)
            self.read()
        }
    }

    /// The client takes what has come, unless it does not read just now.
    func read() {
        while reads, isOpenAtClient, !unread.isEmpty {
            let frame = unread.removeFirst()
            inFlight -= 1
            client.hear(frame, on: self)
        }
        guard isWritable, isOpenAtServer else { return }
        answerWaitingStep1()
        guard isBehind, !catchUpIsAsked else { return }
        catchUpIsAsked = true
        server.catchUp(self, since: known)
    }

    // MARK: Ends

    /// The server closes it; the client hears of it behind everything else.
    func closeByServer(_ refusal: DoorRefusal) {
        guard isOpenAtServer else { return }
        isOpenAtServer = false
        world.after(max(downFreeMs - world.nowMs, 0) + pause()) { self.endAtClient(refusal) }
    }

    func closeByClient() {
        guard isOpenAtClient else { return }
        isOpenAtClient = false
        world.after(max(upFreeMs - world.nowMs, 0) + pause()) { self.endAtServer() }
    }

    /// The line is cut. Half the time one end does not notice before its idle timeout.
    func cut() {
        isCut = true
        world.after(world.random.chance(50) ? pause() : 75_000) { self.endAtServer() }
        world.after(world.random.chance(70) ? pause() : 30_000) { self.endAtClient(nil) }
    }

    private func endAtServer() {
        guard isOpenAtServer else { return }
        isOpenAtServer = false
        server.leave(self)
    }

    private func endAtClient(_ refusal: DoorRefusal?) {
        guard isOpenAtClient else { return }
        isOpenAtClient = false
        client.disconnected(from: self, refusal)
    }

    /// The process on the other side is gone, without a word.
    func serverDied() {
        isOpenAtServer = false
        world.after(pause()) { self.endAtClient(nil) }
    }
}
