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

    /// Posts a body; gives the status of the answer, whose body is not read.
    public func post(
        _ url: String, headers: [(name: String, value: String)], body: [UInt8]
    ) async throws(OutboundError) -> Int {
        try await send(.POST, url, headers: headers, body: body, readsBody: false).status
    }

    /// Makes a call, and gives the answer with its body; one over `OutboundLimits.answerBytes` is an error.
    public func call(
        _ method: HTTPMethod, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) async throws(OutboundError) -> OutboundAnswer {
        try await send(method, url, headers: headers, body: body, readsBody: true)
    }

    private func send(
        _ method: HTTPMethod, _ url: String, headers: [(name: String, value: String)], body: [UInt8],
        readsBody: Bool
    ) async throws(OutboundError) -> OutboundAnswer {
        guard let target = OutboundTarget(url: url), refusal(of: url) == nil else {
            throw OutboundError("the URL is not one that may be called")
        }
        let addresses = await resolver.addresses(of: target.host, port: target.port)
        guard !addresses.isEmpty else { throw OutboundError("the host has no address") }
        guard allowsPrivate || addresses.allSatisfy(AddressRule.isPublic) else {
            throw OutboundError("the host has an address that is not public")
        }
        let answer = group.next().makePromise(of: OutboundAnswer.self)
        do {
            let channel = try await connect(target, addresses, answer, readsBody: readsBody)
            return try await exchange(method, target, headers, body, on: channel, answer)
        } catch {
            answer.fail(error)
            throw error as? OutboundError ?? OutboundError(Self.reason(error))
        }
    }

    /// The first of the addresses that takes a connection.
    private func connect(
        _ target: OutboundTarget, _ addresses: [SocketAddress], _ answer: EventLoopPromise<OutboundAnswer>,
        readsBody: Bool
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
                    try channel.pipeline.syncOperations.addHandler(
                        AnswerHandler(answer, readsBody: readsBody))
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
        _ method: HTTPMethod, _ target: OutboundTarget, _ headers: [(name: String, value: String)],
        _ body: [UInt8], on channel: any Channel, _ answer: EventLoopPromise<OutboundAnswer>
    ) async throws -> OutboundAnswer {
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
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target.path, headers: fields)
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
