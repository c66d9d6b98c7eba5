import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL
import NIOTLS
import SyncServer

/// HTTP and WebSocket on one port, with or without TLS: a connection whose first request is an accepted upgrade becomes
/// a socket, every other is served by the router. Over TLS a client may choose HTTP/2.
package struct GatewayChannel: ServerChildChannel, HTTPChannelHandler {
    enum Negotiated: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case http2(HTTP2Channel.Value)
        /// Served on its event loop.
        case socket
    }

    package struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<Negotiated>
        package let channel: any Channel
    }

    package let responder: HTTPChannelHandler.Responder
    private let gate: SocketGate
    private let certificates: TLSCertificates?
    private let http2: HTTP2Channel

    package init(
        gate: SocketGate, certificates: TLSCertificates? = nil,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.gate = gate
        self.certificates = certificates
        self.responder = responder
        http2 = HTTP2Channel(
            responder: responder,
            configuration: .init(idleTimeout: .seconds(60), gracefulCloseTimeout: .seconds(5)))
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(
                .writeBufferWaterMark,
                value: .init(low: SyncServer.Limits.lowWaterMark, high: SyncServer.Limits.highWaterMark))
            let negotiated =
                if let certificates {
                    try negotiate(by: certificates, on: channel, logger: logger)
                } else {
                    try configureHTTP1(on: channel, isSecure: false, logger: logger)
                }
            return Value(negotiated: negotiated, channel: channel)
        }
    }

    /// TLS first, and what the client wants to speak over it (RFC 7301).
    private func negotiate(
        by certificates: TLSCertificates, on channel: any Channel, logger: Logger
    ) throws -> EventLoopFuture<Negotiated> {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(NIOSSLServerHandler(context: certificates.context))
        let opening = FirstRequestDeadline()
        // Its result is what comes to be known later: nothing is read before the handler has one.
        let handler = NIOTypedApplicationProtocolNegotiationHandler<EventLoopFuture<Negotiated>> {
            result, channel in
            channel.pipeline.syncOperations.removeHandler(opening, promise: nil)
            return channel.eventLoop.makeCompletedFuture {
                if case .negotiated("h2") = result {
                    return http2.setup(channel: channel, logger: logger).map { .http2($0) }
                }
                return try configureHTTP1(on: channel, isSecure: true, logger: logger)
            }
        }
        try pipeline.addHandler(handler)
        try pipeline.addHandler(opening)
        return handler.protocolNegotiationResult.flatMap { $0 }
    }

    private func configureHTTP1(
        on channel: any Channel, isSecure: Bool, logger: Logger
    ) throws -> EventLoopFuture<Negotiated> {
        let gate = gate
        let upgrader = FrameUpgrader<Negotiated>(
            install: { channel, head in
                let pipeline = channel.pipeline.syncOperations
                try HeadDeadline.remove(from: pipeline)
                try pipeline.addHandler(
                    gate.connection(for: head, on: channel, isEncrypted: isSecure))
                return .socket
            })
        var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Negotiated>(
            upgradeConfiguration: .init(upgraders: [upgrader]) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.serveHTTP(on: channel, isSecure: isSecure, logger: logger)
                }
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
        try HeadDeadline.install(around: decoder, in: pipeline)
        return negotiated
    }

    private static func serveHTTP(
        on channel: any Channel, isSecure: Bool, logger: Logger
    ) throws -> Negotiated {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
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
            case .http2(let connection): await http2.handle(value: connection, logger: logger)
            // A task that waits for each socket's end would keep 4 KiB; a stop waits for `SocketLoops.allClosed`.
            case .socket: break
            }
        } catch {
            logger.debug("connection ended", metadata: ["error": "\(error)"])
        }
    }
}
