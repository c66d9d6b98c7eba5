import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Rooms
import SyncServer

/// The log of a room: a page as JSON, or all of it as a stream of JSON lines or of binary records.
package struct ReplayRoutes: Sendable {
    private let directory: RoomDirectory

    package init(directory: RoomDirectory) {
        self.directory = directory
    }

    package var routes: [Route] {
        [
            Route(
                .get, "/api/v1/rooms/{id}/replay", limits: [.reads, .history], scope: .documentsRead
            ) { request, context in try await replay(request, context) }
        ]
    }

    private func replay(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let caller = RoomCaller(try context.requireCaller())
        let page = try PageRequest(request)
        var after: Int64 = 0
        if let cursor = page.cursor {
            guard let sequence = Int64(cursor), sequence >= 0 else {
                throw HTTPProblem.invalid("cursor", "is not a cursor of this list", code: "cursor")
            }
            after = sequence
        }
        let format = try ReplayFormat.choose(for: request)
        let replay = try await directory.visibleReplay(of: context.parameter("id"), for: caller)
        guard let format, format != .page else {
            let (records, next) = try await replay.page(after: after, limit: page.limit)
            return .json(PageReply(items: records.map(ReplayRecord.init), nextCursor: next.map(String.init)))
        }
        return Response(
            status: .ok, headers: [.contentType: format.mediaType],
            body: Self.stream(replay, after: after, as: format))
    }

    /// Writes page by page, and reads the next page only when the one before has left.
    private static func stream(_ replay: RoomReplay, after: Int64, as format: ReplayFormat) -> ResponseBody {
        ResponseBody { writer in
            var next: Int64? = after
            try await writer.write(ByteBuffer(bytes: format.opening))
            while let after = next {
                let page = try await replay.page(after: after, limit: SyncServer.Limits.replayRecords)
                next = page.next
                for record in page.records {
                    try await writer.write(ByteBuffer(bytes: format.bytes(of: record)))
                }
            }
            try await writer.write(ByteBuffer(bytes: format.ending))
            try await writer.finish(nil)
        }
    }
}

/// How a replay is written; `protocol/sync.md` describes both streams.
enum ReplayFormat: AcceptedType {
    case page, lines, binary

    var mediaType: String {
        switch self {
        case .page: "application/json"
        case .lines: "application/x-ndjson"
        case .binary: "application/vnd.coduel.replay"
        }
    }

    var opening: [UInt8] { self == .binary ? Array("CODUELR1".utf8) : [] }
    /// A record of length zero, so that a stream that was cut is known.
    var ending: [UInt8] { self == .binary ? [0] : Array("{\"end\":true}\n".utf8) }

    func bytes(of record: LogRecord) -> [UInt8] {
        guard self == .binary else {
            return Array(buffer: JSONCoding.encode(ReplayRecord(record))) + [UInt8(ascii: "\n")]
        }
        // Why a record was lost is for the operator.
        let payload = record.kind == .lost ? [] : record.payload
        var body: [UInt8] = []
        body.appendVarUint(UInt64(clamping: record.sequence))
        body.appendVarUint(UInt64(record.kind.rawValue))
        body.appendVarUint(UInt64(clamping: record.committedAtMs))
        for part in [Array(record.document.utf8), Array(record.author.utf8), payload] {
            body.appendVarUint(UInt64(part.count))
            body += part
        }
        var framed: [UInt8] = []
        framed.appendVarUint(UInt64(body.count))
        return framed + body
    }
}

/// One record of a replay.
struct ReplayRecord: Encodable {
    var sequence: Int64
    var kind: String
    var document: String?
    var author: String?
    var at: String
    var atMs: Int64
    /// A Yjs update of version 1, base64; only of updates.
    var update: String?
    /// The record's text, JSON; of everything else.
    var event: String?

    init(_ record: LogRecord) {
        sequence = record.sequence
        kind = "\(record.kind)"
        document = record.document.isEmpty ? nil : record.document
        author = record.author.isEmpty ? nil : record.author
        at = timestamp(record.committedAtMs)
        atMs = record.committedAtMs
        if record.kind == .update {
            update = Data(record.payload).base64EncodedString()
        } else if record.kind != .lost {
            event = String(decoding: record.payload, as: UTF8.self)
        }
    }
}
