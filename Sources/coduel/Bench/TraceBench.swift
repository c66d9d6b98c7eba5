import CRDT
import Identity

/// One run over an editing trace.
struct TraceBench {
    private static let repetitions = 7
    /// Documents loaded to measure the memory of one.
    private static let copies = 20

    private let trace: EditingTrace

    init(_ trace: EditingTrace) { self.trace = trace }

    func run() -> Value {
        let base = Measuring.residentMB()
        let edits = trace.steps.flatMap(\.patches)
        let ((replica, updates), local) = Measuring.timed {
            trace.isConcurrent ? replayConcurrent() : replaySequential(edits)
        }
        let final = replica.content
        let (remote, remoteTime) = Measuring.timed { Self.feed(updates) }
        let state = replica.document.encodeStateAsUpdate()
        let stateV2 = replica.document.encodeStateAsUpdateV2()
        let (decode, isRight) = decodeTimes(final) { $0.take(state) }
        let (decodeV2, isRightV2) = decodeTimes(final) { $0.takeV2(stateV2) }
        let last = updates.last ?? state
        let merge = Measuring.timed { Self.merge([state, last]) }.time.wall
        let encode = encodeTimes(state) { _ = $0.encodeStateAsUpdate() }
        let encodeV2 = encodeTimes(state) { _ = $0.encodeStateAsUpdateV2() }
        let resident = Self.residentOfOne(state)
        let ok = final == trace.endContent && remote.content == final && isRight && isRightV2
        let figures: [(String, Double)] = [
            ("apply_local_ms", local.wall), ("apply_local_cpu_ms", local.cpu),
            ("apply_remote_ms", remoteTime.wall), ("apply_remote_cpu_ms", remoteTime.cpu),
            ("encode_v1_ms", encode.changed[0]), ("encode_v1_min_ms", encode.changed.min() ?? 0),
            ("encode_v1_same_ms", encode.same), ("encode_v2_ms", encodeV2.changed[0]),
            ("encode_v2_min_ms", encodeV2.changed.min() ?? 0), ("encode_v2_same_ms", encodeV2.same),
            ("decode_v1_ms", decode[0]), ("decode_v1_min_ms", decode.min() ?? 0),
            ("decode_v2_ms", decodeV2[0]), ("decode_v2_min_ms", decodeV2.min() ?? 0),
            ("merge_full_plus_one_ms", merge), ("doc_rss_mb", resident),
            ("doc_heap_mb", Double(remote.document.byteSize) / 1_048_576), ("rss_base_mb", base),
            ("rss_peak_mb", Measuring.peakMB()),
        ]
        return .object(
            [
                Value.Entry("impl", "coduel"), Value.Entry("version", .string(coduelVersion)),
                Value.Entry("trace", .string(trace.name)),
                Value.Entry("kind", trace.isConcurrent ? "concurrent" : "sequential"),
                Value.Entry("edits", .integer(edits.count)), Value.Entry("txns", .integer(trace.steps.count)),
                Value.Entry("updates", .integer(updates.count)),
                Value.Entry("updates_bytes", .integer(updates.reduce(0) { $0 + $1.count })),
                Value.Entry("v1_bytes", .integer(state.count)),
                Value.Entry("v1_sha256", .string(Hashing.sha256Hex(state))),
                Value.Entry("v2_bytes", .integer(stateV2.count)),
                Value.Entry("v2_sha256", .string(Hashing.sha256Hex(stateV2))),
                Value.Entry("blocks", .integer(replica.document.blockCount)),
                Value.Entry("text_bytes", .integer(final.utf8.count)),
                Value.Entry("final_len", .integer(final.utf16.count)),
                Value.Entry("final_sha256", .string(Hashing.sha256Hex(Array(final.utf8)))),
            ] + figures.map { Value.Entry($0.0, Measuring.value($0.1)) } + [Value.Entry("ok", .bool(ok))])
    }

    // MARK: Replaying

    private func replaySequential(_ edits: [EditingTrace.Patch]) -> (BenchReplica, [[UInt8]]) {
        let replica = BenchReplica(client: 1)
        var updates: [[UInt8]] = []
        for patch in edits {
            if let update = replica.edit(CollectionOfOne(patch)) { updates.append(update) }
        }
        return (replica, updates)
    }

    /// Each agent has a document, brought to the parents of its next transaction first.
    private func replayConcurrent() -> (BenchReplica, [[UInt8]]) {
        let replicas = (0..<trace.agents).map { BenchReplica(client: UInt64($0) + 1) }
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
                if let update = updates[parent] { replicas[step.agent].take(update) }
            }
            updates.append(replicas[step.agent].edit(step.patches))
            has[step.agent][index] = true
        }
        return (replicas[trace.steps.last?.agent ?? 0], updates.compactMap { $0 })
    }

    private static func feed(_ updates: [[UInt8]]) -> BenchReplica {
        let replica = BenchReplica(client: 0)
        for update in updates { replica.take(update) }
        return replica
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

    // MARK: Whole states

    /// Times of encoding after a change, and the least when nothing has changed.
    private func encodeTimes(_ state: [UInt8], _ encode: (Document) -> Void) -> (
        changed: [Double], same: Double
    ) {
        let replica = BenchReplica(client: 2)
        replica.take(state)
        let changed = Measuring.repeated(
            Self.repetitions, prepare: { _ = replica.insert("x", at: 0) }, { encode(replica.document) })
        let same = Measuring.repeated(Self.repetitions) { encode(replica.document) }
        return (changed, same.min() ?? 0)
    }

    /// Applies to a new document and reads the text, several times.
    private func decodeTimes(
        _ expected: String, _ apply: (BenchReplica) -> Void
    ) -> (times: [Double], isRight: Bool) {
        var text = ""
        var isRight = true
        let times = (0..<Self.repetitions).map { _ in
            let time = Measuring.timed {
                let replica = BenchReplica(client: 0)
                apply(replica)
                text = replica.content
            }.time.wall
            isRight = isRight && text == expected
            return time
        }
        return (times, isRight)
    }

    /// What one loaded document adds to the resident memory of the process.
    private static func residentOfOne(_ state: [UInt8]) -> Double {
        Measuring.returnFreeMemory()
        let before = Measuring.residentMB()
        let kept = (0..<copies).map { _ in feed([state]) }
        return (Measuring.residentMB() - before) / Double(kept.count)
    }
}
