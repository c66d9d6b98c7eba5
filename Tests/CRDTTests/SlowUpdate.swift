import DecoderFuzzing
import Testing

/// An update made to take long, of nearly 64 KiB.
struct SlowUpdate: Sendable, CustomTestStringConvertible {
    var name: String
    var isV2 = false
    var bytes: [UInt8]

    var testDescription: String { name }

    static let all = [
        manyStructs, conflicts(crossed: false), conflicts(crossed: true), conflictsInKey, cutValues, cutPairs,
        nestedTypes, roots, keys, markers, waiting, gaps, numbers, objects,
    ]

    private static let rootT: [UInt8] = [1, 1, 0x74]

    private init(_ name: String, isV2: Bool = false, _ bytes: [UInt8]) {
        self.name = name
        self.isV2 = isV2
        self.bytes = bytes
    }

    /// An update v1 of groups of structs and of one client's deletions.
    private init(
        _ name: String, _ groups: [(client: UInt64, clock: UInt64, structs: [[UInt8]])],
        deleting ranges: [(from: UInt64, count: UInt64)] = []
    ) {
        var out: [UInt8] = []
        out.appendVarUint(UInt64(groups.count))
        for group in groups {
            out.appendVarUint(UInt64(group.structs.count))
            out.appendVarUint(group.client)
            out.appendVarUint(group.clock)
            for one in group.structs { out += one }
        }
        out.append(ranges.isEmpty ? 0 : 1)
        if !ranges.isEmpty {
            out.append(1)
            out.appendVarUint(UInt64(ranges.count))
            for range in ranges {
                out.appendVarUint(range.from)
                out.appendVarUint(range.count)
            }
        }
        self.init(name, out)
    }

    private static func id(_ client: UInt64, _ clock: UInt64) -> [UInt8] {
        var out: [UInt8] = []
        out.appendVarUint(client)
        out.appendVarUint(clock)
        return out
    }

    private static func field(_ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.appendField(content)
        return out
    }

    /// Few columns that repeat their last values, and room by a long text that nobody reads.
    private static var manyStructs: SlowUpdate {
        let text = field(Array(repeating: UInt8(ascii: "a"), count: 65_000))
        let columns: [[UInt8]] = [
            [], [1], [], [], [0], text, [], [], [0x41, 0xff, 0xff, 0xff, 0x7f],
        ]
        var out: [UInt8] = [0]
        for column in columns { out.appendField(column) }
        out.append(1)
        out.appendVarUint(1_000_000)
        return SlowUpdate("as many structs as v2 allows", isV2: true, out + [0, 0])
    }

    /// Every client inserts at the same place; crossed: each between the beginning and what another inserted.
    private static func conflicts(crossed: Bool) -> SlowUpdate {
        var groups: [(client: UInt64, clock: UInt64, structs: [[UInt8]])] = []
        for client in (1..<5000 as Range<UInt64>).reversed() {
            var one: [UInt8] = crossed && client % 2 == 0 ? [0xc4] : [0x84]
            one += id(0, 0)
            if crossed && client % 2 == 0 { one += id(client - 1, 0) }
            groups.append((client, 0, [one + [1, 0x62]]))
        }
        groups.append((0, 0, [[4] + rootT + [2, 0x61, 0x61]]))
        return SlowUpdate(crossed ? "crossed insertions" : "insertions at one place", groups)
    }

    private static var conflictsInKey: SlowUpdate {
        let one: [UInt8] = [0x28] + rootT + [1, 0x6b, 1, 120]
        return SlowUpdate(
            "one map key set by everyone", (0..<5000 as Range<UInt64>).reversed().map { ($0, 0, [one]) })
    }

    /// One run of values, every second one deleted, from the last to the first.
    private static var cutValues: SlowUpdate {
        let count: UInt64 = 16_000
        return SlowUpdate(
            "a run of values cut to pieces",
            [(1, 0, [[8] + rootT + field(Array(repeating: 120, count: Int(count)))])],
            deleting: (0..<count / 2).reversed().map { (2 * $0, 1) })
    }

    /// Astral characters, the second half of each deleted.
    private static var cutPairs: SlowUpdate {
        let count: UInt64 = 8000
        let text = Array(repeating: [0xf0, 0x9f, 0x98, 0x80] as [UInt8], count: Int(count)).flatMap { $0 }
        return SlowUpdate(
            "surrogate pairs cut", [(1, 0, [[4] + rootT + field(text)])],
            deleting: (0..<count).reversed().map { (2 * $0 + 1, 1) })
    }

    /// Each type in the one before, the outermost deleted.
    private static var nestedTypes: SlowUpdate {
        let inner = (1..<7500 as Range<UInt64>).map { [7, 0] + id(1, $0 - 1) + [3, 1, 0x70] }
        return SlowUpdate(
            "types nested 7,500 deep", [(1, 0, [[7] + rootT + [3, 1, 0x70]] + inner)], deleting: [(0, 1)])
    }

    private static var roots: SlowUpdate {
        SlowUpdate(
            "8,000 root types",
            [(1, 0, (0..<8000 as Range<UInt64>).map { [8, 1, 2] + name($0) + [1, 120] })])
    }

    private static var keys: SlowUpdate {
        let structs = (0..<6000 as Range<UInt64>).map { [0x28] + rootT + [2] + name($0) + [1, 120] }
        return SlowUpdate("6,000 map keys", [(1, 0, structs)])
    }

    private static func name(_ number: UInt64) -> [UInt8] {
        [UInt8(0x21 + number / 90), UInt8(0x21 + number % 90)]
    }

    /// Format markers one behind the other, all open.
    private static var markers: SlowUpdate {
        var structs: [[UInt8]] = [[6] + rootT + [2, 0x21, 0x21, 1, 0x31]]
        for place in 1..<5000 as Range<UInt64> {
            structs.append([0x86] + id(1, place - 1) + [2] + name(place) + [1, 0x31])
        }
        return SlowUpdate("5,000 formats in force", [(1, 0, structs + [[0x84] + id(1, 4999) + [1, 0x61]])])
    }

    /// Everybody waits for the next client.
    private static var waiting: SlowUpdate {
        SlowUpdate(
            "structs that wait for each other",
            (0..<5000 as Range<UInt64>).reversed().map { ($0, 0, [[0x84] + id($0 + 1, 0) + [1, 0x61]]) })
    }

    /// Alternately a GC and a gap.
    private static var gaps: SlowUpdate {
        let structs: [[UInt8]] = (0..<16_000).map { $0 % 2 == 0 ? [0, 1] : [10, 1] }
        return SlowUpdate("gaps", [(1, 0, structs)])
    }

    /// Numbers in JSON that Yjs writes longer.
    private static var numbers: SlowUpdate {
        let text = "[" + Array(repeating: "1e20", count: 13_000).joined(separator: ",") + "]"
        return SlowUpdate("numbers of a JSON text", [(1, 0, [[5] + rootT + field(Array(text.utf8))])])
    }

    /// One object with keys in the order that is to be turned round.
    private static var objects: SlowUpdate {
        let names = (1000..<9000).reversed().map { field(Array(String($0).utf8)) + [120] }
        var value: [UInt8] = [118]
        value.appendVarUint(UInt64(names.count))
        return SlowUpdate(
            "an object of 8,000 keys", [(1, 0, [[8] + rootT + [1] + value + names.flatMap { $0 }])])
    }
}
