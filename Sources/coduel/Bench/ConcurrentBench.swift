import CRDT
import Identity

/// Concurrent edits and their merging (crdt-benchmarks B2 and B3).
struct ConcurrentBench {
    let n: Int
    let repetitions: Int

    private typealias Times = [(key: String, ms: Double)]

    private func report(_ bench: String, _ cases: [Value]) -> Value {
        [
            "impl": "coduel", "version": .string(coduelVersion), "bench": .string(bench), "n": .integer(n),
            "cases": .array(cases),
        ]
    }

    /// Runs a case several times: first, least and median of each time, and what the last run says.
    private func bulk(_ name: String, _ once: () -> (Times, [Value.Entry])) -> Value {
        var runs: [Times] = []
        var facts: [Value.Entry] = []
        for _ in 0..<repetitions {
            let (times, found) = once()
            runs.append(times)
            facts = found
        }
        var entries = [Value.Entry("case", .string(name))]
        for (place, first) in runs[0].enumerated() {
            let all = runs.map { $0[place].ms }
            entries.append(Value.Entry(first.key + "_first", Measuring.value(first.ms)))
            entries.append(Value.Entry(first.key + "_min", Measuring.value(all.min() ?? 0)))
            entries.append(Value.Entry(first.key + "_median", Measuring.value(Measuring.median(all))))
        }
        return .object(entries + facts)
    }

    // MARK: B2

    /// Two clients edit apart, then exchange.
    func twoClients() -> Value {
        var cases = ConcurrentInputs.Case.allCases.map { twoClients($0, isPerEdit: false) }
        cases.append(twoClients(.insertionsAndDeletions, isPerEdit: true))
        return report("b2", cases)
    }

    private func twoClients(_ kind: ConcurrentInputs.Case, isPerEdit: Bool) -> Value {
        let inputs = ConcurrentInputs(kind, n: n)
        return bulk(kind.rawValue + (isPerEdit ? "_per_edit" : "")) {
            let replicas = [BenchReplica(client: 1), BenchReplica(client: 2)]
            _ = replicas[0].insert(inputs.initial, at: 0)
            replicas[1].take(replicas[0].document.encodeStateAsUpdate())
            let (updates, local) = Measuring.timed {
                zip(replicas, inputs.patches).map { replica, patches in
                    isPerEdit
                        ? patches.compactMap { replica.edit(CollectionOfOne($0)) }
                        : [replica.edit(patches)].compactMap { $0 }
                }
            }
            let merge = Measuring.timed {
                for update in updates[1] { replicas[0].take(update) }
                for update in updates[0] { replicas[1].take(update) }
            }.time.wall
            let (state, encode) = Measuring.timed { replicas[0].document.encodeStateAsUpdate() }
            let (read, decode) = Measuring.timed {
                let copy = BenchReplica(client: 0)
                copy.take(state)
                return copy.content
            }
            let text = replicas[0].content
            return (
                [
                    ("local_ms", local.wall), ("merge_ms", merge), ("encode_ms", encode.wall),
                    ("decode_ms", decode.wall),
                ],
                [
                    Value.Entry("updates_bytes", .integer(updates.joined().reduce(0) { $0 + $1.count })),
                    Value.Entry("doc_bytes", .integer(state.count)),
                    Value.Entry("final_len", .integer(text.utf16.count)),
                    Value.Entry("final_sha256", .string(Hashing.sha256Hex(Array(text.utf8)))),
                    Value.Entry("ok", .bool(text == replicas[1].content && text == read)),
                ]
            )
        }
    }

    // MARK: B3

    private enum Shape: String, CaseIterable {
        case map = "b3.1"
        case array = "b3.4"
        case text = "b3.5"

        /// The edit of one client, as an update.
        func edit(_ document: Document, _ number: Int) -> [UInt8]? {
            do throws(EditError) {
                return try document.update { () throws(EditError) in
                    switch self {
                    case .map: try document.getMap("map").set("v", .integer(number))
                    case .array:
                        try document.getArray("array").insert(values: [.string(String(number))], at: 0)
                    case .text: try document.getText("text").insert(String(number), at: 0)
                    }
                }
            } catch {
                return nil
            }
        }

        func content(_ document: Document) -> String {
            switch self {
            case .map: Value.object(document.mapEntries("map")).json
            case .array: Value.array(document.array("array")).json
            case .text: document.text("text")
            }
        }
    }

    /// Many clients make one edit each at the same place.
    func manyClients() -> Value { report("b3", Shape.allCases.map { manyClients($0) }) }

    private func manyClients(_ shape: Shape) -> Value {
        let clients = Int(Double(n).squareRoot()) * 20
        let updates = (0..<clients).compactMap {
            shape.edit(Document(clientID: UInt64($0) + 1), $0)
        }
        func take(_ update: [UInt8], _ document: Document) {
            do throws(UpdateError) { try document.applyUpdate(update) } catch { return }
        }
        return bulk(shape.rawValue) {
            let (first, second) = (Document(clientID: 1_000_001), Document(clientID: 1_000_002))
            let together = Measuring.timed {
                first.transact { for update in updates { take(update, first) } }
            }.time.wall
            let each = Measuring.timed { for update in updates { take(update, second) } }.time.wall
            let (state, encode) = Measuring.timed { first.encodeStateAsUpdate() }
            let (read, decode) = Measuring.timed {
                let copy = Document(clientID: 0)
                take(state, copy)
                return shape.content(copy)
            }
            let content = shape.content(first)
            return (
                [
                    ("apply_one_txn_ms", together), ("apply_each_ms", each), ("encode_ms", encode.wall),
                    ("decode_ms", decode.wall),
                ],
                [
                    Value.Entry("clients", .integer(clients)),
                    Value.Entry("updates_bytes", .integer(updates.reduce(0) { $0 + $1.count })),
                    Value.Entry("doc_bytes", .integer(state.count)),
                    Value.Entry("final_sha256", .string(Hashing.sha256Hex(Array(content.utf8)))),
                    Value.Entry("ok", .bool(content == shape.content(second) && content == read)),
                ]
            )
        }
    }
}
