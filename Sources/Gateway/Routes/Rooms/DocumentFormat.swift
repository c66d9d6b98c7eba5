import CRDT
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Rooms
import SyncProtocol
import SyncServer

/// How a document is answered.
enum DocumentFormat: AcceptedType {
    case json, text, updateV1, updateV2, bytes

    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .text: "text/plain"
        case .updateV1: UpdateFormat.v1.rawValue
        case .updateV2: UpdateFormat.v2.rawValue
        case .bytes: UpdateFormat.bytes.rawValue
        }
    }
}

/// How an update is sent and answered.
enum UpdateFormat: String, CaseIterable {
    case v1 = "application/vnd.coduel.update.v1"
    case v2 = "application/vnd.coduel.update.v2"
    /// Version 1.
    case bytes = "application/octet-stream"

    static func decode(_ bytes: [UInt8], _ contentType: String?) throws(HTTPProblem) -> Update {
        let limits = SyncServer.Limits.update
        do {
            guard contentType?.lowercased().hasPrefix(v2.rawValue) == true else {
                return try Update(decodingV1: bytes, limits: limits)
            }
            return try Update(decodingV2: bytes, limits: limits).withoutSubFlags()
        } catch {
            throw HTTPProblem(
                .unprocessableContent, code: "malformed_update",
                detail: "The body is no Yjs update that this call takes: \(error.message).")
        }
    }
}

enum DocumentAnswer {
    /// A document, or what is at one place of it, in the format asked for.
    static func response(
        _ copy: DocumentCopy, at path: DocumentPath?, as format: DocumentFormat
    ) throws -> Response {
        var headers: HTTPFields = [.documentSequence: String(copy.sequence)]
        headers[.contentType] = format == .text ? "text/plain; charset=utf-8" : format.mediaType
        let body: ByteBuffer
        switch format {
        case .json: body = ByteBuffer(string: try json(copy, path).json)
        case .text: body = ByteBuffer(string: try text(copy, path))
        case .updateV1, .bytes: body = ByteBuffer(bytes: copy.state)
        case .updateV2: body = ByteBuffer(bytes: try copy.replica().encodeStateAsUpdateV2())
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: body))
    }

    private static func json(_ copy: DocumentCopy, _ path: DocumentPath?) throws -> Value {
        let content: Value
        if let path {
            guard let found = try copy.value(at: path) else { throw nothing }
            content = found
        } else {
            content = try copy.json()
        }
        let vector = try copy.replica().encodeStateVector()
        return [
            "document": .string(copy.document), "sequence": .integer(Int(clamping: copy.sequence)),
            "at": .string(timestamp(copy.atMs)),
            "state_vector": .string(Data(vector).base64EncodedString()), "content": content,
        ]
    }

    /// The text at a path; without one that of the only file.
    private static func text(_ copy: DocumentCopy, _ path: DocumentPath?) throws -> String {
        if let path {
            guard let text = try copy.text(at: path) else { throw nothing }
            return text
        }
        let replica = try copy.replica()
        let texts = replica.rootNames.filter { replica.rootKind($0) == .text }
        if texts.count == 1, let only = texts.first { return replica.text(only) }
        let files = replica.mapKeys("files").filter { replica.kindInMap("files", $0) == .text }
        guard texts.isEmpty, files.count == 1, let only = files.first else {
            throw HTTPProblem.invalid("path", "is missing: the document has several texts", code: "missing")
        }
        return replica.textInMap("files", only) ?? ""
    }

    private static let nothing = HTTPProblem.notFound("There is nothing at that path of the document.")
}
