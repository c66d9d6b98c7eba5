import TestSupport

/// Damages bytes in the ways that decoders are known to be weak against: bits and ranges as libFuzzer does,
/// and what the format invites to, at the places where its numbers and texts begin.
struct Mutator {
    /// Numbers at the edges of what a decoder may compute with.
    static let integers: [UInt64] = [
        0, 1, 2, 3, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x100, 0x3fff, 0x4000, 0xffff, 0x1_0000,
        (1 << 31) - 1, 1 << 31, (1 << 32) - 3, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, (1 << 53) - 2,
        (1 << 53) - 1, 1 << 53, (1 << 63) - 1, 1 << 63, .max,
    ]

    /// Texts: overlong, truncated, surrogates, beyond Unicode; a BOM, U+FFFD, astral, zero and combining.
    static let texts: [[UInt8]] = [
        [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98],
        [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80],
        [0xff], [0x80], [0xef, 0xbb, 0xbf], [0xef, 0xbf, 0xbd], [0xf0, 0x9f, 0x98, 0x80], [0], [0xcc, 0x81],
    ]

    /// Values of lib0's `any` and pieces of JSON.
    static let values: [[UInt8]] = [
        [127], [126], [125, 0x40], [125, 0xff, 0xff, 0xff, 0xff, 0x0f], [124, 0x4f, 0, 0, 0],
        [124, 0x7f, 0x80, 0, 0], [124, 0x7f, 0xc0, 0, 1], [123, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        [123, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], [123, 0x80, 0, 0, 0, 0, 0, 0, 0],
        [122, 0x80, 0, 0, 0, 0, 0, 0, 0], [121], [120], [119, 0], [118, 0], [117, 0], [116, 0],
        [118, 2, 1, 0x62, 126, 1, 0x31, 126], [118, 2, 1, 0x61, 126, 1, 0x61, 127],
        [117, 1, 117, 1, 117, 1, 126], [116, 0xff, 0xff, 0xff, 0xff, 0x0f], [119, 0x80, 0x80, 0x04],
        Array("{\"a\":1}".utf8), Array("null".utf8), Array("undefined".utf8), Array("-0".utf8),
        Array("1e999".utf8), Array("\"\\ud800\"".utf8), Array("[[[[[[".utf8), Array("{\"2\":1,\"1\":2}".utf8),
    ]

    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// `input` with one to six changes; `other` lends material.
    mutating func mutated(_ input: [UInt8], with other: [UInt8]) -> [UInt8] {
        var out = input
        var changes = 1
        while changes < 6, random.chance(1, in: 2) { changes += 1 }
        for _ in 0..<changes { change(&out, other) }
        return out
    }

    /// Bytes that were never an input of the decoder, small values more often than large ones.
    mutating func noise() -> [UInt8] {
        (0..<random.below(64)).map { _ in
            random.chance(1, in: 3) ? UInt8(random.below(256)) : UInt8(random.below(12))
        }
    }

    private mutating func change(_ out: inout [UInt8], _ other: [UInt8]) {
        guard !out.isEmpty else { return out = noise() }
        switch random.below(16) {
        case 0, 1: out[random.below(out.count)] ^= 1 << UInt8(random.below(8))
        case 2: out[random.below(out.count)] = random.pick([0, 1, 2, 0x40, 0x7f, 0x80, 0xc0, 0xff])
        case 3, 4, 5, 6: editNumber(&out)
        case 7: out.removeSubrange(range(in: out))
        case 8: out.insert(contentsOf: out[range(in: out)], at: random.below(out.count + 1))
        case 9: overwrite(&out, with: Array(out[range(in: out)]))
        case 10: splice(&out, other)
        case 11: insert(&out, other.isEmpty ? noise() : Array(other[range(in: other)]))
        case 12: insert(&out, random.pick(Self.texts))
        case 13: insert(&out, random.pick(Self.values))
        case 14:
            overwrite(
                &out, with: random.chance(1, in: 2) ? random.pick(Self.texts) : random.pick(Self.values))
        default: out.removeLast(1 + random.below(min(out.count, 8)))
        }
    }

    /// A range of one to 16 bytes, now and then of any length.
    private mutating func range(in bytes: [UInt8]) -> Range<Int> {
        let start = random.below(bytes.count)
        let most = random.chance(1, in: 8) ? bytes.count : 16
        return start..<start + 1 + random.below(min(most, bytes.count - start))
    }

    private mutating func insert(_ out: inout [UInt8], _ piece: [UInt8]) {
        out.insert(contentsOf: piece, at: random.below(out.count + 1))
    }

    private mutating func overwrite(_ out: inout [UInt8], with piece: [UInt8]) {
        let start = random.below(out.count)
        for (place, byte) in piece.enumerated() where start + place < out.count { out[start + place] = byte }
    }

    /// The beginning of one input and the end of another.
    private mutating func splice(_ out: inout [UInt8], _ other: [UInt8]) {
        out.removeSubrange(random.below(out.count + 1)...)
        if !other.isEmpty { out.append(contentsOf: other[random.below(other.count)...]) }
    }

    // MARK: Numbers

    /// Replaces one number by another: where numbers begin is known from the first byte on, as long as no
    /// text lies between, and often enough behind it.
    private mutating func editNumber(_ out: inout [UInt8]) {
        let numbers = Self.numbers(in: out)
        guard !numbers.isEmpty else { return }
        let (place, value) = random.pick(numbers)
        let next: UInt64
        switch random.below(8) {
        case 0: next = value &+ 1
        case 1: next = value &- 1
        case 2: next = value &* 2
        case 3: next = value ^ 0x40
        case 4, 5: next = random.pick(numbers).value
        default: next = random.pick(Self.integers)
        }
        out.replaceSubrange(place, with: number(next))
    }

    private static func numbers(in bytes: [UInt8]) -> [(place: Range<Int>, value: UInt64)] {
        var found: [(place: Range<Int>, value: UInt64)] = []
        var start = 0
        while start < bytes.count {
            var end = start
            var value: UInt64 = 0
            while end < bytes.count, end - start < 10 {
                value |= UInt64(bytes[end] & 0x7f) << UInt64(7 * (end - start))
                end += 1
                if bytes[end - 1] < 0x80 { break }
            }
            found.append((start..<end, value))
            start = end
        }
        return found
    }

    /// The number, one time in six in a longer form than needed.
    private mutating func number(_ value: UInt64) -> [UInt8] {
        var out: [UInt8] = []
        out.appendVarUint(value)
        if random.chance(1, in: 6) {
            out[out.count - 1] |= 0x80
            out += Array(repeating: 0x80, count: random.below(4)) + [0]
        }
        return out
    }
}
