import NIOCore
import Rooms
import SyncProtocol

/// The WebSocket under the documents it carries: what is written to it, and when it is read. Confined to its event
/// loop.
final class SyncSocket {
    /// Why a socket is not read for a while.
    enum Hold: Hashable {
        /// A token is being checked, a room loaded.
        case opening(SubscriberID)
        /// Too much of a room waits for the disk.
        case stalled(SubscriberID)
        case throttled
    }

    let socketLoop: SocketLoop
    private var connection: WebSocketConnection?
    private var holds: Set<Hold> = []
    private var rate = TokenBucket(perSecond: Limits.messagesPerSecond, burst: Limits.messageBurst)
    /// RFC 6455 §7.4.1: "an endpoint has received a type of data it cannot accept".
    private static let unsupportedData: UInt16 = 1003

    init(socketLoop: SocketLoop) { self.socketLoop = socketLoop }

    /// What was agreed about compression.
    var deflate: DeflateAgreement? { connection?.deflate }
    var isOpen: Bool { connection?.isOpen ?? false }
    var isWritable: Bool { connection?.isWritable ?? false }

    func opened(_ connection: WebSocketConnection) {
        self.connection = connection
        updateReading()
    }

    func closed() { connection = nil }

    // MARK: Outbound

    /// Writes bytes that are whole WebSocket frames already.
    func write(_ frames: ByteBuffer) { connection?.write(frames: frames) }

    /// The same with the bytes at hand, for those who write them to many.
    func write(_ bytes: UnsafeRawBufferPointer, of frames: ByteBuffer) {
        connection?.write(bytes, of: frames)
    }

    func send(_ message: [UInt8]) { connection?.send(.binary, message) }

    func close(_ refusal: DoorRefusal) {
        connection?.close(code: refusal.code.rawValue, reason: refusal.reason)
    }

    /// Ends a socket whose client speaks something else.
    func closeAsUnreadable(_ reason: String) { connection?.close(code: Self.unsupportedData, reason: reason) }

    // MARK: Reading

    func hold(_ hold: Hold) {
        holds.insert(hold)
        updateReading()
    }

    func release(_ hold: Hold) {
        guard holds.remove(hold) != nil else { return }
        updateReading()
    }

    func updateReading() { connection?.setReading(holds.isEmpty && isWritable) }

    /// Counts a message of the client: whoever is too fast is read more slowly.
    func countMessage() {
        guard !rate.take(at: .now()), !holds.contains(.throttled) else { return }
        hold(.throttled)
        socketLoop.loop.assumeIsolated().scheduleTask(in: rate.refillTime) { [weak self] in
            self?.release(.throttled)
        }
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
