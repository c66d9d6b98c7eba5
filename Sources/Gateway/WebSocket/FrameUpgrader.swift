import NIOCore
import NIOHTTP1
import NIOWebSocket
import SyncServer

/// Upgrades to WebSocket with NIO's handshake but without its frame codec: a room encodes a frame once and writes the
/// same bytes to every socket, and the connection reads frames itself.
final class FrameUpgrader<UpgradeResult: Sendable>: NIOTypedHTTPServerProtocolUpgrader, Sendable {
    let supportedProtocol = "websocket"
    // NIO also demands that each of these stands in the `Connection` field; the filter has checked key and version.
    let requiredUpgradeHeaders: [String] = []

    private let handshake: NIOTypedWebSocketServerUpgrader<UpgradeResult>
    private let install: @Sendable (any Channel, HTTPRequestHead) throws -> UpgradeResult

    init(
        install: @escaping @Sendable (any Channel, HTTPRequestHead) throws -> UpgradeResult
    ) {
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
        let agreement = upgradeRequest.deflateAgreement
        return handshake.buildUpgradeResponse(
            channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders
        ).map { headers in
            var headers = headers
            if let agreement { headers.add(name: "Sec-WebSocket-Extensions", value: agreement.header) }
            return headers
        }
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        channel.eventLoop.makeCompletedFuture {
            try install(channel, upgradeRequest)
        }
    }
}

extension HTTPRequestHead {
    /// What of the client's offers to compress is accepted (RFC 7692 §5).
    var deflateAgreement: DeflateAgreement? { DeflateAgreement(offers: headers["Sec-WebSocket-Extensions"]) }
}
