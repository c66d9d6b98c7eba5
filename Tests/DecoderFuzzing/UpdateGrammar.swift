import TestSupport

/// Writes updates that keep to the grammar of v1 and to no sense: references across lists and clients,
/// parents that hold no type, map keys in texts, runs that begin before or behind what is known.
struct UpdateGrammar {
    private struct Run {
        var client: UInt64
        var end: UInt64
    }

    private static let roots = ["t", "m", "a", "x", "text", "map", "array", "xml", ""].map { Array($0.utf8) }
    private static let keys = ["k", "k0", "b", "1", "", "bold"].map { Array($0.utf8) }
    private static let words = ["a", "bc", "xyzxyz", "é", "😀", "漢字", "\u{fffd}", "\n"]
    private static let texts = [
        "null", "true", "1", "1.5", "\"s\"", "{}", "{\"i\":1}", "{\"2\":0,\"1\":0}", "[1,[2]]", "-0", "1e3",
        " 1",
        "\"\\ud800\"", "\"\\u00e9\"", "undefined",
    ].map { Array($0.utf8) }
    private static let anys: [[UInt8]] = [
        [127], [126], [125, 1], [125, 0x40], [124, 0x3f, 0, 0, 0],
        [123, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a],
        [122, 0, 0, 0, 0, 0, 0, 0, 7], [121], [120], [119, 1, 0x61], [119, 4, 0xf0, 0x9f, 0x98, 0x80],
        [118, 0],
        [118, 1, 1, 0x61, 126], [118, 2, 1, 0x62, 126, 1, 0x31, 126], [117, 2, 120, 117, 0],
        [116, 2, 0, 255],
        [125, 0x80, 0x80, 0x80, 0x80, 0x10], [123, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
    ]

    private var random: SplitMix64
    /// What references may name: what the document has, then what the update brings.
    private var known: [Run]

    /// - Parameter known: next clocks of the clients of the document the update is for.
    init(seed: UInt64, known: [(client: UInt64, end: UInt64)]) {
        random = SplitMix64(seed: seed)
        self.known = known.map { Run(client: $0.client, end: $0.end) }
        if self.known.isEmpty { self.known = [Run(client: 1, end: 0)] }
    }

    mutating func update() -> [UInt8] {
        var clients: [UInt64] = []
        for _ in 0...random.below(3) {
            let client = random.chance(1, in: 3) ? UInt64(random.below(5)) : random.pick(known).client
            if !clients.contains(client) || random.chance(1, in: 40) { clients.append(client) }
        }
        var out: [UInt8] = []
        out.appendVarUint(UInt64(clients.count))
        for client in clients { group(client, &out) }
        deletions(&out)
        return out
    }

    private mutating func group(_ client: UInt64, _ out: inout [UInt8]) {
        let place = known.firstIndex { $0.client == client }
        let end = place.map { known[$0].end } ?? 0
        var clock = end
        if random.chance(1, in: 4) { clock = UInt64(max(0, Int(end) + random.below(7) - 4)) }
        let count = 1 + random.below(6)
        out.appendVarUint(UInt64(count))
        out.appendVarUint(client)
        out.appendVarUint(clock)
        for _ in 0..<count { clock += structure(client, clock, &out) }
        if let place {
            known[place].end = max(end, clock)
        } else {
            known.append(Run(client: client, end: clock))
        }
    }

    /// One struct; gives its length in clocks.
    private mutating func structure(_ client: UInt64, _ clock: UInt64, _ out: inout [UInt8]) -> UInt64 {
        let kind = random.pick([0, 1, 1, 2, 3, 4, 4, 4, 4, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9, 10] as [UInt8])
        if kind == 0 || kind == 10 {
            let length = UInt64(1 + random.below(4))
            out.append(kind)
            out.appendVarUint(length)
            return length
        }
        let hasOrigin = random.chance(3, in: 5)
        let hasRight = random.chance(2, in: 5)
        let hasKey = random.chance(1, in: 4)
        out.append(kind | (hasOrigin ? 0x80 : 0) | (hasRight ? 0x40 : 0) | (hasKey ? 0x20 : 0))
        if hasOrigin { reference(client, clock, &out) }
        if hasRight { reference(client, clock, &out) }
        if !hasOrigin && !hasRight {
            if random.chance(3, in: 5) {
                out.append(1)
                out.appendField(random.pick(Self.roots))
            } else {
                out.append(0)
                reference(client, clock, &out)
            }
            if hasKey { out.appendField(random.pick(Self.keys)) }
        }
        return content(kind, &out)
    }

    /// An id, mostly of a unit that is there or comes with the update.
    private mutating func reference(_ client: UInt64, _ clock: UInt64, _ out: inout [UInt8]) {
        if clock > 0, random.chance(1, in: 3) {
            out.appendVarUint(client)
            return out.appendVarUint(random.chance(1, in: 2) ? clock - 1 : UInt64(random.below(Int(clock))))
        }
        let run = random.pick(known)
        out.appendVarUint(run.client)
        let end = Int(run.end) + (random.chance(1, in: 10) ? 5 : 0)
        out.appendVarUint(UInt64(random.below(end)))
    }

    private mutating func content(_ kind: UInt8, _ out: inout [UInt8]) -> UInt64 {
        switch kind {
        case 1:
            let length = UInt64(1 + random.below(4))
            out.appendVarUint(length)
            return length
        case 2, 8:
            let count = 1 + random.below(3)
            out.appendVarUint(UInt64(count))
            for _ in 0..<count {
                if kind == 2 {
                    out.appendField(random.pick(Self.texts))
                } else {
                    out += random.pick(Self.anys)
                }
            }
            return UInt64(count)
        case 4:
            let text = (0...random.below(3)).map { _ in random.pick(Self.words) }.joined()
            out.appendField(Array(text.utf8))
            return UInt64(text.utf16.count)
        case 3: out.appendField((0..<random.below(4)).map { _ in UInt8(random.below(256)) })
        case 5: out.appendField(random.pick(Self.texts))
        case 6:
            out.appendField(random.pick(Self.keys))
            out.appendField(random.pick(Self.texts))
        case 7:
            let type = UInt8(random.below(7))
            out.append(type)
            if type == 3 || type == 5 { out.appendField(random.pick(Self.keys)) }
        default:
            out.appendField(random.pick(Self.keys))
            out += random.pick(Self.anys)
        }
        return 1
    }

    private mutating func deletions(_ out: inout [UInt8]) {
        let clients = (0..<random.below(3)).map { _ in random.pick(known) }
        out.appendVarUint(UInt64(clients.count))
        for run in clients {
            let count = 1 + random.below(3)
            out.appendVarUint(run.client)
            out.appendVarUint(UInt64(count))
            for _ in 0..<count {
                out.appendVarUint(UInt64(random.below(Int(run.end) + 2)))
                out.appendVarUint(UInt64(1 + random.below(4)))
            }
        }
    }
}
