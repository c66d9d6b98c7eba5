import CRDT
import CZlib
import Foundation

/// An editing trace: transactions of patches, sequential or with parents.
struct EditingTrace {
    struct Patch {
        var position: Int
        var deleted: Int
        var inserted: String
    }

    struct Step {
        var parents: [Int]
        var agent: Int
        var patches: [Patch]
    }

    var name: String
    var isConcurrent: Bool
    var agents: Int
    var steps: [Step]
    var endContent: String

    init?(file: String) {
        guard let text = Self.gunzip(file), let json = JSONParser.parse(text), let steps = json["txns"]?.array
        else { return nil }
        name = URL(fileURLWithPath: file).lastPathComponent.replacing(".json.gz", with: "")
        isConcurrent = json["kind"]?.string == "concurrent"
        agents = json["numAgents"]?.integer ?? 1
        endContent = json["endContent"]?.string ?? ""
        self.steps = steps.map { step in
            Step(
                parents: (step["parents"]?.array ?? []).compactMap(\.integer),
                agent: step["agent"]?.integer ?? 0,
                patches: (step["patches"]?.array ?? []).compactMap { patch in
                    guard let parts = patch.array, parts.count == 3 else { return nil }
                    return Patch(
                        position: parts[0].integer ?? 0, deleted: parts[1].integer ?? 0,
                        inserted: parts[2].string ?? "")
                })
        }
    }

    private static func gunzip(_ file: String) -> String? {
        guard let handle = gzopen(file, "rb") else { return nil }
        defer { gzclose(handle) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = gzread(handle, &chunk, UInt32(chunk.count))
            guard count >= 0 else { return nil }
            if count == 0 { return String(validating: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk[..<Int(count)])
        }
    }
}
