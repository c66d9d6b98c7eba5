/// Bytes as two hexadecimal digits each.
package func hexText(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

/// Bytes from hexadecimal digits; other characters, such as blanks between fields, are passed over.
package func bytes(hex: String) -> [UInt8] {
    let digits = hex.utf8.compactMap { byte -> UInt8? in
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x57
        case 0x41...0x46: byte - 0x37
        default: nil
        }
    }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

extension [UInt8] {
    /// Appends lib0's `varUint`.
    package mutating func appendVarUint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Appends lib0's `varString` or `varBytes`.
    package mutating func appendField(_ field: some Collection<UInt8>) {
        appendVarUint(UInt64(field.count))
        append(contentsOf: field)
    }
}

extension RandomNumberGenerator {
    /// A number from 0 on, below `bound`; 0 when there is none.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(Swift.max(bound, 1))) }

    mutating func chance(_ one: Int, in all: Int) -> Bool { below(all) < one }

    /// An element of a list that is not empty.
    mutating func pick<T>(_ list: [T]) -> T { list[below(list.count)] }
}
