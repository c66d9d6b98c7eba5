import HTTPTypes
import Hummingbird
import Identity
import NIOCore

/// A whole answer that many get: its bytes, once plain and once compressed, and the tag that tells versions apart.
package struct Representation: Sendable {
    let fields: HTTPFields
    let plain: ByteBuffer
    let compressed: ByteBuffer?
    let entityTag: String

    /// Bytes that it takes up.
    var size: Int { plain.readableBytes + (compressed?.readableBytes ?? 0) + 256 }

    /// - Parameter fields: those of the answer, without any about this one request.
    init(_ bytes: [UInt8], fields: HTTPFields) {
        var fields = fields
        // It is that of one of the two bodies; each answer gets its own.
        fields[.contentLength] = nil
        self.fields = fields
        plain = ByteBuffer(bytes: bytes)
        let isWorthIt = Gzip.isWorthIt(type: fields[.contentType], bytes: bytes.count)
        compressed = isWorthIt ? Gzip.compress(bytes).map { ByteBuffer(bytes: $0) } : nil
        // Weak: plain and compressed carry the same tag.
        entityTag = "W/\"\(Hashing.sha256Hex(bytes).prefix(32))\""
    }

    /// The answer to a request: 304 where it has this version already.
    func response(to request: Request) -> Response {
        var fields = fields
        fields[.eTag] = entityTag
        fields.addVary("Accept-Encoding")
        if let tags = request.headers[.ifNoneMatch], EntityTag.matches(tags, entityTag) {
            fields[.contentType] = nil
            return Response(status: .notModified, headers: fields)
        }
        if let compressed, Gzip.isAccepted(request.headers[.acceptEncoding]) {
            fields[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: fields, body: .init(byteBuffer: compressed))
        }
        return Response(status: .ok, headers: fields, body: .init(byteBuffer: plain))
    }
}

extension HTTPFields {
    /// Names one more field that the answer depends on.
    mutating func addVary(_ name: String) {
        guard let present = self[.vary], !present.isEmpty else { return self[.vary] = name }
        let names = present.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
        if !names.contains(name.lowercased()) { self[.vary] = "\(present), \(name)" }
    }
}

extension Response {
    /// The body's bytes, where it is one that is known to be short; nil for streams and long ones.
    func shortBody(limit: Int) async throws -> [UInt8]? {
        guard let length = body.contentLength, length <= limit else { return nil }
        let recorder = BodyRecorder()
        try await body.write(recorder)
        return recorder.bytes
    }

    /// Compresses an answer to a reading call, where the request takes it and it helps. Answers that set cookies are
    /// left alone: what an attacker can make longer must not be measured together with a secret.
    func compressed(for request: Request) async throws -> Response {
        guard request.method == .get, status == .ok, !headers.contains(.contentEncoding),
            !headers.contains(.setCookie), let length = body.contentLength,
            Gzip.isWorthIt(type: headers[.contentType], bytes: length)
        else { return self }
        var answer = self
        answer.headers.addVary("Accept-Encoding")
        guard Gzip.isAccepted(request.headers[.acceptEncoding]),
            let bytes = try await shortBody(limit: GatewayLimits.compressed.upperBound),
            let small = Gzip.compress(bytes)
        else { return answer }
        answer.headers[.contentEncoding] = "gzip"
        answer.headers[.contentLength] = String(small.count)
        answer.body = .init(byteBuffer: ByteBuffer(bytes: small))
        return answer
    }
}

/// Collects the body of an answer.
final class BodyRecorder: ResponseBodyWriter {
    private(set) var bytes: [UInt8] = []

    func write(_ buffer: ByteBuffer) async throws { bytes.append(contentsOf: buffer.readableBytesView) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
