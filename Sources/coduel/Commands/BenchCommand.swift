import ArgumentParser
import CRDT
import CZlib
import Foundation
import Identity

/// `coduel bench …`: measurements of parts of the system.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure parts of the system.", subcommands: [CRDTBench.self])

    struct CRDTBench: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "crdt", abstract: "Replay an editing trace; prints one JSON line.",
            discussion: """
                Edits are made one transaction each, then the updates they gave are applied to a second document.
                Times are wall-clock milliseconds, encode_* and decode_* the first and the least of seven; each
                encoding follows a change.

                Example: coduel bench crdt automerge-paper.json.gz
                """)

        @Argument(help: ArgumentHelp("A trace as gzipped JSON.", valueName: "trace.json.gz"))
        var trace: String

        func run() throws {
            guard let trace = EditingTrace(file: trace) else {
                FileHandle.standardError.write(Data("coduel bench: \(trace) is no trace\n".utf8))
                throw ExitCode.failure
            }
            print(TraceBench(trace).run().json)
        }
    }
}

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

/// One run over a trace.
struct TraceBench {
    private static let root = "text"
    private static let repetitions = 7

    private let trace: EditingTrace

    init(_ trace: EditingTrace) { self.trace = trace }

    func run() -> Value {
        let baseRSS = Self.residentMB()
        let edits = trace.steps.flatMap(\.patches)
        let ((document, updates), local) = Self.timed {
            trace.isConcurrent ? replayConcurrent() : replaySequential(edits)
        }
        let final = document.text("text")
        let (remote, remoteTime) = Self.timed { feed(updates) }
        let state = document.encodeStateAsUpdate()
        let encode = encodeTimes(state) { $0.encodeStateAsUpdate().count }
        let stateV2 = document.encodeStateAsUpdateV2()
        let encodeV2 = encodeTimes(state) { $0.encodeStateAsUpdateV2().count }
        let decode = decodeTimes(final) { (document) throws(UpdateError) in try document.applyUpdate(state) }
        let decodeV2 = decodeTimes(final) { (document) throws(UpdateError) in
            try document.applyUpdateV2(stateV2)
        }
        let last = updates.last ?? state
        let (_, merge) = Self.timed { Self.merge([state, last]) }
        let isRight =
            final == trace.endContent && remote.text("text") == final && decode.isRight && decodeV2.isRight
        return [
            "impl": "coduel", "version": .string(coduelVersion), "trace": .string(trace.name),
            "kind": trace.isConcurrent ? "concurrent" : "sequential", "edits": .integer(edits.count),
            "txns": .integer(trace.steps.count), "apply_local_ms": Self.ms(local.wall),
            "apply_local_cpu_ms": Self.ms(local.cpu), "updates": .integer(updates.count),
            "updates_bytes": .integer(updates.reduce(0) { $0 + $1.count }),
            "apply_remote_ms": Self.ms(remoteTime.wall), "apply_remote_cpu_ms": Self.ms(remoteTime.cpu),
            "encode_v1_ms": Self.ms(encode.first ?? 0), "encode_v1_min_ms": Self.ms(encode.min() ?? 0),
            "v1_bytes": .integer(state.count), "v1_sha256": .string(Hashing.sha256Hex(state)),
            "encode_v2_ms": Self.ms(encodeV2.first ?? 0), "encode_v2_min_ms": Self.ms(encodeV2.min() ?? 0),
            "v2_bytes": .integer(stateV2.count), "decode_v1_ms": Self.ms(decode.times.first ?? 0),
            "decode_v1_min_ms": Self.ms(decode.times.min() ?? 0),
            "decode_v2_ms": Self.ms(decodeV2.times.first ?? 0),
            "decode_v2_min_ms": Self.ms(decodeV2.times.min() ?? 0),
            "merge_full_plus_one_ms": Self.ms(merge.wall), "doc_heap_mb": Self.mb(document.byteSize),
            "rss_base_mb": .number(baseRSS), "rss_peak_mb": .number(Self.peakMB()),
            "final_len": .integer(final.utf16.count),
            "final_sha256": .string(Hashing.sha256Hex(Array(final.utf8))),
            "ok": .bool(isRight),
        ]
    }

    private static func edit(_ document: Document, _ patches: [EditingTrace.Patch]) -> [UInt8]? {
        do throws(EditError) {
            let text = try document.getText(Self.root)
            return try document.update { () throws(EditError) in
                for patch in patches {
                    try text.delete(at: patch.position, length: patch.deleted)
                    try text.insert(patch.inserted, at: patch.position)
                }
            }
        } catch {
            return nil
        }
    }

    private func replaySequential(_ edits: [EditingTrace.Patch]) -> (Document, [[UInt8]]) {
        let document = Document(clientID: 1)
        var updates: [[UInt8]] = []
        for patch in edits {
            if let update = Self.edit(document, [patch]) { updates.append(update) }
        }
        return (document, updates)
    }

    /// Each agent has a document, brought to the parents of its next transaction first.
    private func replayConcurrent() -> (Document, [[UInt8]]) {
        let documents = (0..<trace.agents).map { Document(clientID: UInt64($0) + 1) }
        var has = Array(repeating: Array(repeating: false, count: trace.steps.count), count: trace.agents)
        var updates: [[UInt8]?] = []
        for (index, step) in trace.steps.enumerated() {
            var missing: [Int] = []
            var open = step.parents
            while let parent = open.popLast() {
                if has[step.agent][parent] { continue }
                has[step.agent][parent] = true
                missing.append(parent)
                open.append(contentsOf: trace.steps[parent].parents)
            }
            for parent in missing.sorted() {
                if let update = updates[parent] { Self.take(update, documents[step.agent]) }
            }
            updates.append(Self.edit(documents[step.agent], step.patches))
            has[step.agent][index] = true
        }
        return (documents[trace.steps.last?.agent ?? 0], updates.compactMap { $0 })
    }

    private func feed(_ updates: [[UInt8]]) -> Document {
        let document = Document(clientID: 0)
        for update in updates { Self.take(update, document) }
        return document
    }

    /// A refused update shows in the content at the end.
    private static func take(_ update: [UInt8], _ document: Document) {
        do throws(UpdateError) { try document.applyUpdate(update) } catch { return }
    }

    private static func merge(_ updates: [[UInt8]]) -> Int {
        do throws(UpdateError) {
            var decoded: [Update] = []
            for update in updates { decoded.append(try Update(decodingV1: update)) }
            return Update.merge(decoded).byteCount
        } catch {
            return 0
        }
    }

    private func encodeTimes(_ state: [UInt8], _ encode: (Document) -> Int) -> [Double] {
        let document = Document(clientID: 2)
        Self.take(state, document)
        return (0..<Self.repetitions).map { _ in
            _ = Self.edit(document, [EditingTrace.Patch(position: 0, deleted: 0, inserted: "x")])
            return Self.timed { encode(document) }.time.wall
        }
    }

    /// Applies to a new document and reads the text, several times.
    private func decodeTimes(
        _ expected: String, _ apply: (Document) throws(UpdateError) -> Void
    ) -> (times: [Double], isRight: Bool) {
        var times: [Double] = []
        var isRight = true
        for _ in 0..<Self.repetitions {
            let (text, time) = Self.timed {
                let document = Document(clientID: 0)
                do throws(UpdateError) { try apply(document) } catch { return "" }
                return document.text("text")
            }
            times.append(time.wall)
            isRight = isRight && text == expected
        }
        return (times, isRight)
    }

    // MARK: Measuring

    private struct Elapsed {
        var wall: Double
        var cpu: Double
    }

    private static func timed<Result>(_ body: () -> Result) -> (result: Result, time: Elapsed) {
        let cpu = cpuMs()
        let start = ContinuousClock.now
        let result = body()
        let wall = start.duration(to: .now) / .milliseconds(1)
        return (result, Elapsed(wall: wall, cpu: cpuMs() - cpu))
    }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }

    private static func cpuMs() -> Double {
        let usage = usage()
        func ms(_ time: timeval) -> Double { Double(time.tv_sec) * 1000 + Double(time.tv_usec) / 1000 }
        return ms(usage.ru_utime) + ms(usage.ru_stime)
    }

    private static func peakMB() -> Double { (Double(usage().ru_maxrss) / 1024 * 10).rounded() / 10 }

    private static func residentMB() -> Double {
        let pages = (FileManager.default.contents(atPath: "/proc/self/statm"))
            .flatMap { String(decoding: $0, as: UTF8.self).split(separator: " ").dropFirst().first }
            .flatMap { Double($0) }
        return ((pages ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576 * 10).rounded() / 10
    }

    private static func ms(_ value: Double) -> Value { .number((value * 1000).rounded() / 1000) }

    private static func mb(_ bytes: Int) -> Value {
        .number((Double(bytes) / 1_048_576 * 1000).rounded() / 1000)
    }
}
