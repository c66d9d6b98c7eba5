import NIOCore
import NIOWebSocket
import SyncProtocol

/// What a WebSocket connection carries. Confined to the connection's event loop.
public protocol WebSocketEndpoint: AnyObject {
    func opened(_ connection: WebSocketConnection)
    /// One whole message. Text has been checked to be UTF-8.
    func received(_ message: ByteBuffer, isText: Bool)
    /// The socket filled up, or drained.
    func writabilityChanged()
    func closed()
}

/// One WebSocket connection (RFC 6455): assembles fragments, answers pings, keeps the close handshake, closes what
/// breaks the rules. Confined to its event loop; frames go out as bytes that may be shared with other sockets.
public final class WebSocketConnection: ChannelInboundHandler {
    public typealias InboundIn = WebSocketFrame
    public typealias OutboundOut = ByteBuffer

    private let endpoint: any WebSocketEndpoint
    private let maximumMessageBytes: Int
    private let count: SocketCount
    private var context: ChannelHandlerContext?
    private var fragments: ByteBuffer?
    private var emptyFragments = 0
    private var fragmentsAreText = false
    private var isClosing = false
    private var isReading = true
    private var lastReadAt = NIODeadline.now()
    private var keepAlive: Scheduled<Void>?

    public init(
        endpoint: any WebSocketEndpoint, count: SocketCount, maximumMessageBytes: Int = Limits.messageBytes
    ) {
        self.endpoint = endpoint
        self.count = count
        self.maximumMessageBytes = maximumMessageBytes
    }

    public var isWritable: Bool { context?.channel.isWritable ?? false }
    public var isOpen: Bool { context != nil && !isClosing }

    // MARK: Outbound

    /// Writes bytes that are whole frames already, and flushes.
    public func write(frames: ByteBuffer) {
        guard let context, !isClosing else { return }
        context.writeAndFlush(wrapOutboundOut(frames), promise: nil)
    }

    public func send(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) {
        guard let context, !isClosing else { return }
        var buffer = context.channel.allocator.buffer(capacity: payload.count + 10)
        buffer.writeWebSocketFrame(opcode, payload)
        write(frames: buffer)
    }

    /// Begins the close handshake; the connection ends with the peer's answer or after a short while.
    public func close(code: UInt16, reason: String = "") {
        guard let context, !isClosing else { return }
        var body = [UInt8(code >> 8), UInt8(code & 0xFF)]
        body.append(contentsOf: reason.utf8.prefix(120))
        send(.connectionClose, body)
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

    // MARK: Channel events

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        count.add(1)
        endpoint.opened(self)
        scheduleKeepAlive(on: context.eventLoop)
    }

    private func scheduleKeepAlive(on loop: any EventLoop) {
        keepAlive = loop.assumeIsolated().scheduleTask(in: Limits.pingInterval) { [weak self] in
            guard let self, self.context != nil else { return }
            self.checkAlive()
            self.scheduleKeepAlive(on: loop)
        }
    }

    public func handlerRemoved(context: ChannelHandlerContext) { end() }

    public func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        guard context != nil else { return }
        context = nil
        count.add(-1)
        keepAlive?.cancel()
        keepAlive = nil
        endpoint.closed()
    }

    private func checkAlive() {
        if isReading && lastReadAt + Limits.idleTimeout < .now() {
            close(code: CloseCode.idle.rawValue, reason: "nothing was heard for too long")
        } else if !isReading && lastReadAt + Limits.drainTimeout < .now() {
            // It is not read because it does not drain: nobody is there.
            context?.close(promise: nil)
        } else if isWritable {
            send(.ping, [])
        }
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        lastReadAt = .now()
        // After our close frame only the peer's counts.
        if isClosing && frame.opcode != .connectionClose { return }
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return close(code: 1002) }
        switch frame.opcode {
        case .ping, .pong, .connectionClose: control(frame, context)
        case .text, .binary:
            guard fragments == nil else { return close(code: 1002) }
            fragmentsAreText = frame.opcode == .text
            emptyFragments = 0
            append(frame)
        case .continuation:
            guard fragments != nil else { return close(code: 1002) }
            append(frame)
        default: close(code: 1002)
        }
    }

    private func append(_ frame: WebSocketFrame) {
        var piece = frame.unmaskedData
        if piece.readableBytes == 0 { emptyFragments += 1 }
        guard (fragments?.readableBytes ?? 0) + piece.readableBytes <= maximumMessageBytes,
            emptyFragments <= Limits.emptyFragments
        else { return close(code: 1009, reason: "message too large") }
        if fragments == nil { fragments = piece } else { fragments?.writeBuffer(&piece) }
        guard frame.fin, let message = fragments else { return }
        fragments = nil
        if fragmentsAreText && String(validating: message.readableBytesView, as: UTF8.self) == nil {
            return close(code: 1007)
        }
        endpoint.received(message, isText: fragmentsAreText)
    }

    private func control(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
        var body = frame.unmaskedData
        let isProper = frame.fin && body.readableBytes <= 125
        switch frame.opcode {
        case .connectionClose:
            if !isProper { close(code: 1002) } else if !isClosing { answerClose(&body) }
            // The peer says no more.
            endAfterFlush(context)
        case _ where !isProper: close(code: 1002)
        case .ping: send(.pong, body.readableBytesView)
        default: break
        }
    }

    /// Ends the connection when what was written is out.
    private func endAfterFlush(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    private func answerClose(_ body: inout ByteBuffer) {
        guard body.readableBytes > 0 else { return close(code: 1000) }
        guard let code = body.readInteger(as: UInt16.self), Self.mayBeSent(code),
            String(validating: body.readableBytesView, as: UTF8.self) != nil
        else { return close(code: 1002) }
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
        switch error {
        case NIOWebSocketError.invalidFrameLength: close(code: 1009, reason: "message too large")
        case is NIOWebSocketError:
            // Nothing after it can be read as frames.
            close(code: 1002)
            endAfterFlush(context)
        default: context.close(promise: nil)
        }
    }
}
