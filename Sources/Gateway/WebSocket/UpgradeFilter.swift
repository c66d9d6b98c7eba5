import NIOCore
import NIOHTTP1

/// Shows the upgrade handler an `Upgrade` field only when the upgrade will be accepted. NIO drops the head of a
/// request whose upgrade is refused, so the client would get no answer at all; without the field the same request is
/// plain HTTP and the router answers it.
final class UpgradeFilter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let accepts: (HTTPRequestHead) -> Bool

    init(accepts: @escaping (HTTPRequestHead) -> Bool) { self.accepts = accepts }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        if !accepts(head) { head.headers.remove(name: "Upgrade") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
        // Only the first request of a connection can be upgraded.
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
