import CRDT

/// The worst case of concurrent insertions: n clients that know nothing of each other insert at one place, for n that
/// doubles. `us_each / log2 n` stays level where the whole takes n log n.
struct ConflictBench {
    private static let base: ClientID = 5_000_000

    let most: Int

    private enum Shape: String, CaseIterable {
        /// Into an empty text.
        case empty
        /// Behind one character of a text, so with a right origin.
        case filled
        /// A word each with a gap in it and another word behind, so that every insertion has others behind it.
        case words
    }

    private enum Order: String, CaseIterable {
        case ascending, descending, shuffled

        /// The clients 1 … `count` in this order.
        func clients(_ count: Int) -> [ClientID] {
            switch self {
            case .ascending: (1...UInt64(count)).map { $0 }
            case .descending: (1...UInt64(count)).reversed()
            case .shuffled:
                // Multiplying by an odd number permutes the numbers below a power of two.
                (0..<size(count)).map { ($0 &* 2_654_435_761) & (size(count) - 1) + 1 }.filter { $0 <= count }
            }
        }

        /// The least power of two that is not below `count`.
        private func size(_ count: Int) -> UInt64 {
            1 << UInt64(Int.bitWidth - (count - 1).leadingZeroBitCount)
        }
    }

    func run() -> Value {
        var cases: [Value] = []
        for shape in Shape.allCases {
            for order in Order.allCases { cases += curve(shape, order) }
        }
        return [
            "impl": "coduel", "version": .string(coduelVersion), "bench": "conflicts", "n": .integer(most),
            "cases": .array(cases),
        ]
    }

    private func curve(_ shape: Shape, _ order: Order) -> [Value] {
        var cases: [Value] = []
        var count = min(1000, most)
        while count <= most {
            cases.append(measure(shape, order, count))
            count *= 2
        }
        return cases
    }

    private func measure(_ shape: Shape, _ order: Order, _ count: Int) -> Value {
        let text = BenchReplica(client: Self.base)
        if shape == .filled { _ = text.insert("before and behind", at: 0) }
        let state = text.document.encodeStateAsUpdate()
        let updates = order.clients(count).map { Self.update(of: $0, shape, on: state) }
        let replica = BenchReplica(client: Self.base + 1)
        replica.take(state)
        let before = replica.document.work
        let time = Measuring.timed { for update in updates { replica.take(update) } }.time.wall
        let each = time * 1000 / Double(count)
        let scale = Double(count.bitWidth - count.leadingZeroBitCount)
        let reader = BenchReplica(client: Self.base + 2)
        let whole = replica.document.encodeStateAsUpdate()
        let decode = Measuring.timed { reader.take(whole) }.time.wall
        return [
            "case": .string("\(shape.rawValue), \(order.rawValue)"), "n": .integer(count),
            "apply_each_ms": Measuring.value(time), "us_each": Measuring.value(each),
            "us_each_by_log": Measuring.value(each / scale),
            "work_each": Measuring.value(Double(replica.document.work - before) / Double(count)),
            "decode_ms": Measuring.value(decode), "ok": .bool(reader.content == replica.content),
        ]
    }

    /// What one client did, on its own, as one update.
    private static func update(of client: ClientID, _ shape: Shape, on state: [UInt8]) -> [UInt8] {
        let replica = BenchReplica(client: client)
        replica.take(state)
        let place = shape == .filled ? 7 : 0
        if shape != .words { return replica.insert("c\(client % 1000)", at: place) ?? [] }
        _ = replica.insert("word", at: 0)
        _ = replica.edit(CollectionOfOne(EditingTrace.Patch(position: 1, deleted: 1, inserted: "")))
        _ = replica.insert("next", at: 3)
        _ = replica.insert("-", at: 5)
        return replica.document.encodeStateAsUpdate()
    }
}
