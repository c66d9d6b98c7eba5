import CRDT
import Testing

/// The engine's order of concurrent insertions against Yjs's scan (`PlainScan`), where scans are long enough for
/// runs of siblings.
@Suite struct ConflictScanTests {
    private typealias Insertion = PlainScan.Insertion

    /// Clients that edit copies of one list, seeing each other's insertions late.
    private struct Writers {
        var random: SeededRandom
        var copies: [PlainScan]
        var known: [Set<Int>]
        var clocks: [UInt64]
        var made: [Insertion] = []

        init(_ count: Int, _ seed: UInt64) {
            random = SeededRandom(seed)
            copies = Array(repeating: PlainScan(), count: count)
            known = Array(repeating: [], count: count)
            clocks = Array(repeating: 0, count: count)
        }

        /// Client ids in another order than that of the writers.
        func client(_ writer: Int) -> ClientID { UInt64((writer * 7919) % 10_007) + 1 }

        mutating func pull(_ writer: Int, from other: Int) {
            for index in known[other].subtracting(known[writer]).sorted() {
                copies[writer].insert(made[index])
                known[writer].insert(index)
            }
        }

        /// Inserts a word at the front, at the end, or near the middle.
        mutating func write(_ writer: Int) {
            let units = copies[writer].units
            let place =
                switch random.below(4) {
                case 0: 0
                case 1: units.count
                case 2: units.count / 2
                default: random.below(units.count + 1)
                }
            add(
                writer, place > 0 ? units[place - 1].id : nil, place < units.count ? units[place].id : nil)
        }

        mutating func add(_ writer: Int, _ origin: ID?, _ right: ID?, length: Int? = nil) {
            let units = length ?? 1 + random.below(4)
            let letters = (0..<units).map { _ in UInt8(0x61 + random.below(26)) }
            let text = String(decoding: letters, as: UTF8.self)
            let insertion = Insertion(
                client: client(writer), clock: clocks[writer], origin: origin, right: right, text: text)
            clocks[writer] = insertion.end
            known[writer].insert(made.count)
            made.append(insertion)
            copies[writer].insert(insertion)
        }
    }

    /// Any order in which everything comes after what it needs.
    private static func shuffled(_ made: [Insertion], _ random: inout SeededRandom) -> [Insertion] {
        var state: [ClientID: UInt64] = [:]
        var open = made
        var ordered: [Insertion] = []
        func isKnown(_ id: ID?) -> Bool { id.map { state[$0.client, default: 0] > $0.clock } ?? true }
        while !open.isEmpty {
            var rest: [Insertion] = []
            for insertion in open {
                let isReady =
                    state[insertion.client, default: 0] == insertion.clock && isKnown(insertion.origin)
                    && isKnown(insertion.right)
                if isReady && random.below(3) > 0 {
                    state[insertion.client] = insertion.end
                    ordered.append(insertion)
                } else {
                    rest.append(insertion)
                }
            }
            open = rest.count == open.count ? open : rest
        }
        return ordered
    }

    /// Applies in a random order, with deletions between, and compares on the way.
    private static func compare(
        _ made: [Insertion], _ random: inout SeededRandom, converges: Bool = true, _ note: String
    ) throws {
        let document = Document(clientID: 1_000_000, gc: random.below(2) == 0)
        var plain = PlainScan()
        for (index, insertion) in shuffled(made, &random).enumerated() {
            plain.insert(insertion)
            try document.applyUpdate(insertion.update())
            if random.below(6) == 0 {
                let unit = plain.units[random.below(plain.units.count)].id
                plain.delete(unit)
                try document.applyUpdate(Insertion.deletion(unit))
            }
            if index % 64 == 0 || index + 1 == made.count {
                try #require(document.text("t") == plain.text, "insertion \(index), \(note)")
            }
        }
        guard converges else { return }
        let copy = Document(clientID: 1_000_001)
        try copy.applyUpdate(document.encodeStateAsUpdate())
        #expect(copy.text("t") == plain.text, "\(note)")
    }

    @Test func concurrentWords() throws {
        for round in 0..<4 * testScale {
            let seed = testSeed &+ UInt64(round)
            var writers = Writers(150, seed)
            if round % 2 == 0 { writers.write(0) }
            for writer in 1..<150 where round % 2 == 0 { writers.pull(writer, from: 0) }
            for step in 0..<600 {
                let writer = writers.random.below(150)
                // Mostly apart: the copies stay short and conflicts many.
                if step > 300, writers.random.below(8) == 0 {
                    writers.pull(writer, from: writers.random.below(150))
                }
                writers.write(writer)
            }
            try Self.compare(writers.made, &writers.random, rerun(seed, "ConflictScanTests"))
        }
    }

    /// Origins and right origins that no editor would name together.
    @Test func arbitraryNeighbours() throws {
        for round in 0..<6 * testScale {
            let seed = testSeed &+ 1000 &+ UInt64(round)
            var writers = Writers(40, seed)
            for step in 0..<700 {
                let writer = writers.random.below(40)
                let made = writers.made
                var random = writers.random
                // Few names, so that many share an origin; now and then others, which tangle the list.
                let few = round % 3 == 0 ? max(1, made.count) : min(max(1, made.count), 6)
                func unit() -> ID? {
                    guard !made.isEmpty, random.below(4) > 0 else { return nil }
                    let range = random.below(60) == 0 ? made.count : few
                    let it = made[random.below(range)]
                    return ID(client: it.client, clock: it.clock + UInt64(random.below(it.text.utf8.count)))
                }
                var (origin, right) = (unit(), unit())
                if step < 400, round % 2 == 0, random.below(20) > 0 { right = nil }
                // A right origin that cuts the block the origin ends: the result depends on where blocks end.
                if let o = origin, let r = right, o.client == r.client, r.clock <= o.clock { origin = nil }
                writers.random = random
                writers.add(writer, origin, right)
            }
            let note = rerun(seed, "ConflictScanTests")
            try Self.compare(writers.made, &writers.random, converges: false, note)
        }
    }

    /// Values of one map key: the last in the chain is the value.
    @Test func chainsOfOneKey() throws {
        for round in 0..<4 * testScale {
            let seed = testSeed &+ 2000 &+ UInt64(round)
            var writers = Writers(300, seed)
            for _ in 0..<500 {
                let writer = writers.random.below(300)
                if writers.random.below(10) == 0 { writers.pull(writer, from: writers.random.below(300)) }
                let chain = writers.copies[writer].units
                let isOdd = round % 2 == 1 && writers.random.below(30) == 0
                writers.add(writer, isOdd ? nil : chain.last?.id, isOdd ? chain.first?.id : nil, length: 1)
            }
            let document = Document(clientID: 1_000_000)
            var plain = PlainScan()
            for insertion in Self.shuffled(writers.made, &writers.random) {
                plain.insert(insertion)
                try document.applyUpdate(insertion.update(isKey: true))
                let last = plain.units.last.map { Value.string(String(decoding: [$0.text], as: UTF8.self)) }
                let note = rerun(seed, "ConflictScanTests")
                try #require(document.mapValue("t", "k") == last, "\(note)")
            }
        }
    }

    /// All at one place, in several orders of the clients: what a scan passes stays within 2 × n log n.
    @Test func workGrowsLikeNLogN() throws {
        enum Order: CaseIterable { case ascending, descending, mixed }
        for order in Order.allCases {
            for hasText in [false, true] {
                var last = 0.0
                for power in 8...13 {
                    let count = 1 << power
                    let document = Document(clientID: 1_000_000)
                    let base = Insertion(client: 500_000, clock: 0, text: "abc")
                    if hasText { try document.applyUpdate(base.update()) }
                    let before = document.work
                    for index in 0..<count {
                        let client =
                            switch order {
                            case .ascending: index
                            case .descending: count - index
                            case .mixed: (index &* 2_654_435_761) % 1_000_003
                            }
                        let insertion = Insertion(
                            client: UInt64(client) + 1, clock: 0,
                            origin: hasText ? ID(client: 500_000, clock: 0) : nil,
                            right: hasText ? ID(client: 500_000, clock: 1) : nil, text: "xy")
                        try document.applyUpdate(insertion.update())
                    }
                    let work = Double(document.work - before) / (Double(count) * Double(power))
                    if power > 9 { #expect(work < 2 * last, "\(order), \(hasText), \(count)") }
                    last = work
                }
            }
        }
    }
}
