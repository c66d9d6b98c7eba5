extension Value {
    /// The value as `JSON.stringify` writes it: undefined members are left out, undefined elements are null,
    /// numbers that are not finite are null, bytes are an object with one member an index.
    public var json: String {
        var out: [UInt8] = []
        JSONWriter.write(self, into: &out, depth: Limits.maxValueNesting)
        return String(decoding: out, as: UTF8.self)
    }
}

enum JSONWriter {
    static func write(_ value: Value, into out: inout [UInt8], depth: Int) {
        guard depth >= 0 else { return append("null", to: &out) }
        switch value {
        case .undefined, .null: append("null", to: &out)
        case .bool(let flag): append(flag ? "true" : "false", to: &out)
        case .number(let number): append(number.isFinite ? NumberText.text(of: number) : "null", to: &out)
        case .bigint(let integer): append(String(integer), to: &out)
        case .string(let text): quote(text, into: &out)
        case .bytes(let bytes):
            out.append(UInt8(ascii: "{"))
            for (index, byte) in bytes.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                append("\"\(index)\":\(byte)", to: &out)
            }
            out.append(UInt8(ascii: "}"))
        case .array(let values):
            out.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                write(value, into: &out, depth: depth - 1)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let entries):
            out.append(UInt8(ascii: "{"))
            var first = true
            for entry in PropertyOrder.ordered(entries) where entry.value != .undefined {
                if !first { out.append(UInt8(ascii: ",")) }
                first = false
                quote(entry.key, into: &out)
                out.append(UInt8(ascii: ":"))
                write(entry.value, into: &out, depth: depth - 1)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ text: String, to out: inout [UInt8]) { out.append(contentsOf: text.utf8) }

    static func quote(_ text: String, into out: inout [UInt8]) {
        let hex = Array("0123456789abcdef".utf8)
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: append("\\b", to: &out)
            case 0x0c: append("\\f", to: &out)
            case 0x0a: append("\\n", to: &out)
            case 0x0d: append("\\r", to: &out)
            case 0x09: append("\\t", to: &out)
            case 0..<0x20:
                append("\\u00", to: &out)
                out.append(hex[Int(byte >> 4)])
                out.append(hex[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}

/// A double as JavaScript writes it (ECMA-262, Number::toString with radix 10).
enum NumberText {
    static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        if value == 0 { return "0" }
        let sign = value < 0 ? "-" : ""
        let (digits, point) = shortest(value.magnitude)
        let count = digits.count
        if count <= point, point <= 21 {
            return sign + digits + String(repeating: "0", count: point - count)
        }
        if point > 0, point <= 21 {
            return sign + digits.prefix(point) + "." + digits.dropFirst(point)
        }
        if point > -6, point <= 0 {
            return sign + "0." + String(repeating: "0", count: -point) + digits
        }
        let exponent = point - 1
        let mantissa = count == 1 ? digits : "\(digits.prefix(1)).\(digits.dropFirst())"
        return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + String(abs(exponent))
    }

    /// Shortest digits that give `value` back, and where the decimal point is: value = 0.digits × 10^point.
    private static func shortest(_ value: Double) -> (digits: String, point: Int) {
        let text = value.description
        let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
        let mantissa = parts.first.map(String.init) ?? text
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = halves.first.map(String.init) ?? ""
        let fraction = halves.count > 1 ? String(halves[1]) : ""
        var digits = Substring(whole + fraction)
        var point = whole.count + exponent
        while digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), point)
    }
}
