import Foundation
import Hummingbird
import Rooms
import SyncServer

/// Which state of a document a call is about, and where in it.
enum DocumentQuery {
    enum Place: Equatable {
        case point(HistoryPoint)
        /// A named version.
        case version(String)
    }

    /// `sequence`, `at` or `version` of the query; now where it has none.
    static func point(_ request: Request) throws(HTTPProblem) -> Place {
        let query = request.uri.queryParameters
        var sequence: Int64?
        if let text = query["sequence"] {
            guard let number = Int64(text) else { throw .invalid("sequence", "is a number", code: "type") }
            sequence = number
        }
        return try place(
            sequence: sequence, at: query["at"].map(String.init), version: query["version"].map(String.init))
    }

    static func place(sequence: Int64?, at: String?, version: String?) throws(HTTPProblem) -> Place {
        guard [sequence != nil, at != nil, version != nil].filter({ $0 }).count <= 1 else {
            throw .invalid("sequence", "goes alone: one of sequence, at and version", code: "conflict")
        }
        if let sequence {
            guard sequence >= 0 else { throw .invalid("sequence", "is at least 0", code: "range") }
            return .point(.sequence(sequence))
        }
        if let at {
            guard let atMs = milliseconds(of: at) else {
                throw .invalid("at", "is no time such as 2026-01-31T12:00:00Z", code: "value")
            }
            return .point(.time(atMs))
        }
        return version.map { .version($0) } ?? .point(.now)
    }

    /// `path` of the query, a JSON Pointer; nil where it has none.
    static func path(_ request: Request) throws(HTTPProblem) -> DocumentPath? {
        guard let text = request.uri.queryParameters["path"] else { return nil }
        guard let path = DocumentPath(pointer: String(text)) else {
            throw .invalid("path", "is no JSON Pointer such as /files/main.py", code: "value")
        }
        return path
    }

    /// ms since 1970 of an RFC 3339 time.
    static func milliseconds(of text: String) -> Int64? {
        guard text.utf8.count <= 40 else { return nil }
        for withFraction in [true, false] {
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: withFraction)
            if let date = try? style.parse(text) {
                return Int64(exactly: (date.timeIntervalSince1970 * 1_000).rounded())
            }
        }
        return nil
    }
}
