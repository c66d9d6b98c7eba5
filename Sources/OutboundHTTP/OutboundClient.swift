import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why an outbound call was not made, or not answered.
public struct OutboundError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

/// Posts to URLs that somebody else named. The name is resolved once and the connection goes to the address that was
/// judged; private addresses are refused, as is plain http, unless the installation allows both; redirects are not
/// followed; the answer is bounded in time and size.
public struct OutboundClient: Sendable {
    private let allowsPrivate: Bool
    private let tls: NIOSSLContext
    private let group: any EventLoopGroup
    private let resolver = NameResolver()

    /// - Parameters:
    ///   - allowsPrivate: whether private addresses and plain http may be called.
    ///   - authorities: a PEM file of certificate authorities that are trusted besides the system's.
    /// - Throws: when that file cannot be read.
    public init(
        allowsPrivate: Bool, authorities: String? = nil, group: any EventLoopGroup
    ) throws(OutboundError) {
        self.allowsPrivate = allowsPrivate
        self.group = group
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if let authorities { configuration.additionalTrustRoots = [.file(authorities)] }
        do {
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw OutboundError("certificates cannot be read: \(error)")
        }
    }

    /// Whether a URL is one that this client would call, its addresses aside; else why not.
    public func refusal(of url: String) -> String? {
        guard let target = OutboundTarget(url: url) else { return "is no plain URL" }
        return target.isSecure || allowsPrivate ? nil : "is not https"
    }

    /// Posts a body; gives the status of the answer.
    public func post(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8]
    ) async throws(OutboundError) -> Int {
        guard let target = OutboundTarget(url: url), refusal(of: url) == nil else {
            throw OutboundError("the URL is not one that may be called")
        }
        let addresses = await resolver.addresses(of: target.host, port: target.port)
        guard !addresses.isEmpty else { throw OutboundError("the host has no address") }
        guard allowsPrivate || addresses.allSatisfy(AddressRule.isPublic) else {
            throw OutboundError("the host has an address that is not public")
        }
        let answer = group.next().makePromise(of: Int.self)
        do {
            let channel = try await connect(target, addresses, answer)
            return try await exchange(target, headers, body, on: channel, answer)
        } catch {
            answer.fail(error)
            throw error as? OutboundError ?? OutboundError(Self.reason(error))
        }
    }

    /// The first of the addresses that takes a connection.
    private func connect(
        _ target: OutboundTarget, _ addresses: [SocketAddress], _ answer: EventLoopPromise<Int>
    ) async throws -> any Channel {
        let context = tls
        let bootstrap = ClientBootstrap(group: answer.futureResult.eventLoop)
            .connectTimeout(.seconds(OutboundLimits.seconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if target.isSecure {
                        // An address has no name to send; its certificate is checked against the address.
                        let isAddress = (try? SocketAddress(ipAddress: target.host, port: 0)) != nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(
                                context: context, serverHostname: isAddress ? nil : target.host))
                    }
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer))
                }
            }
        var last: any Error = OutboundError("the host has no address")
        for address in addresses.prefix(OutboundLimits.addresses) {
            do {
                return try await bootstrap.connect(to: address).get()
            } catch {
                last = error
            }
        }
        throw last
    }

    private func exchange(
        _ target: OutboundTarget, _ headers: [(name: String, value: String)], _ body: [UInt8],
        on channel: any Channel, _ answer: EventLoopPromise<Int>
    ) async throws -> Int {
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(OutboundLimits.seconds)) {
            answer.fail(OutboundError("no answer within \(OutboundLimits.seconds) s"))
        }
        defer {
            deadline.cancel()
            channel.close(promise: nil)
        }
        var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
        fields.replaceOrAdd(name: "Host", value: target.authority)
        fields.replaceOrAdd(name: "Content-Length", value: String(body.count))
        fields.replaceOrAdd(name: "Connection", value: "close")
        fields.replaceOrAdd(name: "User-Agent", value: "coduel")
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: target.path, headers: fields)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        return try await withTaskCancellationHandler {
            try await answer.futureResult.get()
        } onCancel: {
            answer.fail(OutboundError("given up"))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case is ChannelError: "no connection within \(OutboundLimits.seconds) s, or it broke"
        case let error as IOError: "no connection: \(error.description)"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "TLS: \(error)"
        default: "\(error)"
        }
    }
}

/// Waits for the head of the answer; the rest is not read.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<Int>

    init(_ answer: EventLoopPromise<Int>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        // 1xx is not the answer yet.
        guard head.status.code >= 200 else { return }
        answer.succeed(Int(head.status.code))
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(OutboundError("the connection was closed without an answer"))
        context.fireChannelInactive()
    }
}
