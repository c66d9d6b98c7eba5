import CRDT
import Foundation
import Testing

/// Scenarios recorded from Yjs 13.6.31 (shared data `yjs-vectors`): bytes must be equal.
@Suite struct YjsVectorTests {
    static let file = sharedFolder?.appendingPathComponent("data/yjs-vectors/vectors-13.6.31.jsonl.gz")
    static let isPresent = file.map { FileManager.default.fileExists(atPath: $0.path) } ?? false

    @Test(.enabled(if: isPresent, "set CODUEL_SHARED to the folder that holds data/yjs-vectors"))
    func recordedScenarios() throws {
        let lines = try gunzippedLines(try #require(Self.file))
        #expect(lines.count == 300)
        for line in lines {
            let scenario = try #require(JSONParser.parse(line, maxNesting: 128))
            try check(scenario)
        }
    }

    private func check(_ scenario: Value) throws {
        let seed = scenario["seed"]?.integer ?? -1
        let gc = scenario["gc"]?.bool ?? true
        let updates = (scenario["updates"]?.array ?? []).compactMap { $0.string.map(bytes) }
        func field(_ name: String) -> String { scenario[name]?.string ?? "" }

        let document = Document(clientID: 0xffff, gc: gc)
        let mid = scenario["mid_update"]?.integer ?? 0
        for (index, update) in updates.enumerated() {
            let decoded = try Update(decodingV1: update)
            // Two clients may delete the same, so an update can be redundant; it changes something or it does
            // not.
            let before = document.readiness(of: decoded)
            #expect(before == .ready || before == .redundant, "seed \(seed) update \(index)")
            #expect(document.apply(decoded) == (before == .ready), "seed \(seed) update \(index)")
            #expect(document.readiness(of: decoded) == .redundant, "seed \(seed) update \(index)")
            if index == mid {
                #expect(hex(document.encodeStateVector()) == field("mid_state_vector"), "seed \(seed)")
                #expect(hex(document.snapshot().encoded()) == field("mid_snapshot_v1"), "seed \(seed)")
            }
        }
        #expect(hex(document.encodeStateAsUpdate()) == field("state_v1"), "seed \(seed) state")
        #expect(hex(document.encodeStateVector()) == field("state_vector_bytes"), "seed \(seed) vector")
        let midVector = try StateVector(decoding: bytes(field("mid_state_vector")))
        #expect(hex(document.encodeStateAsUpdate(since: midVector)) == field("diff_v1"), "seed \(seed) diff")
        #expect(!document.hasPending)

        let order = (scenario["order"]?.array ?? []).compactMap(\.integer)
        let merged = Update.merge(try order.map { try Update(decodingV1: updates[$0]) })
        #expect(hex(merged.bytes) == field("merged_v1"), "seed \(seed) merged")
        #expect(hex(merged.difference(since: midVector).bytes) == field("diff_update_v1"), "seed \(seed)")
        #expect(hex(merged.stateVector.encoded()) == field("merged_state_vector"), "seed \(seed)")

        try checkV2(scenario, document, merged, order.map { updates[$0] }, seed: seed)
        try checkPartial(scenario, updates, gc: gc, seed: seed)
        try checkContent(scenario, seed: seed)
        try checkMeta(scenario, merged, seed: seed)
        try checkSnapshots(scenario, document, updates, gc: gc, seed: seed)
        try checkPositions(scenario, gc: gc, seed: seed)
    }

    private func checkMeta(_ scenario: Value, _ merged: Update, seed: Int) throws {
        let meta = try #require(scenario["merged_meta"])
        func clocks(_ name: String) -> [[Int]] {
            (meta[name]?.array ?? []).map { ($0.array ?? []).compactMap(\.integer) }
        }
        let own = merged.meta.sorted { $0.client < $1.client }
        #expect(!own.isEmpty)
        #expect(own.map { [Int($0.client), Int($0.from)] } == clocks("from"), "seed \(seed) from")
        #expect(own.map { [Int($0.client), Int($0.to)] } == clocks("to"), "seed \(seed) to")
    }

    private func checkSnapshots(
        _ scenario: Value, _ document: Document, _ updates: [[UInt8]], gc: Bool, seed: Int
    ) throws {
        func field(_ name: String) -> String { scenario[name]?.string ?? "" }
        let now = document.snapshot()
        #expect(hex(now.encoded()) == field("snapshot_v1"), "seed \(seed) snapshot")
        #expect(hex(now.encodedV2()) == field("snapshot_v2"), "seed \(seed) snapshot v2")
        #expect(try Snapshot(decodingV1: bytes(field("snapshot_v1"))) == now, "seed \(seed)")
        #expect(try Snapshot(decodingV2: bytes(field("snapshot_v2"))) == now, "seed \(seed)")

        let mid = try Snapshot(decodingV1: bytes(field("mid_snapshot_v1")))
        let contains = (scenario["snapshot_contains"]?.array ?? []).map(\.bool)
        #expect(contains.count == updates.count)
        for (update, expected) in zip(updates, contains) {
            #expect(mid.contains(try Update(decodingV1: update)) == expected, "seed \(seed) contains")
            #expect(now.contains(try Update(decodingV1: update)), "seed \(seed) contains")
        }

        guard !gc else {
            #expect(throws: SnapshotError(.garbageCollected)) {
                try Document(from: mid, of: document, clientID: 1)
            }
            return
        }
        let then = Document(clientID: 2, gc: false)
        let count = (scenario["mid_update"]?.integer ?? 0) + 1
        for update in updates.prefix(count) { try then.applyUpdate(update) }
        let past = try Document(from: mid, of: document, clientID: 3, gc: false)
        #expect(hex(past.snapshot().encoded()) == field("mid_snapshot_v1"), "seed \(seed) past")
        #expect(past.length("text") == then.length("text"), "seed \(seed) past")
        // A pair of surrogates that was cut since then stays cut, as in Yjs.
        if !past.text("text").contains("\u{fffd}") {
            #expect(past.delta("text") == then.delta("text"), "seed \(seed) past")
        }
        #expect(past.array("array") == then.array("array"), "seed \(seed) past")
        #expect(past.map("map") == then.map("map"), "seed \(seed) past")
        #expect(past.xml("xml") == then.xml("xml"), "seed \(seed) past")
        #expect(hex(document.encodeStateAsUpdate()) == field("state_v1"), "seed \(seed) unchanged")
    }

    private func checkPositions(_ scenario: Value, gc: Bool, seed: Int) throws {
        let document = Document(clientID: 1, gc: gc)
        try document.applyUpdate(bytes(scenario["state_v1"]?.string ?? ""))
        let positions = scenario["positions"]?.array ?? []
        #expect(positions.count == 6)
        for expected in positions {
            let position = try document.relativePosition(
                in: SharedPath("text"), at: expected["index"]?.integer ?? -1,
                assoc: expected["assoc"]?.integer ?? 0)
            let encoded = expected["bytes"]?.string ?? ""
            #expect(hex(position.encoded()) == encoded, "seed \(seed) position")
            #expect(position.json.json == expected["json"]?.json, "seed \(seed) position")
            let read = try RelativePosition(decoding: bytes(encoded))
            #expect(read.encoded() == position.encoded(), "seed \(seed) position")
            #expect(try RelativePosition(json: try #require(expected["json"])) == position, "seed \(seed)")
            let resolved = expected["resolved"]?.integer
            #expect(resolved != nil)
            #expect(document.absolutePosition(of: position)?.index == resolved, "seed \(seed) resolved")
            #expect(document.absolutePosition(of: read)?.index == resolved, "seed \(seed) resolved")
        }
    }

    private func checkV2(
        _ scenario: Value, _ document: Document, _ merged: Update, _ updates: [[UInt8]], seed: Int
    ) throws {
        func field(_ name: String) -> String { scenario[name]?.string ?? "" }
        #expect(hex(document.encodeStateAsUpdateV2()) == field("state_v2"), "seed \(seed) state v2")
        #expect(hex(merged.encodedV2()) == field("merged_v2"), "seed \(seed) merged v2")
        let midVector = try StateVector(decoding: bytes(field("mid_state_vector")))
        #expect(
            hex(merged.difference(since: midVector).encodedV2()) == field("diff_update_v2"), "seed \(seed)")
        let state = try Update(decodingV1: bytes(field("state_v1")))
        #expect(hex(state.encodedV2()) == field("converted_v1_to_v2"), "seed \(seed) v1 to v2")
        let read = try Update(decodingV2: bytes(field("state_v2")))
        #expect(hex(read.withoutSubFlags().bytes) == field("converted_v2_to_v1"), "seed \(seed) v2 to v1")
        let copy = Document(clientID: 1, gc: scenario["gc"]?.bool ?? true)
        copy.apply(read)
        #expect(copy.encodeStateAsUpdate() == document.encodeStateAsUpdate(), "seed \(seed) v2 applied")
        for update in updates.prefix(5) {
            let decoded = try Update(decodingV1: update)
            let again = try Update(decodingV2: decoded.encodedV2())
            #expect(again.bytes == decoded.withoutSubFlags().bytes, "seed \(seed)")
        }
    }

    private func checkPartial(_ scenario: Value, _ updates: [[UInt8]], gc: Bool, seed: Int) throws {
        let expected = try #require(scenario["partial"])
        let document = Document(clientID: 0xffff, gc: gc)
        for index in (expected["applied"]?.array ?? []).compactMap(\.integer) {
            try document.applyUpdate(updates[index])
        }
        #expect(document.hasPending == expected["pending"]?.bool, "seed \(seed) pending")
        #expect(hex(document.encodeStateAsUpdate()) == expected["state_v1"]?.string, "seed \(seed) partial")
        var vector: [String: Int] = [:]
        if case .object(let entries)? = expected["state_vector"] {
            for entry in entries { vector[entry.key] = entry.value.integer }
        }
        let own = document.stateVector.clients.map { (String($0.key), Int($0.value)) }
        #expect(Dictionary(uniqueKeysWithValues: own) == vector, "seed \(seed) partial vector")
    }

    private func checkContent(_ scenario: Value, seed: Int) throws {
        let document = Document(clientID: 1)
        try document.applyUpdate(bytes(scenario["state_v1"]?.string ?? ""))
        #expect(document.text("text") == scenario["text"]?.string, "seed \(seed)")
        #expect(Value.array(document.delta("text")).json == scenario["delta"]?.json, "seed \(seed)")
        #expect(document.xml("xml") == scenario["xml"]?.string, "seed \(seed)")
        #expect(sorted(plain(.array(document.array("array")))) == sorted(scenario["array"]), "seed \(seed)")
        #expect(sorted(plain(.object(document.mapEntries("map")))) == sorted(scenario["map"]), "seed \(seed)")
    }

    /// Bytes as the vectors write them.
    private func plain(_ value: Value) -> Value {
        switch value {
        case .bytes(let data): ["bytes": .string(hex(data))]
        case .array(let values): .array(values.map(plain))
        case .object(let entries): .object(entries.map { Value.Entry($0.key, plain($0.value)) })
        default: value
        }
    }

    /// JSON with the keys of every object sorted.
    private func sorted(_ value: Value?) -> String {
        func order(_ value: Value) -> Value {
            switch value {
            case .array(let values): .array(values.map(order))
            case .object(let entries):
                .object(entries.map { Value.Entry($0.key, order($0.value)) }.sorted { $0.key < $1.key })
            default: value
            }
        }
        return value.map { order($0).json } ?? "none"
    }
}
