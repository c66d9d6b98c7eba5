import CRDT
import Foundation

/// What the mutator begins with: updates of real documents with states they can be applied to, and valid
/// inputs of the other decoders.
package struct Corpus: Sendable {
    /// A document's history. References of its updates mean something in its states.
    struct Family: Sendable {
        var collectsGarbage: Bool
        /// Updates v1 that make a document to apply inputs to; empty bytes are an empty document.
        var states: [[UInt8]]
        var updates: [[UInt8]]
    }

    var families: [Family] = []
    var others: [Subject: [[UInt8]]] = [:]

    /// Number of inputs it holds.
    package var count: Int {
        families.reduce(0) { $0 + $1.updates.count } + others.values.reduce(0) { $0 + $1.count }
    }

    /// The corpus of the repository at `root`, and of `shared` vectors where that folder is there.
    package init(root: URL, shared: URL?) {
        addSmall()
        let folder = root.appendingPathComponent("fixtures/yjs")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names.sorted() where name.hasSuffix(".json") {
            add(fixture: folder.appendingPathComponent(name))
        }
        if let shared {
            add(recordings: shared.appendingPathComponent("yjs-vectors/vectors-13.6.31.jsonl.gz"))
        }
        addDerived()
    }

    // MARK: Sources

    /// One of each kind of content, in a document that has all of them.
    private mutating func addSmall() {
        let updates = [
            "010101000401017402616200", "01020100010101740184010001620101010001",
            "010202002101016d016b01a80200017d020102010001",
            "010303000401017403efbfbd84030003efbfbdc403000301017800",
            "01040400040101740161840400016246040001620474727565c6040004010162046e756c6c00",
            "010305000401017401610a01440501016300", "010207002101016d01780100020107010003",
            "01010c002901016d01640267677602086175746f4c6f616478046d657461760101617d0100",
            "01040d000701017803017028000d00016b0177017607000d000604000d0202686900",
            "0102f20b0a2801036d6170026b3001770176c5a00206f20b030b7b22696d616765223a317d00",
        ].map(bytes(hex:))
        let document = Document(clientID: 99, gc: false)
        for update in updates.prefix(6) { try? document.applyUpdate(update) }
        families.append(
            Family(collectsGarbage: true, states: [[], document.encodeStateAsUpdate()], updates: updates))
        others = [
            .awareness: ["01010101027b7d", "0201010b7b226e616d65223a2261227d020304046e756c6c"].map(
                bytes(hex:)),
            .syncMessage: ["000100", "00020c010101000401017402616200", "0103", "0105027b7d"].map(bytes(hex:)),
            .snapshotV1: ["0101010001010102"].map(bytes(hex:)),
            .snapshotV2: ["0101010000010102"].map(bytes(hex:)),
            .stateVector: ["00", "028407070102"].map(bytes(hex:)),
            .relativePosition: ["00010100", "01017400", "00010141", "02010041"].map(bytes(hex:)),
        ]
    }

    /// The fixtures of `fixtures/yjs`: what each case wrote, in order, is a history; inputs and results of
    /// other formats go to their decoders.
    private mutating func add(fixture: URL) {
        guard let text = try? String(contentsOf: fixture, encoding: .utf8),
            let cases = JSONParser.parse(text, maxNesting: 100)?["cases"]?.array
        else { return }
        for one in cases {
            var family = Family(collectsGarbage: true, states: [[]], updates: [])
            for step in (one["steps"]?.array ?? []).compactMap(\.array) {
                guard let name = step.first?.string else { continue }
                if step.contains(where: { $0["gc"] == false }) { family.collectsGarbage = false }
                add(
                    step.flatMap { Self.inputs($0["is"]) + Self.inputs($0["is"]?["bytes"]) }, of: name,
                    &family)
                // Bytes that a step is given: of an update, or of what `refuse` names.
                let given = step.dropFirst(2).flatMap { Self.inputs($0) }.filter { $0.count > 2 }
                add(given, of: name == "refuse" ? step[1].string ?? "" : name, &family)
            }
            guard !family.updates.isEmpty else { continue }
            let valid = family.updates.filter { (try? Update(decodingV1: $0)) != nil }
            family.states += valid.prefix(1) + valid.suffix(1)
            families.append(family)
        }
    }

    private mutating func add(_ inputs: [[UInt8]], of step: String, _ family: inout Family) {
        let subject: Subject
        switch step {
        case "edit", "apply", "state", "diff", "merge", "diffUpdate", "toV1", "updateV1":
            family.updates += inputs
            return
        case "stateV2", "diffV2", "mergeV2", "diffUpdateV2", "toV2", "applyV2", "updateV2":
            subject = .updateV2
        case "snapshot", "snapshotV1": subject = .snapshotV1
        case "snapshotV2", "snapshotToV2": subject = .snapshotV2
        case "vector", "vectorOf", "stateVector": subject = .stateVector
        case "position", "positionOfJSON": subject = .relativePosition
        case "awareness", "awarenessSet", "awarenessEncode": subject = .awareness
        case _ where step.hasPrefix("frame") || step.hasPrefix("named"): subject = .syncMessage
        default: return
        }
        others[subject, default: []] += inputs
    }

    /// Text of hexadecimal digits, or a list of such.
    private static func inputs(_ value: Value?) -> [[UInt8]] {
        switch value {
        case .string(let text) where !text.isEmpty && text.allSatisfy(\.isHexDigit): [bytes(hex: text)]
        case .array(let values): values.flatMap(inputs)
        default: []
        }
    }

    /// Recorded scenarios, every sixth of them.
    private mutating func add(recordings file: URL) {
        for (index, line) in Self.gunzippedLines(file).enumerated() where index % 6 == 0 {
            guard let scenario = JSONParser.parse(line, maxNesting: 100) else { continue }
            let updates = Self.inputs(scenario["updates"])
            let gc = scenario["gc"]?.bool ?? true
            let middle = Document(clientID: 99, gc: gc)
            for update in updates.prefix(updates.count / 2) { try? middle.applyUpdate(update) }
            families.append(
                Family(
                    collectsGarbage: gc,
                    states: [[], middle.encodeStateAsUpdate()] + Self.inputs(scenario["state_v1"]),
                    updates: updates + Self.inputs(scenario["merged_v1"])))
            others[.updateV2, default: []] += Self.inputs(scenario["state_v2"])
            for (name, subject) in [
                ("snapshot_v1", .snapshotV1), ("snapshot_v2", .snapshotV2),
                ("mid_state_vector", .stateVector),
            ] as [(String, Subject)] { others[subject, default: []] += Self.inputs(scenario[name]) }
        }
    }

    /// Inputs of decoders that the others contain: v2 forms, messages that carry updates, positions as JSON.
    private mutating func addDerived() {
        for family in families {
            for update in family.updates {
                if let decoded = try? Update(decodingV1: update) {
                    others[.updateV2, default: []].append(decoded.encodedV2())
                }
            }
            if let first = family.updates.first {
                others[.syncMessage, default: []].append([0, 2] + field(first))
            }
        }
        for position in others[.relativePosition] ?? [] {
            if let decoded = try? RelativePosition(decoding: position) {
                others[.relativePositionJSON, default: []].append(Array(decoded.json.json.utf8))
            }
        }
        let named = (others[.syncMessage] ?? []).map { field(Array("room/1".utf8)) + $0 }
        others[.syncMessage, default: []] += named
    }

    private func field(_ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.appendField(content)
        return out
    }

    private static func gunzippedLines(_ file: URL) -> [String] {
        guard FileManager.default.fileExists(atPath: file.path) else { return [] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        guard (try? process.run()) != nil else { return [] }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
