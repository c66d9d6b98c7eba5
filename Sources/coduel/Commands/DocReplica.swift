import ArgumentParser
import CRDT
import Foundation

/// `coduel doc replica`: one document driven by JSON lines, for the differential test against Yjs
/// (`Tests/CRDTTests/Differential`). Each line is a request, each answer one line:
///
/// - `{"new":{"client":1,"gc":true}}` → `{}`: a new document in place of the old.
/// - `{"edit":[…]}` → `{"update":hex|null}`: one transaction; edits are arrays `["text",pos,del,ins]`,
///   `["set",key,value]`, `["type",key,"text"|"map"|"array"]`, `["remove",key]`, `["insert",pos,[values]]`,
///   `["delete",pos,length]`, each with an optional last element: the path as `["root",step…]`.
/// - `{"plan":[…],"client":1}` → `{"update":hex|null}`: `Document.plan`; edits `["set",key,value]`,
///   `["type",key]`, `["remove",key]`, `["append",[values]]`, `["replace",index,value]`,
///   `["removeFirst",count]`.
/// - `{"apply":hex}` → `{"changed":bool,"readiness":"…"}` or `{"error":"…"}`.
/// - `{"state":true}` → `{"state":hex,"vector":hex,"pending":bool,"text":…,"map":…,"array":…}`.
/// - `{"since":hex}` → `{"update":hex}`: difference against a state vector.
struct DocReplica: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replica", abstract: "One document driven by JSON lines.", shouldDisplay: false)

    func run() throws {
        var session = ReplicaSession()
        while let line = readLine() {
            let answer: Value
            if let request = JSONParser.parse(line, maxNesting: 128) {
                answer = session.answer(request)
            } else {
                answer = ["error": "not JSON"]
            }
            print(answer.json)
            fflush(nil)
        }
    }
}

private struct ReplicaSession {
    private var document = Document(clientID: 0)

    mutating func answer(_ request: Value) -> Value {
        if let options = request["new"] {
            let client = options["client"]?.integer ?? 0
            document = Document(clientID: UInt64(max(0, client)), gc: options["gc"]?.bool ?? true)
            return .object([])
        }
        if let edits = request["edit"]?.array { return edit(edits) }
        if let edits = request["plan"]?.array { return plan(edits, as: request["client"]?.integer ?? 1) }
        if let update = request["apply"]?.string { return apply(update) }
        if let vector = request["since"]?.string { return difference(vector) }
        return state()
    }

    private func state() -> Value {
        [
            "state": .string(Hex.text(document.encodeStateAsUpdate())),
            "vector": .string(Hex.text(document.encodeStateVector())),
            "pending": .bool(document.hasPending), "text": .string(document.text("text")),
            "map": .object(document.mapEntries("map")), "array": .array(document.array("array")),
        ]
    }

    private func apply(_ hex: String) -> Value {
        do throws(UpdateError) {
            let update = try Update(decodingV1: Hex.bytes(hex))
            let readiness: Value
            switch document.readiness(of: update) {
            case .ready: readiness = "ready"
            case .redundant: readiness = "redundant"
            case .missing: readiness = "missing"
            }
            return ["changed": .bool(document.apply(update)), "readiness": readiness]
        } catch {
            return ["error": .string(error.description)]
        }
    }

    private func difference(_ hex: String) -> Value {
        do throws(UpdateError) {
            let vector = try StateVector(decoding: Hex.bytes(hex))
            return ["update": .string(Hex.text(document.encodeStateAsUpdate(since: vector)))]
        } catch {
            return ["error": .string(error.description)]
        }
    }

    private func edit(_ edits: [Value]) -> Value {
        do throws(EditError) {
            let update = try document.update { () throws(EditError) in
                for edit in edits { try perform(edit.array ?? []) }
            }
            return ["update": update.map { .string(Hex.text($0)) } ?? .null]
        } catch {
            return ["error": .string(error.code.rawValue)]
        }
    }

    private func perform(_ edit: [Value]) throws(EditError) {
        guard let name = edit.first?.string else { return }
        func argument(_ index: Int) -> Value { index < edit.count ? edit[index] : .undefined }
        switch name {
        case "text":
            let text = try text(argument(4))
            let position = argument(1).integer ?? 0
            try text.delete(at: position, length: argument(2).integer ?? 0)
            try text.insert(argument(3).string ?? "", at: position)
        case "set": try document.getMap("map").set(argument(1).string ?? "", argument(2))
        case "type":
            let new: Content = ["map": .map, "array": .array][argument(2).string ?? ""] ?? .text
            try document.getMap("map").set(argument(1).string ?? "", new)
        case "remove": try document.getMap("map").delete(argument(1).string ?? "")
        case "insert":
            try document.getArray("array").insert(
                values: argument(2).array ?? [], at: argument(1).integer ?? 0)
        case "delete":
            try document.getArray("array").delete(
                at: argument(1).integer ?? 0, length: argument(2).integer ?? 0)
        default: break
        }
    }

    /// The root text, or the one at a path `["map", key]`.
    private func text(_ path: Value) throws(EditError) -> SharedText {
        guard let steps = path.array else { return try document.getText("text") }
        guard case .text(let text)? = try document.getMap("map")[steps.last?.string ?? ""] else {
            throw EditError(.noSuchType)
        }
        return text
    }

    private func plan(_ edits: [Value], as client: Int) -> Value {
        let planned = edits.compactMap { edit -> PlannedEdit? in
            guard let parts = edit.array, let name = parts.first?.string, parts.count > 1 else { return nil }
            let value = parts.count > 2 ? parts[2] : .undefined
            switch name {
            case "set": return .set(root: "map", key: parts[1].string ?? "", value: value)
            case "type": return .setText(root: "map", key: parts[1].string ?? "")
            case "remove": return .removeKey(root: "map", key: parts[1].string ?? "")
            case "append": return .append(root: "array", values: parts[1].array ?? [])
            case "replace": return .replace(root: "array", index: parts[1].integer ?? 0, value: value)
            case "removeFirst": return .removeFirst(root: "array", count: parts[1].integer ?? 0)
            default: return nil
            }
        }
        let update = document.plan(planned, as: UInt64(max(0, client)))
        return ["update": update.map { .string(Hex.text($0)) } ?? .null]
    }
}

private enum Hex {
    static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { $0 < 0x3a ? $0 &- 0x30 : ($0 | 0x20) &- 0x57 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] & 15 }
    }
}
