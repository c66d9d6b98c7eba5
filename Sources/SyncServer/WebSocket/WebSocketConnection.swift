import Glibc
import NIOCore
import SyncProtocol

/// What a WebSocket connection carries. Confined to the connection's event loop.
public protocol WebSocketEndpoint: AnyObject {
    func opened(_ connection: WebSocketConnection)
    /// One whole message. Text has been checked to be UTF-8.
    func received(_ message: [UInt8], isText: Bool)
    /// The socket filled up, or drained.
    func writabilityChanged()
    func closed()
}

/// One WebSocket connection (RFC 6455, RFC 7692): assembles fragments, expands compressed messages, answers pings,
/// keeps the close handshake, closes what breaks the rules. Confined to its event loop; frames go out as bytes that
/// may be shared with other sockets.
public final class WebSocketConnection: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    let socketLoop: SocketLoop
    private let loops: SocketLoops
    /// What was agreed about compression.
    let deflate: DeflateAgreement?
    private let endpoint: any WebSocketEndpoint
    private let maximumMessageBytes: Int
    private var reader: FrameReader
    private var message = MessageAssembly()
    private var context: ChannelHandlerContext?
    private var isClosing = false
    /// What cannot be read as frames is not looked at any more.
    private var isDeaf = false
    private var isReading = true
    private var lastReadAt = NIODeadline.now()
    /// Where `keepAlive` keeps it.
    var keepAlivePlace: KeepAlive.Place?

    private var channel: (any Channel)?
    /// The socket itself, for writing past the channel; -1 when it cannot be had.
    private var descriptor: CInt = -1
    /// Whether bytes may go to the socket itself: not where the channel encrypts them.
    private let writesPastChannel: Bool
    /// Writes that are on their way through the channel: until they are out, all others follow them.
    private var queuedWrites = 0

    public init(
        endpoint: any WebSocketEndpoint, loops: SocketLoops, loop: any EventLoop,
        deflate: DeflateAgreement? = nil, maximumMessageBytes: Int = Limits.messageBytes,
        isEncrypted: Bool = false
    ) {
        self.endpoint = endpoint
        self.loops = loops
        socketLoop = loops[loop]
        self.deflate = deflate
        self.maximumMessageBytes = maximumMessageBytes
        writesPastChannel = !isEncrypted
        reader = FrameReader(maximumPayloadBytes: maximumMessageBytes)
    }

    public var isWritable: Bool { queuedWrites == 0 || channel?.isWritable ?? false }
    public var isOpen: Bool { context != nil && !isClosing }

    // MARK: Outbound

    /// Writes bytes that are whole frames already.
    public func write(frames: ByteBuffer) {
        frames.withUnsafeReadableBytes { write($0, of: frames) }
    }

    /// Writes all of `frames`, whose bytes the caller has at hand because it writes them to many sockets.
    ///
    /// As long as nothing waits in the channel the bytes go to the socket at once: the way through the channel costs
    /// as much as the system call, for each of a thousand watchers.
    func write(_ bytes: UnsafeRawBufferPointer, of frames: ByteBuffer) {
        guard !isClosing, let channel else { return }
        socketLoop.countSent(bytes.count)
        var sent = 0
        // A channel that is not active may have closed the socket; its number may be another's by now.
        if queuedWrites == 0, descriptor >= 0, channel.isActive {
            sent = max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, Self.sendFlags))
            if sent == bytes.count { return }
        }
        // What did not fit, and errors, are the channel's.
        queue(frames.getSlice(at: frames.readerIndex + sent, length: bytes.count - sent) ?? frames)
    }

    private static let sendFlags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)

    private func queue(_ bytes: ByteBuffer) {
        guard let context else { return }
        queuedWrites += 1
        let wasWritten = context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated()
        wasWritten.whenComplete { _ in self.queuedWrites -= 1 }
    }

    public func send(_ kind: MessageKind, _ payload: some Collection<UInt8>) {
        send(kind == .text ? Opcode.text : Opcode.binary, payload)
    }

    private func send(_ opcode: Opcode, _ payload: some Collection<UInt8>) {
        guard let context, !isClosing else { return }
        var buffer = context.channel.allocator.buffer(capacity: payload.count + 10)
        let codec = deflate.map { (socketLoop.codec, $0) }
        buffer.writeWebSocketFrame(opcode, payload, compressedBy: codec)
        write(frames: buffer)
    }

    /// Begins the close handshake; the connection ends with the peer's answer or after a short while.
    public func close(code: UInt16, reason: String = "") {
        guard let context, !isClosing else { return }
        var body = [UInt8(code >> 8), UInt8(code & 0xFF)]
        body.append(contentsOf: reason.utf8.prefix(120))
        send(Opcode.close, body)
        isClosing = true
        setReading(true)
        let channel = context.channel
        context.eventLoop.assumeIsolated().scheduleTask(in: Limits.closeTimeout) {
            channel.close(promise: nil)
        }
    }

    /// Stops or resumes reading from the socket: back-pressure on its writer.
    public func setReading(_ reads: Bool) {
        guard let context, reads != isReading else { return }
        isReading = reads
        // While it was not read nothing could be heard.
        if reads { lastReadAt = .now() }
        context.channel.setOption(.autoRead, value: reads).whenFailure { _ in }
        if reads { context.read() }
    }

    /// Ends the connection when what was written is out.
    private func endAfterFlush(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    // MARK: Channel events

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let channel = context.channel
        self.channel = channel
        let operations = channel.pipeline.syncOperations
        // The answer to the upgrade may not be out yet.
        if writesPastChannel, (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) == 0 {
            let socket = try? operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
            descriptor = socket ?? -1
        }
        loops.count(1)
        socketLoop.keepAlive.add(self)
        endpoint.opened(self)
    }

    public func handlerRemoved(context: ChannelHandlerContext) { end() }

    public func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        guard context != nil else { return }
        context = nil
        channel = nil
        descriptor = -1
        loops.count(-1)
        socketLoop.keepAlive.remove(self)
        endpoint.closed()
    }

    /// Called every `pingInterval`.
    func checkAlive() {
        if isReading && lastReadAt + Limits.idleTimeout < .now() {
            close(code: CloseCode.idle.rawValue, reason: "nothing was heard for too long")
        } else if !isReading && lastReadAt + Limits.drainTimeout < .now() {
            // It is not read because it does not drain: nobody is there.
            context?.close(promise: nil)
        } else if isWritable {
            send(Opcode.ping, [])
        }
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastReadAt = .now()
        guard !isDeaf else { return }
        reader.append(unwrapInboundIn(data))
        do throws(FrameViolation) {
            while !isDeaf, let frame = try reader.next() { received(frame, context) }
            reader.compact()
        } catch {
            isDeaf = true
            switch error {
            case .tooLarge: close(code: 1009, reason: "message too large")
            case .unreadable:
                close(code: 1002)
                endAfterFlush(context)
            }
        }
    }

    private func received(_ frame: ClientFrame, _ context: ChannelHandlerContext) {
        // After our close frame only the peer's counts.
        if isClosing && frame.opcode != .close { return }
        guard !frame.opcode.isControl else { return control(frame, context) }
        do throws(MessageAssembly.Violation) {
            let whole = try message.add(
                frame, limit: maximumMessageBytes, codec: deflate == nil ? nil : socketLoop.codec)
            guard let whole else { return }
            endpoint.received(whole.bytes, isText: whole.isText)
        } catch {
            switch error {
            case .protocolError: close(code: 1002)
            case .notText, .notDeflated: close(code: 1007)
            case .tooLarge: close(code: 1009, reason: "message too large")
            }
        }
    }

    private func control(_ frame: ClientFrame, _ context: ChannelHandlerContext) {
        guard !frame.isCompressed else { return close(code: 1002) }
        switch frame.opcode {
        case .close:
            if !isClosing { answerClose(frame.payload) }
            // The peer says no more.
            isDeaf = true
            endAfterFlush(context)
        case .ping: send(Opcode.pong, frame.payload)
        default: break
        }
    }

    private func answerClose(_ body: [UInt8]) {
        guard !body.isEmpty else { return close(code: 1000) }
        guard body.count >= 2 else { return close(code: 1002) }
        let code = UInt16(body[0]) << 8 | UInt16(body[1])
        guard Self.mayBeSent(code), String(validating: body.dropFirst(2), as: UTF8.self) != nil else {
            return close(code: 1002)
        }
        close(code: code)
    }

    /// Codes that may stand in a close frame (RFC 6455 §7.4).
    private static func mayBeSent(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        endpoint.writabilityChanged()
        context.fireChannelWritabilityChanged()
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: close(code: 1001, reason: "the server is going away")
        // The listener allows half-closed connections, for HTTP; a WebSocket whose peer says no more is over.
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
