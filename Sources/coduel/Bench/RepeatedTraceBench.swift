import CRDT
import Identity

/// A sequential trace over and over, each time at the beginning of the text (crdt-benchmarks B4×100).
struct RepeatedTraceBench {
    private static let repetitions = 3

    private let trace: EditingTrace
    private let times: Int

    init(_ trace: EditingTrace, times: Int) {
        self.trace = trace
        self.times = times
    }

    func run() -> Value {
        let base = Measuring.residentMB()
        let edits = trace.steps.flatMap(\.patches)
        let replica = BenchReplica(client: 1)
        var count = 0
        var bytes = 0
        let local = Measuring.timed {
            for _ in 0..<times {
                for patch in edits {
                    guard let update = replica.edit(CollectionOfOne(patch)) else { continue }
                    count += 1
                    bytes += update.count
                }
            }
        }.time
        let (state, encode) = Measuring.timed { replica.document.encodeStateAsUpdate() }
        let (stateV2, encodeV2) = Measuring.timed { replica.document.encodeStateAsUpdateV2() }
        var read = ""
        let decode = Measuring.repeated(Self.repetitions) {
            let copy = BenchReplica(client: 0)
            copy.take(state)
            read = copy.content
        }
        let length = read.utf16.count
        return [
            "impl": "coduel", "version": .string(coduelVersion), "bench": .string("b4x\(times)"),
            "trace": .string(trace.name), "edits": .integer(edits.count * times),
            "apply_local_ms": Measuring.value(local.wall), "apply_local_cpu_ms": Measuring.value(local.cpu),
            "updates": .integer(count), "updates_bytes": .integer(bytes),
            "encode_v1_ms": Measuring.value(encode.wall), "v1_bytes": .integer(state.count),
            "encode_v2_ms": Measuring.value(encodeV2.wall), "v2_bytes": .integer(stateV2.count),
            "decode_v1_ms": Measuring.value(decode[0]),
            "decode_v1_min_ms": Measuring.value(decode.min() ?? 0), "rss_base_mb": Measuring.value(base),
            "rss_peak_mb": Measuring.value(Measuring.peakMB()), "final_len": .integer(length),
            "final_sha256": .string(Hashing.sha256Hex(Array(read.utf8))),
            "ok": .bool(length == trace.endContent.utf16.count * times && read == replica.content),
        ]
    }
}
