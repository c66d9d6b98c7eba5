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
        let bytes = buffer.readableBytes == 0 ? Array("{}".utf8) : Array(buffer: buffer)
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw .malformed("The body is not UTF-8.")
        }
        do throws(JSONSyntax.Fault) {
            try JSONSyntax.check(bytes, depth: GatewayLimits.jsonDepth)
        } catch {
            switch error {
            case .malformed: throw .malformed("The body is not valid JSON.")
            case .tooDeep: throw .malformed("The body nests deeper than \(GatewayLimits.jsonDepth) levels.")
            }
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw problem(for: error)
        } catch {
            throw .malformed("The body is not valid JSON.")
        }
    }

    private static func problem(for error: DecodingError) -> HTTPProblem {
        switch error {
        case .keyNotFound(let key, let context):
            return .invalid(path(context.codingPath + [key]), "is missing", code: "missing")
        case .valueNotFound(_, let context):
            return .invalid(path(context.codingPath), "must not be null", code: "missing")
        case .typeMismatch(_, let context):
            return .invalid(path(context.codingPath), "has another type than expected", code: "type")
        case .dataCorrupted(let context):
            return .invalid(
                path(context.codingPath), "has a value that this field does not take", code: "value")
        @unknown default:
            return .invalid("body", "does not fit this call", code: "value")
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
