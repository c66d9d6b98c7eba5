/// A v2 update taken apart: feature flag, nine columns with their lengths, the rest.
package struct UpdateColumns {
    static let count = 9

    var flag: UInt64
    package var columns: [[UInt8]]
    package var rest: [UInt8]

    /// nil when the bytes do not have that frame.
    package init?(_ bytes: [UInt8]) {
        var at = 0
        func number() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while at < bytes.count, shift < 49 {
                value |= UInt64(bytes[at] & 0x7f) << shift
                at += 1
                if bytes[at - 1] < 0x80 { return value }
                shift += 7
            }
            return nil
        }
        guard let flag = number() else { return nil }
        self.flag = flag
        columns = []
        for _ in 0..<Self.count {
            guard let length = number(), length <= UInt64(bytes.count - at) else { return nil }
            columns.append(Array(bytes[at..<at + Int(length)]))
            at += Int(length)
        }
        rest = Array(bytes[at...])
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.appendVarUint(flag)
        for column in columns { out.appendField(column) }
        return out + rest
    }
}

extension Mutator {
    /// A v2 update with one to three columns damaged and their lengths mended, so that the damage is read.
    mutating func mutatedColumns(_ input: [UInt8], with other: [UInt8]) -> [UInt8] {
        guard var update = UpdateColumns(input) else { return mutated(input, with: other) }
        let lender = UpdateColumns(other)
        for _ in 0...random.below(3) {
            let place = random.below(UpdateColumns.count + 2)
            guard place < UpdateColumns.count else {
                update.rest = mutated(update.rest, with: lender?.rest ?? [])
                continue
            }
            switch random.below(8) {
            case 0: update.columns[place] = lender?.columns[place] ?? []
            case 1: update.columns[place] += runs()
            case 2: update.columns[place] = runs()
            case 3: update.columns[place].removeAll()
            default:
                update.columns[place] = mutated(update.columns[place], with: lender?.columns[place] ?? [])
            }
        }
        if random.chance(1, in: 50) { update.flag = random.pick(Self.integers) & 0x7f }
        return update.bytes
    }

    /// Runs as the columns have them: a value, negative ones with a count, small or huge.
    private mutating func runs() -> [UInt8] {
        var out: [UInt8] = []
        for _ in 0...random.below(3) {
            let value = random.chance(3, in: 4) ? UInt64(random.below(64)) : random.pick(Self.integers)
            let isRun = random.chance(1, in: 2)
            let low = UInt8(value & 0x3f) | (isRun ? 0x40 : 0)
            let high = value >> 6
            out.append(high > 0 ? low | 0x80 : low)
            if high > 0 { out.appendVarUint(high) }
            if isRun {
                out.appendVarUint(
                    random.chance(3, in: 4) ? UInt64(random.below(40)) : random.pick(Self.integers))
            }
        }
        return out
    }
}
