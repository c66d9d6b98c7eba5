/// Floating-point numbers as the package format writes them: decimal digits, one optional point, optional exponent
/// (Kattis problem package format 2025-09, General requirements). No `inf`, `nan`, hexadecimal or digit separators.
package enum DecimalFloat {
    /// The number these bytes spell, or nil when they spell none. A number too large for a Double is infinite. Time is
    /// linear in the length; longer than `Limits.floatCharacters` is no number.
    package static func parse(_ bytes: some Collection<UInt8>) -> Double? {
        guard bytes.count <= Limits.floatCharacters, isFloat(bytes) else { return nil }
        return Double(String(decoding: bytes, as: UTF8.self))
    }

    private static func isFloat(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = bytes[...]
        func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
        func takeSign() {
            if let first = rest.first, first == 0x2b || first == 0x2d { rest = rest.dropFirst() }
        }
        func takeDigits() -> Bool {
            let before = rest.startIndex
            rest = rest.drop(while: isDigit)
            return rest.startIndex != before
        }
        takeSign()
        let whole = takeDigits()
        var fraction = false
        if rest.first == 0x2e {
            rest = rest.dropFirst()
            fraction = takeDigits()
        }
        guard whole || fraction else { return false }
        if let first = rest.first, first == 0x65 || first == 0x45 {
            rest = rest.dropFirst()
            takeSign()
            guard takeDigits() else { return false }
        }
        return rest.isEmpty
    }
}
