import CRDT

/// The worst case of concurrent insertions: n clients that know nothing of each other insert at one place, for n that
/// doubles. `us_each / log2 n` stays level where the whole takes n log n. CPU time, the least of some repetitions: other
/// programs on the machine would hide how it grows.
struct ConflictBench {
    private static let base: ClientID = 5_000_000
    private static let repetitions = 5
    /// Clients of `thousand`.
    private static let fewClients = 1000

    let most: Int

    private enum Shape: String, CaseIterable {
        /// Into an empty text.
        case empty
        /// Behind one character of a text, so with a right origin.
        case filled
        /// A word each with a gap in it and another word behind, so that every insertion has others behind it.
        case words
        /// 1,000 clients, each n / 1,000 times at the beginning of an empty text, all of them in turns.
        case thousand
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
        let updates =
            shape == .thousand
            ? Self.updates(order.clients(min(count, Self.fewClients)), each: count / Self.fewClients)
            : order.clients(count).map { Self.update(of: $0, shape, on: state) }
        var replica = BenchReplica(client: Self.base + 1)
        var (cpu, work) = (Double.infinity, UInt64(0))
        for _ in 0..<Self.repetitions {
            replica = BenchReplica(client: Self.base + 1)
            replica.take(state)
            let before = replica.document.work
            cpu = min(cpu, Measuring.timed { for update in updates { replica.take(update) } }.time.cpu)
            work = replica.document.work - before
        }
        let each = cpu * 1000 / Double(count)
        let scale = Double(count.bitWidth - count.leadingZeroBitCount)
        let reader = BenchReplica(client: Self.base + 2)
        let whole = replica.document.encodeStateAsUpdate()
        let decode = Measuring.timed { reader.take(whole) }.time.wall
        return [
            "case": .string("\(shape.rawValue), \(order.rawValue)"), "n": .integer(count),
            "apply_each_cpu_ms": Measuring.value(cpu), "us_each": Measuring.value(each),
            "us_each_by_log": Measuring.value(each / scale),
            "work_each": Measuring.value(Double(work) / Double(count)),
            "decode_ms": Measuring.value(decode), "ok": .bool(reader.content == replica.content),
        ]
    }

    /// What each of the clients did on its own, an update an insertion: everyone's first, then everyone's second …
    private static func updates(_ clients: [ClientID], each: Int) -> [[UInt8]] {
        let replicas = clients.map { BenchReplica(client: $0) }
        return (0..<max(each, 1)).flatMap { round in
            replicas.map { $0.insert("c\(round)", at: 0) ?? [] }
        }
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
