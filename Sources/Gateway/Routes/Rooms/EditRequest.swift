import CRDT
import NIOCore
import Rooms
import SyncProtocol

/// The body of `POST …/edits`: `{"edits":[{"op":"insert","path":"/files/main.py","at":0,"text":"x"},…]}`.
enum EditRequest {
    static func edits(in body: ByteBuffer) throws(HTTPProblem) -> [DocumentEdit] {
        guard let text = String(validating: Array(buffer: body), as: UTF8.self),
            let request = JSONParser.parse(text, maxNesting: GatewayLimits.jsonDepth)
        else { throw .malformed("The body is not valid JSON.") }
        guard let items = request["edits"]?.array else {
            throw .invalid("edits", "is missing", code: "missing")
        }
        guard (1...GatewayLimits.editsPerCall).contains(items.count) else {
            throw .invalid("edits", "has 1 to \(GatewayLimits.editsPerCall) entries", code: "range")
        }
        var edits: [DocumentEdit] = []
        for (index, item) in items.enumerated() {
            edits.append(try Entry(item, name: "edits.\(index)").edit())
        }
        return edits
    }

    private struct Entry {
        let fields: Value
        let name: String

        init(_ fields: Value, name: String) {
            self.fields = fields
            self.name = name
        }

        func edit() throws(HTTPProblem) -> DocumentEdit {
            let pointer = try text("path")
            guard let path = DocumentPath(pointer: pointer) else {
                throw .invalid("\(name).path", "is no JSON Pointer such as /files/main.py", code: "value")
            }
            switch try text("op") {
            case "insert":
                if let values = fields["values"]?.array {
                    return .insertValues(path, at: try number("at"), values)
                }
                return .insertText(path, at: try number("at"), try text("text"))
            case "delete": return .deleteText(path, at: try number("at"), length: try number("length"))
            case "replace": return .replaceText(path, try text("text"))
            case "set":
                guard let value = fields["value"] else {
                    throw .invalid("\(name).value", "is missing", code: "missing")
                }
                return .set(path, value)
            case "remove": return .remove(path)
            default:
                throw .invalid(
                    "\(name).op", "is insert, delete, replace, set or remove", code: "value")
            }
        }

        private func text(_ field: String) throws(HTTPProblem) -> String {
            guard let value = fields[field] else {
                throw .invalid("\(name).\(field)", "is missing", code: "missing")
            }
            guard let text = value.string else {
                throw .invalid("\(name).\(field)", "is a text", code: "type")
            }
            return text
        }

        private func number(_ field: String) throws(HTTPProblem) -> Int {
            guard let value = fields[field] else {
                throw .invalid("\(name).\(field)", "is missing", code: "missing")
            }
            guard let number = value.integer, number >= 0 else {
                throw .invalid("\(name).\(field)", "is a number from 0", code: "type")
            }
            return number
        }
    }
}

extension HTTPProblem {
    /// A write that the room refused.
    static func describing(_ refusal: WriteRefusal) -> HTTPProblem {
        switch refusal {
        case .readOnly: .forbidden("This document is not yours to write.", code: refusal.rawValue)
        case .tooLarge:
            HTTPProblem(.contentTooLarge, code: refusal.rawValue, detail: "The update is too large.")
        case .documentFull: .conflict(refusal.rawValue, "The document takes no more.")
        case .gap: .conflict(refusal.rawValue, "The update builds on what the document does not have.")
        case .foreignClient:
            .conflict(refusal.rawValue, "The update writes under a client id that is not the caller's.")
        case .diskFull: .unavailable("The disk is full: the room takes no writes now.", retryAfterSeconds: 30)
        case .malformed, .epoch: .conflict(refusal.rawValue, "The update was refused: \(refusal.rawValue).")
        }
    }

    /// An edit that cannot be made.
    static func describing(_ error: EditError) -> HTTPProblem {
        let detail =
            switch error.code {
            case .noSuchType: "A path leads to nothing that can be edited so."
            case .wrongType: "A path leads to something of another type."
            case .outOfRange: "A position lies beyond the end."
            case .full: "The document takes no more."
            case .alreadyInserted: "A value is in a document already."
            }
        return .conflict("edit_\(snakeCase(error.code.rawValue))", detail)
    }
}
