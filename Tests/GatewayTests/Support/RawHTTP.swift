import Foundation
import NIOCore
import NIOPosix

/// An answer as it came over the wire, its chunks joined.
struct RawAnswer: Sendable {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object; empty when it is none.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    /// `code` of a problem body, where the answer is one.
    var problemCode: String? {
        header("content-type") == "application/problem+json" ? json["code"] as? String : nil
    }

    /// `field` of each fault of a problem body.
    var faultyFields: [String] {
        (json["errors"] as? [[String: Any]] ?? []).compactMap { $0["field"] as? String }
    }
}

struct RawHTTPError: Error {
    var message: String
}

/// Speaks HTTP/1.1 over a real socket, byte for byte, so that nothing a client library would tidy up is lost.
enum RawHTTP {
    /// Sends `request` as it is and reads until the server closes, or until `enough` says so.
    static func exchange(
        port: Int, _ request: [UInt8], enough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }
    ) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            // A server that refuses a body may close while it is still being sent.
            async let sending: Void = outbound.write(ByteBuffer(bytes: request))
            var received: [UInt8] = []
            do {
                for try await part in inbound {
                    received.append(contentsOf: part.readableBytesView)
                    if enough(received) { break }
                }
            } catch {
                if received.isEmpty { throw error }
            }
            try? await sending
            return received
        }
    }

    /// One request on a connection of its own.
    static func send(
        port: Int, _ method: String, _ target: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        host: String? = "localhost"
    ) async throws -> RawAnswer {
        var head = "\(method) \(target) HTTP/1.1\r\nConnection: close\r\n"
        if let host { head += "Host: \(host)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        return try parse(try await exchange(port: port, Array((head + "\r\n").utf8) + (body ?? [])))
    }

    static func parse(_ bytes: [UInt8]) throws -> RawAnswer {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw RawHTTPError(message: "no answer: \(String(decoding: bytes, as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        guard let status else { throw RawHTTPError(message: "no status line: \(lines)") }
        let headers = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (
                name: String(line[..<colon]),
                value: line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
            )
        }
        var answer = RawAnswer(status: status, headers: headers, body: Array(bytes[end.upperBound...]))
        if answer.header("transfer-encoding")?.lowercased() == "chunked" { answer.body = joined(answer.body) }
        return answer
    }

    /// The content of a chunked body, as far as it came.
    private static func joined(_ body: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = body[...]
        while let line = rest.firstRange(of: [13, 10]),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            rest = rest[line.upperBound...]
            result.append(contentsOf: rest.prefix(size))
            rest = rest.dropFirst(size + 2)
        }
        return result
    }
}
