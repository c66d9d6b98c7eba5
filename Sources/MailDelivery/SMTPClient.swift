import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// Where mails are handed over.
public struct SMTPServer: Sendable {
    public var host: String
    public var port: Int
    /// TLS from the first byte (`smtps:`, RFC 8314). Without it STARTTLS is demanded, unless `allowsPlain`.
    public var isImplicitTLS: Bool
    /// Whether a server without TLS may be used: one on this machine.
    public var allowsPlain: Bool
    public var user: String?
    public var password: String?

    /// Nil for what is no `smtp://[USER@]HOST[:PORT]` or `smtps://…`.
    public init?(url: String, password: String?, allowsPlain: Bool) {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        switch url[..<scheme.lowerBound] {
        case "smtps": isImplicitTLS = true
        case "smtp": isImplicitTLS = false
        default: return nil
        }
        var rest = url[scheme.upperBound...]
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty, parts.count <= 2,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") })
        else { return nil }
        host = String(name)
        guard let port = parts.count == 2 ? UInt16(parts[1]) : (isImplicitTLS ? 465 : 587) else { return nil }
        self.port = Int(port)
        self.password = password
        self.allowsPlain = allowsPlain
    }
}

/// Hands a mail to a server (RFC 5321, with STARTTLS of RFC 3207 and AUTH PLAIN of RFC 4954): one connection a mail.
public struct SMTPClient: Sendable {
    private let server: SMTPServer
    private let tls: NIOSSLContext
    private let group: any EventLoopGroup

    /// - Parameter authorities: a PEM file of certificate authorities that are trusted besides the system's.
    public init(_ server: SMTPServer, authorities: String? = nil, group: any EventLoopGroup) throws(MailError)
    {
        self.server = server
        self.group = group
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities { configuration.additionalTrustRoots = [.file(authorities)] }
        do {
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw MailError("certificates cannot be read: \(error)")
        }
    }

    public func send(_ message: MailMessage) async throws(MailError) {
        do {
            let channel = try await connect()
            try await channel.executeThenClose { inbound, outbound in
                var dialogue = Dialogue(replies: inbound.makeAsyncIterator(), channel: channel.channel)
                try await hand(message, &dialogue) { line in
                    try await outbound.write(ByteBuffer(string: line + "\r\n"))
                }
            }
        } catch let error as MailError {
            throw error
        } catch {
            throw MailError("the mail server cannot be reached: \(error)")
        }
    }

    private typealias Pipe = NIOAsyncChannel<SMTPReply, ByteBuffer>

    private func connect() async throws -> Pipe {
        let (server, tls) = (server, tls)
        return try await ClientBootstrap(group: group).connectTimeout(MailLimits.step)
            .connect(host: server.host, port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if server.isImplicitTLS {
                        try pipeline.addHandler(Self.tlsHandler(tls, server))
                    }
                    try pipeline.addHandler(ByteToMessageHandler(SMTPReplyDecoder()))
                    return try Pipe(wrappingChannelSynchronously: channel)
                }
            }
    }

    private static func tlsHandler(_ tls: NIOSSLContext, _ server: SMTPServer) throws -> NIOSSLClientHandler {
        let isAddress = (try? SocketAddress(ipAddress: server.host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : server.host)
    }

    /// Answers come one a command; each has its time.
    private struct Dialogue {
        var replies: NIOAsyncChannelInboundStream<SMTPReply>.AsyncIterator
        let channel: any Channel

        mutating func reply(_ expected: ClosedRange<Int>, to what: String) async throws -> SMTPReply {
            let channel = channel
            // The stream ends with the connection.
            let deadline = channel.eventLoop.scheduleTask(in: MailLimits.step) { channel.close(promise: nil) }
            defer { deadline.cancel() }
            guard let reply = try await replies.next() else {
                throw MailError("the mail server did not answer \(what)")
            }
            guard expected.contains(reply.code) else {
                throw MailError(
                    "the mail server answered \(what) with \(reply.code)", isFinal: reply.code >= 500)
            }
            return reply
        }
    }

    private func hand(
        _ message: MailMessage, _ dialogue: inout Dialogue, write: (String) async throws -> Void
    ) async throws {
        _ = try await dialogue.reply(200...299, to: "the connection")
        try await write("EHLO coduel")
        var hello = try await dialogue.reply(200...299, to: "EHLO")
        if !server.isImplicitTLS {
            if hello.lines.contains(where: { $0.uppercased() == "STARTTLS" }) {
                try await write("STARTTLS")
                _ = try await dialogue.reply(220...220, to: "STARTTLS")
                try await secure(dialogue.channel)
                try await write("EHLO coduel")
                hello = try await dialogue.reply(200...299, to: "EHLO")
            } else if !server.allowsPlain {
                throw MailError("the mail server offers no TLS", isFinal: true)
            }
        }
        if let user = server.user {
            try await write(
                "AUTH PLAIN " + Data("\0\(user)\0\(server.password ?? "")".utf8).base64EncodedString())
            _ = try await dialogue.reply(200...299, to: "AUTH")
        }
        try await write("MAIL FROM:<\(message.sender)>")
        _ = try await dialogue.reply(200...299, to: "MAIL")
        try await write("RCPT TO:<\(message.recipient)>")
        _ = try await dialogue.reply(200...299, to: "RCPT")
        try await write("DATA")
        _ = try await dialogue.reply(354...354, to: "DATA")
        // No line of a message begins with a dot: fields begin with letters, the rest is base64.
        try await write(message.text + ".")
        _ = try await dialogue.reply(200...299, to: "the mail")
        // It is taken; how the good-bye goes does not matter.
        try? await write("QUIT")
    }

    private func secure(_ channel: any Channel) async throws {
        let (server, tls) = (server, tls)
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(Self.tlsHandler(tls, server), position: .first)
        }.get()
    }
}

/// An answer: its code, and its lines without it.
struct SMTPReply: Sendable {
    var code: Int
    var lines: [String]
}

/// Puts the lines of an answer together (RFC 5321 §4.2.1).
private struct SMTPReplyDecoder: ByteToMessageDecoder {
    typealias InboundOut = SMTPReply

    private var lines: [String] = []

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            guard buffer.readableBytes <= MailLimits.replyLine else {
                throw MailError("an answer is too long")
            }
            return .needMoreData
        }
        let length = end - buffer.readerIndex + 1
        let bytes = buffer.readBytes(length: length) ?? []
        let line = String(decoding: bytes, as: UTF8.self).trimmingSuffix { $0.isNewline }
        guard line.count >= 3, length <= MailLimits.replyLine, lines.count < MailLimits.replyLines,
            let code = Int(line.prefix(3))
        else { throw MailError("an answer cannot be read") }
        lines.append(String(line.dropFirst(4)))
        // A dash after the code: more lines follow.
        guard line.dropFirst(3).first != "-" else { return .continue }
        let reply = SMTPReply(code: code, lines: lines)
        lines = []
        context.fireChannelRead(Self.wrapInboundOut(reply))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState { .needMoreData }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
        var text = self[...]
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }
}
