import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Upgrades to WebSocket with NIO's handshake and frame decoder but without its frame encoder: a room encodes a
/// frame once and writes the same bytes to every socket.
final class FrameUpgrader<UpgradeResult: Sendable>: NIOTypedHTTPServerProtocolUpgrader, Sendable {
    let supportedProtocol = "websocket"
    // NIO also demands that each of these stands in the `Connection` field; the filter has checked key and version.
    let requiredUpgradeHeaders: [String] = []

    private let handshake: NIOTypedWebSocketServerUpgrader<UpgradeResult>
    private let maximumFrameBytes: @Sendable (HTTPRequestHead) -> Int
    private let install: @Sendable (any Channel, HTTPRequestHead) throws -> UpgradeResult

    init(
        maximumFrameBytes: @escaping @Sendable (HTTPRequestHead) -> Int,
        install: @escaping @Sendable (any Channel, HTTPRequestHead) throws -> UpgradeResult
    ) {
        self.maximumFrameBytes = maximumFrameBytes
        self.install = install
        handshake = NIOTypedWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in
                // Only the handshake of this upgrader is used; `upgrade` below replaces the rest.
                channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
            })
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        handshake.buildUpgradeResponse(
            channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders)
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        channel.eventLoop.makeCompletedFuture {
            let decoder = WebSocketFrameDecoder(maxFrameSize: maximumFrameBytes(upgradeRequest))
            try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(decoder))
            return try install(channel, upgradeRequest)
        }
    }
}
