import NIOCore
import NIOHTTP1

/// Closes a connection whose next request takes too long to say what it wants: from its first byte to the end of its
/// head. A client that sends a byte now and then holds a connection no longer than one that sends nothing. One half
/// stands before the decoder and sees bytes, the other behind it and sees heads; both on one event loop.
final class HeadDeadline {
    private var deadline: Scheduled<Void>?
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
        guard isWaitingForHead, deadline == nil else { return }
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: GatewayLimits.requestHead) {
            channel.close(promise: nil)
        }
    }

    fileprivate func headArrived() {
        isWaitingForHead = false
        cancel()
    }

    fileprivate func requestEnded() { isWaitingForHead = true }

    fileprivate func cancel() {
        deadline?.cancel()
        deadline = nil
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
