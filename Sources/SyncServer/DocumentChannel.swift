import CRDT
import NIOCore
import Rooms
import SyncProtocol
import Traces

/// Who opens a document, or why not.
public struct SocketAdmission: Sendable {
    public var caller: RoomCaller
    public var roomID: String
    public var document: String
    /// The epoch of the sync token; nil where the token carries none.
    public var epoch: Int64?
    /// What the request for the socket was part of.
    public var trace: TraceContext?

    public init(caller: RoomCaller, roomID: String, document: String, epoch: Int64? = nil) {
        self.caller = caller
        self.roomID = roomID
        self.document = document
        self.epoch = epoch
    }
}

/// What a channel asks of the endpoint that has it. Called on the socket's loop.
protocol DocumentChannelOwner: AnyObject {
    /// The room has let it in.
    func channelWasOpened(_ channel: DocumentChannel)
    /// The door was closed to it; it is not open and never will be.
    func channel(_ channel: DocumentChannel, wasTurnedAway refusal: DoorRefusal)
    /// The room ends it. The owner says so and leaves.
    func channel(_ channel: DocumentChannel, wasEnded refusal: DoorRefusal)
}

/// One document on one socket, in either framing: asks for admission, decodes messages where the socket lives, hands
/// them to the room on its loop, and writes what the room sends. Confined to the socket's event loop (`@unchecked`:
/// other loops only pass references and hop here).
final class DocumentChannel: @unchecked Sendable {
    let id: SubscriberID
    let framing: Framing
    let socketLoop: SocketLoop
    /// What was agreed about compression.
    let agreement: DeflateAgreement?
    private let directory: RoomDirectory
    private let socket: SyncSocket
    private weak var owner: (any DocumentChannelOwner)?
    private var host: RoomHost?
    private var hasLeft = false
    private var early: [ArraySlice<UInt8>] = []
    private var earlyBytes = 0
    private var toldLimits: Set<RoomLimit> = []
    /// Where it gets its broadcasts from, and its index there.
    var lane: Lane?
    var laneIndex = 0
    /// Sent nothing of its document until the socket drains; then one difference.
    private var isBehind = false
    /// The position of the room's log up to which it was sent all when it fell behind; nil where that is not known.
    private var sentPosition: Int64?
    private var catchUpIsAsked = false
    /// What the client has at least.
    private var known = StateVector()
    /// Whether a step 1 was answered: from then on the client has all that was broadcast.
    private var hasState = false
    /// A step 1 is answered one at a time, and only while the socket drains: the answer may be a thousand times larger.
    private var step1IsAnswered = true
    private var waitingStep1: StateVector?

    init(
        framing: Framing, on socket: SyncSocket, of owner: any DocumentChannelOwner, directory: RoomDirectory
    ) {
        id = directory.nextSubscriberID()
        self.framing = framing
        socketLoop = socket.socketLoop
        agreement = socket.deflate
        self.socket = socket
        self.owner = owner
        self.directory = directory
    }

    /// Channels of a kind are sent the same bytes.
    var kind: Lane.Kind { Lane.Kind(framing: framing, windowBits: agreement?.serverWindowBits ?? 0) }

    // MARK: Admission

    /// Whether its token is being checked, or its room loaded.
    var isOpening: Bool { host == nil && !hasLeft }

    /// Joins the room, or tells the owner why not. The socket is not read meanwhile.
    func open(_ admission: @escaping @Sendable () async throws(DoorRefusal) -> SocketAdmission) {
        socket.hold(.opening(id))
        let timeout = socketLoop.loop.assumeIsolated().scheduleTask(
            in: .seconds(Int64(socket.limits.admissionSeconds))
        ) { [weak self] in
            self?.turnAway(DoorRefusal(.tryAgainLater, "the room could not be opened in time"))
        }
        let entry = socket.entry
        let registry = directory.registry
        Task {
            let result: Result<(host: RoomHost, document: String), DoorRefusal>
            do throws(DoorRefusal) {
                let admission = try await admission()
                try registry.identify(entry, as: admission.caller)
                result = .success((try await self.directory.join(self, admission), admission.document))
            } catch {
                result = .failure(error)
            }
            self.socketLoop.loop.execute {
                timeout.cancel()
                self.opened(result)
            }
        }
    }

    private func opened(_ result: Result<(host: RoomHost, document: String), DoorRefusal>) {
        switch result {
        case .success((let host, let document)):
            guard !hasLeft, socket.isOpen else { return host.leave(id) }
            self.host = host
            socket.opened(document, of: host.id, as: id)
            owner?.channelWasOpened(self)
            let waiting = early
            early = []
            for message in waiting { handle(message) }
            socket.release(.opening(id))
            // The socket may have drained while the room was opened.
            writabilityChanged()
        case .failure(let refusal):
            turnAway(refusal)
        }
    }

    private func turnAway(_ refusal: DoorRefusal) {
        guard !hasLeft else { return }
        leave()
        socket.statistics.count(refusal)
        owner?.channel(self, wasTurnedAway: refusal)
    }

    /// The room has let it in. Comes before anything else of the room.
    func admitted(mayWrite: Bool) {
        guard !hasLeft, framing != .plain else { return }
        say(ServerFrame.authenticated(mayWrite: mayWrite))
    }

    /// The client is gone, or the document is closed to it. Nothing is written any more.
    func leave() {
        guard !hasLeft else { return }
        hasLeft = true
        lane?.remove(self)
        early = []
        waitingStep1 = nil
        socket.entry.left(id)
        setBehind(false)
        host?.leave(id)
        host = nil
        socket.release(.opening(id))
        socket.release(.stalled(id))
    }

    // MARK: From the client

    /// One message, without the name of the document.
    func received(_ message: ArraySlice<UInt8>) {
        guard !hasLeft else { return }
        guard host != nil else {
            early.append(message)
            earlyBytes += message.count
            if early.count > socket.limits.admissionFrames || earlyBytes > socket.limits.admissionBytes {
                socket.statistics.count(.admission)
                turnAway(DoorRefusal(.tooFast, "too many frames at once"))
            }
            return
        }
        handle(message)
    }

    private func handle(_ message: ArraySlice<UInt8>) {
        do throws(FrameError) {
            let message = try ClientMessage(decoding: message)
            socket.statistics.received.add(SyncMessageKind(message))
            guard let inbound = inbound(message) else { return }
            host?.receive(inbound, from: self)
        } catch {
            refuseUnreadable()
        }
    }

    /// A message of the client could not be read.
    func refuseUnreadable() {
        socket.statistics.received.add(.unknown)
        host?.receive(.refusedWrite(.malformed), from: self)
    }

    private func inbound(_ message: ClientMessage) -> Inbound? {
        switch message {
        case .syncStep1(let bytes):
            guard let stateVector = try? StateVector(decoding: bytes) else {
                return .refusedWrite(.malformed)
            }
            known = stateVector
            guard step1IsAnswered, socket.isWritable else {
                waitingStep1 = stateVector
                return nil
            }
            step1IsAnswered = false
            return .step1(stateVector)
        case .syncStep2(let bytes): return write(bytes, isStep2: true)
        case .update(let bytes): return write(bytes, isStep2: false)
        case .awareness(let bytes):
            guard bytes.count <= directory.roomLimits.awarenessBytes else {
                tell(over: .awarenessBytes)
                return nil
            }
            return (try? AwarenessUpdate(decoding: bytes)).map(Inbound.awareness)
        case .queryAwareness: return .queryAwareness
        case .stateless(let text): return .stateless(text, newID: directory.newID())
        case .unknown: return nil
        }
    }

    private func write(_ bytes: [UInt8], isStep2: Bool) -> Inbound {
        guard bytes.count <= directory.roomLimits.updateBytes else { return .refusedWrite(.tooLarge) }
        do throws(UpdateError) {
            return .update(try Update(decodingV1: bytes, limits: Limits.update), isStep2: isStep2)
        } catch {
            return .refusedWrite(error.code == .tooLarge ? .tooLarge : .malformed)
        }
    }

    // MARK: To the client

    /// A message of the endpoint or the channel itself, in the channel's framing.
    func say(_ frame: [UInt8]) { socket.send(framing.encode(frame)) }

    /// From now on it gets the broadcasts of that lane.
    func join(_ lane: Lane) {
        guard !hasLeft else { return }
        self.lane?.remove(self)
        lane.add(self)
    }

    /// Frames that everyone of a lane is sent; dropped while the socket is behind.
    ///
    /// - Parameter position: of the room's log, up to which all was delivered before.
    func deliver(_ bytes: UnsafeRawBufferPointer, of frames: ByteBuffer, after position: Int64?) {
        guard !isBehind, !hasLeft else { return }
        guard socket.isWritable else {
            setBehind(true)
            sentPosition = hasState ? position : nil
            return
        }
        socket.write(bytes, of: frames)
    }

    /// Frames for this channel alone.
    func send(_ frames: ByteBuffer, answersStep1: Bool) {
        guard !hasLeft else { return }
        socket.write(frames)
        guard answersStep1 else { return }
        step1IsAnswered = true
        hasState = true
        answerWaitingStep1()
    }

    private func answerWaitingStep1() {
        guard let stateVector = waitingStep1, step1IsAnswered, socket.isWritable else { return }
        waitingStep1 = nil
        step1IsAnswered = false
        host?.receive(.step1(stateVector), from: self)
    }

    /// The one difference that makes up for what was left out.
    func catchUp(_ frames: ByteBuffer, now: StateVector) {
        guard !hasLeft else { return }
        catchUpIsAsked = false
        setBehind(false)
        known = now
        socket.write(frames)
    }

    func writabilityChanged() {
        guard socket.isWritable else { return }
        answerWaitingStep1()
        guard let host, isBehind, !catchUpIsAsked else { return }
        catchUpIsAsked = true
        host.catchUp(self, since: known, after: sentPosition)
    }

    /// Something of the client was left out because of a limit: said once, counted always. Plain clients know no other
    /// message for it than permission denied, which a client of Hocuspocus would take for the end.
    func tell(over limit: RoomLimit) {
        guard !hasLeft else { return }
        socket.statistics.count(limit)
        guard toldLimits.insert(limit).inserted else { return }
        switch framing {
        case .plain: say(ServerFrame.permissionDenied(reason: "limit:\(limit.rawValue)"))
        case .named: say(ServerFrame.stateless(#"{"type":"limit","limit":"\#(limit.rawValue)"}"#))
        }
    }

    private func setBehind(_ value: Bool) {
        guard value != isBehind else { return }
        isBehind = value
        socket.statistics.slowReceivers.add(value ? 1 : -1)
    }

    /// Its writes cost so much work.
    func charge(work: UInt64) {
        if !hasLeft { socket.charge(work: work) }
    }

    /// The room ends the channel.
    func end(_ refusal: DoorRefusal) {
        guard !hasLeft else { return }
        owner?.channel(self, wasEnded: refusal)
    }

    /// Reading stops while too much of the room waits for the disk.
    func stall(_ stalls: Bool) {
        guard !hasLeft else { return }
        if stalls { socket.hold(.stalled(id)) } else { socket.release(.stalled(id)) }
    }
}
