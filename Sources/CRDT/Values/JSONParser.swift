/// A strict JSON parser (RFC 8259) with JavaScript's outcome: doubles, repeated keys take the last value.
public struct JSONParser {
    private let text: [UInt8]
    private var at = 0
    /// Set when a lone surrogate was escaped: a Swift string cannot hold it, so the value is not exact.
    private(set) var isLossy = false

    private init(_ text: [UInt8]) { self.text = text }

    /// The value of `text`, or nil when it is no JSON, is nested beyond `maxNesting` or longer than
    /// `maxBytes`.
    public static func parse(_ text: String, maxNesting: Int = 100, maxBytes: Int = .max) -> Value? {
        parse(utf8: Array(text.utf8), maxNesting: maxNesting, maxBytes: maxBytes)?.value
    }

    static func parse(
        utf8 text: [UInt8], maxNesting: Int, maxBytes: Int = .max
    ) -> (value: Value, isLossy: Bool)? {
        guard text.count <= maxBytes else { return nil }
        var parser = JSONParser(text)
        parser.skipSpace()
        guard let value = parser.value(min(maxNesting, Limits.maxValueNesting)) else { return nil }
        parser.skipSpace()
        guard parser.at == text.count else { return nil }
        return (value, parser.isLossy)
    }

    private var peek: UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        at += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard at + length <= text.count else { return false }
        for i in 0..<length where text[at + i] != word.utf8Start[i] { return false }
        at += length
        return true
    }

    private mutating func value(_ depth: Int) -> Value? {
        switch peek {
        case UInt8(ascii: "{"): return depth > 0 ? object(depth - 1) : nil
        case UInt8(ascii: "["): return depth > 0 ? array(depth - 1) : nil
        case UInt8(ascii: "\""): return string().map(Value.string)
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object(_ depth: Int) -> Value? {
        at += 1
        var entries: [Value.Entry] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\""), let key = string() else { return nil }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { return nil }
            skipSpace()
            guard let value = value(depth) else { return nil }
            entries.append(Value.Entry(key, value))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(PropertyOrder.ordered(entries)) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func array(_ depth: Int) -> Value? {
        at += 1
        var values: [Value] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            skipSpace()
            guard let value = value(depth) else { return nil }
            values.append(value)
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func number() -> Value? {
        let start = at
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 0x30 && $0 <= 0x39 } ?? false }
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            guard isDigit(peek) else { return nil }
            while isDigit(peek) { at += 1 }
        }
        if take(UInt8(ascii: ".")) {
            guard isDigit(peek) else { return nil }
            while isDigit(peek) { at += 1 }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            at += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
            guard isDigit(peek) else { return nil }
            while isDigit(peek) { at += 1 }
        }
        guard let value = Double(String(decoding: text[start..<at], as: UTF8.self)) else { return nil }
        return .number(value)
    }

    private mutating func string() -> String? {
        at += 1
        var out: [UInt8] = []
        while let byte = peek {
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(validating: out, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = escape() else { return nil }
                out.append(contentsOf: escaped)
            case 0..<0x20:
                return nil
            default:
                out.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> [UInt8]? {
        guard let byte = peek else { return nil }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            guard let unit = hexUnit() else { return nil }
            if unit & 0xfc00 == 0xd800 {
                let mark = at
                if take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = hexUnit(),
                    low & 0xfc00 == 0xdc00
                {
                    let scalar = 0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(low & 0x3ff))
                    return Unicode.Scalar(scalar).map { Array(String($0).utf8) }
                }
                at = mark
            }
            guard let scalar = Unicode.Scalar(UInt32(unit)) else {
                isLossy = true
                return [0xef, 0xbf, 0xbd]
            }
            return Array(String(scalar).utf8)
        default: return nil
        }
    }

    private mutating func hexUnit() -> UInt16? {
        guard at + 4 <= text.count else { return nil }
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch text[at] {
            case 0x30...0x39: digit = text[at] - 0x30
            case 0x41...0x46: digit = text[at] - 0x37
            case 0x61...0x66: digit = text[at] - 0x57
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
            at += 1
        }
        return unit
    }
}
