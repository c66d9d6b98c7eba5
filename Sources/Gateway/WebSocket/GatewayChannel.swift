import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import SyncServer

/// HTTP and WebSocket on one port: a connection whose first request is an accepted upgrade becomes a socket, every
/// other is served by the router.
package struct GatewayChannel: ServerChildChannel, HTTPChannelHandler {
    enum Negotiated: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        /// Served on its event loop; nothing more to do here than to wait for its end.
        case socket
    }

    package struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<Negotiated>
        package let channel: any Channel
    }

    package let responder: HTTPChannelHandler.Responder
    private let gate: SocketGate

    package init(gate: SocketGate, responder: @escaping HTTPChannelHandler.Responder) {
        self.gate = gate
        self.responder = responder
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(
                .writeBufferWaterMark,
                value: .init(low: SyncServer.Limits.lowWaterMark, high: SyncServer.Limits.highWaterMark))
            let gate = gate
            let upgrader = FrameUpgrader<Negotiated>(
                install: { channel, head in
                    try channel.pipeline.syncOperations.addHandler(gate.connection(for: head, on: channel))
                    return .socket
                })
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Negotiated>(
                upgradeConfiguration: .init(upgraders: [upgrader]) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.serveHTTP(on: channel, logger: logger) }
                })
            // Hummingbird does these itself.
            configuration.enablePipelining = false
            configuration.enableErrorHandling = false
            configuration.enableResponseHeaderValidation = false
            let pipeline = channel.pipeline.syncOperations
            let negotiated = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
                .handler
            let opening = FirstRequestDeadline()
            try pipeline.addHandler(opening)
            negotiated.assumeIsolated().whenComplete { _ in
                channel.pipeline.syncOperations.removeHandler(opening, promise: nil)
            }
            let address = channel.remoteAddress?.ipAddress ?? "unknown"
            try pipeline.addHandler(
                UpgradeFilter { gate.accepts($0, from: address) }, position: .after(decoder))
            return Value(negotiated: negotiated, channel: channel)
        }
    }

    private static func serveHTTP(on channel: any Channel, logger: Logger) throws -> Negotiated {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: .seconds(60), logger: logger))
        return .http(
            try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)))
    }

    package func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.negotiated.get() {
            case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
            case .socket: try await value.channel.closeFuture.get()
            }
        } catch {
            logger.debug("connection ended", metadata: ["error": "\(error)"])
        }
    }
}
