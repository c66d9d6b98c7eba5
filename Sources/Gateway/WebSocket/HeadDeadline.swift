import NIOCore
import NIOHTTP1

/// Closes a connection whose next request takes too long to say what it wants: from its first byte to the end of its
/// head. A client that sends a byte now and then holds a connection no longer than one that sends nothing. One half
/// stands before the decoder and sees bytes, the other behind it and sees heads; both on one event loop.
///
/// A connection has at most one timer. It is left alone when a head arrives and looks, when it fires, whether some head
/// was due by then: a busy connection schedules one each `GatewayLimits.requestHead`, not one each request.
final class HeadDeadline {
    private var timer: Scheduled<Void>?
    /// When the head whose bytes arrive has to be complete; nil while none has begun.
    private var due: NIODeadline?
    private var isWaitingForHead = true

    /// Puts both halves around the decoder.
    static func install<Decoder: ChannelHandler>(
        around decoder: Decoder, in pipeline: ChannelPipeline.SynchronousOperations
    ) throws {
        let owner = HeadDeadline()
        try pipeline.addHandler(Bytes(owner), position: .before(decoder))
        try pipeline.addHandler(Heads(owner), position: .after(decoder))
    }

    /// Takes both away: what follows is no HTTP.
    static func remove(from pipeline: ChannelPipeline.SynchronousOperations) throws {
        pipeline.removeHandler(context: try pipeline.context(handlerType: Bytes.self), promise: nil)
        pipeline.removeHandler(context: try pipeline.context(handlerType: Heads.self), promise: nil)
    }

    fileprivate func bytesArrived(_ context: ChannelHandlerContext) {
        guard isWaitingForHead, due == nil else { return }
        let due = NIODeadline.now() + GatewayLimits.requestHead
        self.due = due
        if timer == nil { arm(for: due, on: context.channel) }
    }

    private func arm(for due: NIODeadline, on channel: any Channel) {
        timer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: due) { [weak self] in
            self?.timerFired(on: channel)
        }
    }

    private func timerFired(on channel: any Channel) {
        timer = nil
        guard let due else { return }
        if due <= .now() {
            channel.close(promise: nil)
        } else {
            arm(for: due, on: channel)
        }
    }

    fileprivate func headArrived() {
        isWaitingForHead = false
        due = nil
    }

    fileprivate func requestEnded() { isWaitingForHead = true }

    fileprivate func cancel() {
        timer?.cancel()
        timer = nil
        due = nil
    }

    final class Bytes: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        private let owner: HeadDeadline

        init(_ owner: HeadDeadline) { self.owner = owner }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            owner.bytesArrived(context)
            context.fireChannelRead(data)
        }

        func channelInactive(context: ChannelHandlerContext) {
            owner.cancel()
            context.fireChannelInactive()
        }
    }

    final class Heads: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        private let owner: HeadDeadline

        init(_ owner: HeadDeadline) { self.owner = owner }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: owner.headArrived()
            case .body: break
            case .end: owner.requestEnded()
            }
            context.fireChannelRead(data)
        }

        func handlerRemoved(context: ChannelHandlerContext) { owner.cancel() }
    }
}
