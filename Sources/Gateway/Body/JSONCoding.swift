import Foundation
import Hummingbird
import NIOCore

/// JSON as the HTTP interface speaks it: `snake_case` keys, UTF-8, bounded depth.
package enum JSONCoding {
    /// Encodes an answer. Types of this module always encode; a value that does not (a number that is not finite)
    /// gives `null`, never a trap.
    package static func encode(_ value: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return ByteBuffer(string: "null") }
        return ByteBuffer(bytes: data)
    }

    /// Decodes a body. An empty one stands for `{}`.
    ///
    /// Throws 400 for bytes that are no JSON, are not UTF-8 or nest deeper than `GatewayLimits.jsonDepth`, and 422
    /// with the field's name where JSON does not fit the type. O(n).
    package static func decode<T: Decodable>(_ type: T.Type, from buffer: ByteBuffer) throws(HTTPProblem) -> T
    {
        let bytes = buffer.readableBytes == 0 ? Data("{}".utf8) : Data(buffer.readableBytesView)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw .malformed("The body is not UTF-8.")
        }
        guard depthIsBounded(bytes) else {
            throw .malformed("The body nests deeper than \(GatewayLimits.jsonDepth) levels.")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: bytes)
        } catch let error as DecodingError {
            throw problem(for: error)
        } catch {
            throw .malformed("The body is not valid JSON.")
        }
    }

    /// Whether arrays and objects nest no deeper than the limit, told from the bytes alone, before any parser that
    /// recurses sees them.
    private static func depthIsBounded(_ bytes: Data) -> Bool {
        var depth = 0
        var inString = false
        var escaped = false
        for byte in bytes {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                if depth > GatewayLimits.jsonDepth { return false }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return true
    }

    private static func problem(for error: DecodingError) -> HTTPProblem {
        switch error {
        case .keyNotFound(let key, let context):
            return .invalid(path(context.codingPath + [key]), "is missing", code: "missing")
        case .valueNotFound(_, let context):
            return .invalid(path(context.codingPath), "must not be null", code: "missing")
        case .typeMismatch(_, let context):
            return .invalid(path(context.codingPath), "has another type than expected", code: "type")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return .invalid(
                path(context.codingPath), "is not one of the values this field takes", code: "value")
        default:
            return .malformed("The body is not valid JSON.")
        }
    }

    /// The field's path as the caller wrote it; the decoder reports keys in the form of this module's properties.
    private static func path(_ keys: [any CodingKey]) -> String {
        if keys.isEmpty { return "body" }
        return keys.map { key in
            if let index = key.intValue { return String(index) }
            return HTTPProblem.snakeCase(key.stringValue)
        }.joined(separator: ".")
    }
}

extension Response {
    /// An answer with a JSON body.
    package static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var fields = headers
        fields[.contentType] = "application/json; charset=utf-8"
        return Response(status: status, headers: fields, body: .init(byteBuffer: JSONCoding.encode(value)))
    }
}
