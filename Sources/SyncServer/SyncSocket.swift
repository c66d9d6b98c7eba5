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
    private let registry: SocketRegistry
    /// What the registry knows of it.
    let entry: OpenSocket
    private var messages: TokenBucket
    private var bytes: TokenBucket
    /// Of those who are behind it.
    private var meters: [UserMeter] = []
    private var throttledUntil = NIODeadline.uptimeNanoseconds(0)
    /// RFC 6455 §7.4.1: "an endpoint has received a type of data it cannot accept".
    private static let unsupportedData: UInt16 = 1003

    init(socketLoop: SocketLoop, registry: SocketRegistry, address: String) {
        self.socketLoop = socketLoop
        self.registry = registry
        entry = registry.open(from: address)
        messages = TokenBucket(registry.limits.socketMessages)
        bytes = TokenBucket(registry.limits.socketBytes)
    }

    /// What was agreed about compression.
    var deflate: DeflateAgreement? { connection?.deflate }
    var isOpen: Bool { connection?.isOpen ?? false }
    var isWritable: Bool { connection?.isWritable ?? false }

    func opened(_ connection: WebSocketConnection) {
        self.connection = connection
        updateReading()
    }

    func closed() {
        connection = nil
        registry.closed(entry)
    }

    var limits: SocketLimits { registry.limits }
    var statistics: SyncStatistics { registry.statistics }

    /// A document was opened on it.
    func opened(_ document: String, of room: String, as id: SubscriberID) {
        entry.opened(document, of: room, as: id)
        meters = entry.meters
    }

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
    func countMessage(bytes size: Int) {
        registry.statistics.bytesReceived.add(size)
        entry.count(size)
        let now = NIODeadline.now()
        if let wait = messages.take(1, at: now) { throttle(.socketMessages, for: wait) }
        if let wait = bytes.take(Double(size), at: now) { throttle(.socketBytes, for: wait) }
        for meter in meters {
            if let over = meter.count(bytes: size, at: now) { throttle(over.limit, for: over.wait) }
        }
    }

    /// Writes of the client cost so much that grows with the document. Who would have to wait for very long for it is
    /// closed.
    func charge(work: UInt64) {
        let now = NIODeadline.now()
        for meter in meters {
            guard let wait = meter.charge(work: work, at: now) else { continue }
            throttle(.userWork, for: wait)
            guard meter.debt(at: now) > SocketRegistry.longestDebt else { continue }
            _ = entry.close(DoorRefusal(.tooFast, "these edits cost too much work"))
        }
    }

    private func throttle(_ limit: OverLimit, for wait: TimeAmount) {
        let until = NIODeadline.now() + min(wait, SocketRegistry.longestDebt)
        guard until > throttledUntil else { return }
        throttledUntil = until
        registry.statistics.count(limit)
        entry.countThrottle()
        guard !holds.contains(.throttled) else { return }
        hold(.throttled)
        releaseThrottle()
    }

    private func releaseThrottle() {
        socketLoop.loop.assumeIsolated().scheduleTask(deadline: throttledUntil) { [weak self] in
            guard let self else { return }
            if throttledUntil > .now() { releaseThrottle() } else { release(.throttled) }
        }
    }
}
