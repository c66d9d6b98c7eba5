import CRDT
import NIOCore
import Rooms
import SyncProtocol

/// Who opens a socket, or why not.
public struct SocketAdmission: Sendable {
    public var caller: RoomCaller
    public var roomID: String
    public var document: String
    /// The epoch of the sync token; nil where the token carries none.
    public var epoch: Int64?

    public init(caller: RoomCaller, roomID: String, document: String, epoch: Int64? = nil) {
        self.caller = caller
        self.roomID = roomID
        self.document = document
        self.epoch = epoch
    }
}

/// A y-protocols session: decodes frames where the socket lives, hands them to the room on its loop, and writes what
/// the room sends. Confined to the socket's event loop (`@unchecked`: other loops only pass references and hop here).
public final class SyncSession: WebSocketEndpoint, @unchecked Sendable {
    public let id: SubscriberID
    let loop: any EventLoop
    private let directory: RoomDirectory
    private let admission: @Sendable () async throws(DoorRefusal) -> SocketAdmission
    private let onRefusal: @Sendable (DoorRefusal) -> Void
    private var connection: WebSocketConnection?
    private var host: RoomHost?
    private var early: [ByteBuffer] = []
    /// Sent nothing of its document until it drains; then one difference.
    private var isBehind = false
    private var catchUpIsAsked = false
    /// What the client has at least.
    private var known = StateVector()
    /// A step 1 is answered one at a time, and only while the socket drains: the answer may be a thousand times larger.
    private var step1IsAnswered = true
    private var waitingStep1: StateVector?
    /// RFC 6455 §7.4.1: "an endpoint has received a type of data it cannot accept".
    private static let unsupportedData: UInt16 = 1003
    private var rate = TokenBucket(perSecond: Limits.messagesPerSecond, burst: Limits.messageBurst)
    private var isThrottled = false
    private var isStalled = false

    public init(
        directory: RoomDirectory, loop: any EventLoop,
        admission: @escaping @Sendable () async throws(DoorRefusal) -> SocketAdmission,
        onRefusal: @escaping @Sendable (DoorRefusal) -> Void
    ) {
        id = directory.nextSubscriberID()
        self.loop = loop
        self.directory = directory
        self.admission = admission
        self.onRefusal = onRefusal
    }

    // MARK: Admission

    public func opened(_ connection: WebSocketConnection) {
        self.connection = connection
        connection.setReading(false)
        let timeout = loop.assumeIsolated().scheduleTask(in: Limits.admissionTimeout) { [weak self] in
            self?.turnAway(DoorRefusal(.tryAgainLater, "the room could not be opened in time"))
        }
        Task {
            let result: Result<RoomHost, DoorRefusal>
            do throws(DoorRefusal) {
                let admission = try await self.admission()
                result = .success(try await self.directory.join(self, admission))
            } catch {
                result = .failure(error)
            }
            self.loop.execute {
                timeout.cancel()
                self.admitted(result)
            }
        }
    }

    private func admitted(_ result: Result<RoomHost, DoorRefusal>) {
        switch result {
        case .success(let host):
            guard let connection, connection.isOpen else { return host.leave(id) }
            self.host = host
            let waiting = early
            early = []
            for message in waiting { handle(message) }
            updateReading()
        case .failure(let refusal):
            turnAway(refusal)
        }
    }

    /// Says a refusal in band, then closes with its code.
    func turnAway(_ refusal: DoorRefusal) {
        guard let connection, connection.isOpen else { return }
        onRefusal(refusal)
        connection.send(.binary, ServerFrame.permissionDenied(reason: refusal.reason))
        connection.close(code: refusal.code.rawValue, reason: refusal.reason)
    }

    // MARK: From the client

    public func received(_ message: ByteBuffer, isText: Bool) {
        guard !isText else {
            // Sync frames are binary; a text frame is a client that speaks something else.
            connection?.send(.binary, ServerFrame.permissionDenied(reason: WriteRefusal.malformed.reason))
            connection?.close(code: Self.unsupportedData, reason: "frames are binary")
            return
        }
        guard host != nil else {
            early.append(message)
            if early.count > Limits.earlyFrames { turnAway(DoorRefusal(.tooFast, "too many frames at once")) }
            return
        }
        handle(message)
        if !rate.take(at: .now()), !isThrottled {
            isThrottled = true
            updateReading()
            loop.assumeIsolated().scheduleTask(in: rate.refillTime) { [weak self] in
                self?.isThrottled = false
                self?.updateReading()
            }
        }
    }

    private func handle(_ message: ByteBuffer) {
        guard let host else { return }
        let bytes = Array(buffer: message)
        do throws(FrameError) {
            guard let inbound = inbound(try ClientMessage(decoding: bytes[...])) else { return }
            host.receive(inbound, from: self)
        } catch {
            host.receive(.refusedWrite(.malformed), from: self)
        }
    }

    private func inbound(_ message: ClientMessage) -> Inbound? {
        switch message {
        case .syncStep1(let bytes):
            guard let stateVector = try? StateVector(decoding: bytes) else {
                return .refusedWrite(.malformed)
            }
            known = stateVector
            guard step1IsAnswered, connection?.isWritable == true else {
                waitingStep1 = stateVector
                return nil
            }
            step1IsAnswered = false
            return .step1(stateVector)
        case .syncStep2(let bytes): return write(bytes, isStep2: true)
        case .update(let bytes): return write(bytes, isStep2: false)
        case .awareness(let bytes):
            guard bytes.count <= Rooms.Limits.awarenessBytes,
                let update = try? AwarenessUpdate(decoding: bytes)
            else { return nil }
            return .awareness(update)
        case .queryAwareness: return .queryAwareness
        case .stateless(let text): return .stateless(text, newID: directory.newID())
        case .unknown: return nil
        }
    }

    private func write(_ bytes: [UInt8], isStep2: Bool) -> Inbound {
        guard bytes.count <= Rooms.Limits.updateBytes else { return .refusedWrite(.tooLarge) }
        do throws(UpdateError) {
            return .update(try Update(decodingV1: bytes, limits: Limits.update), isStep2: isStep2)
        } catch {
            return .refusedWrite(error.code == .tooLarge ? .tooLarge : .malformed)
        }
    }

    // MARK: To the client

    /// Frames that everyone of a tier is sent; dropped while the socket is behind.
    func deliver(_ frames: ByteBuffer) {
        guard let connection, !isBehind else { return }
        guard connection.isWritable else {
            isBehind = true
            return
        }
        connection.write(frames: frames)
    }

    /// Frames for this socket alone.
    func send(_ frames: ByteBuffer, answersStep1: Bool) {
        connection?.write(frames: frames)
        guard answersStep1 else { return }
        step1IsAnswered = true
        answerWaitingStep1()
    }

    private func answerWaitingStep1() {
        guard let stateVector = waitingStep1, step1IsAnswered, connection?.isWritable == true else { return }
        waitingStep1 = nil
        step1IsAnswered = false
        host?.receive(.step1(stateVector), from: self)
    }

    /// The one difference that makes up for what was left out.
    func catchUp(_ frames: ByteBuffer, now: StateVector) {
        catchUpIsAsked = false
        isBehind = false
        known = now
        connection?.write(frames: frames)
    }

    public func writabilityChanged() {
        updateReading()
        guard connection?.isWritable == true else { return }
        answerWaitingStep1()
        guard isBehind, !catchUpIsAsked else { return }
        catchUpIsAsked = true
        host?.catchUp(self, since: known)
    }

    func close(_ refusal: DoorRefusal) {
        connection?.send(.binary, ServerFrame.permissionDenied(reason: refusal.reason))
        connection?.close(code: refusal.code.rawValue, reason: refusal.reason)
    }

    /// Reading stops while too much of the room waits for the disk.
    func stall(_ stalls: Bool) {
        isStalled = stalls
        updateReading()
    }

    private func updateReading() {
        guard host != nil else { return }
        connection?.setReading(!isThrottled && !isStalled && connection?.isWritable == true)
    }

    public func closed() {
        connection = nil
        host?.leave(id)
        host = nil
    }
}

/// Credit that refills with time; may be overdrawn by what was read already.
struct TokenBucket {
    private let perSecond: Double
    private let burst: Double
    private var tokens: Double
    private var last = NIODeadline.now()

    init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
        tokens = burst
    }

    /// Takes one token; false when there is none left.
    mutating func take(at now: NIODeadline) -> Bool {
        let elapsed = Double((now - last).nanoseconds) / 1e9
        last = now
        tokens = min(burst, tokens + elapsed * perSecond) - 1
        return tokens > 0
    }

    /// Until a tenth of a second's worth is there again.
    var refillTime: TimeAmount {
        .milliseconds(Int64(max(1, (perSecond * 0.1 - tokens) / perSecond * 1_000)))
    }
}
