/// lib0's `any` coding: one tag byte, then the value.
extension ByteReader {
    /// Reads a value; nesting beyond `depth` levels is refused.
    mutating func any(depth: Int) throws(UpdateError) -> Value {
        let tag = try byte()
        switch tag {
        case 127: return .undefined
        case 126: return .null
        case 125:
            let (magnitude, negative) = try varInt()
            return .number(negative ? -Double(magnitude) : Double(magnitude))
        case 124: return .number(Double(Float(bitPattern: try float32())))
        case 123: return .number(Double(bitPattern: try float64()))
        case 122: return .bigint(Int64(bitPattern: try float64()))
        case 121: return .bool(false)
        case 120: return .bool(true)
        case 119:
            let (start, length, _) = try string()
            return .string(String(decoding: slice(start, length), as: UTF8.self))
        case 118:
            guard depth > 0 else { throw error(.tooLarge, "value nested too deeply") }
            let count = try varUint()
            guard count <= UInt64(remaining / 2) else { throw error(.malformed, "object of \(count) keys") }
            var entries: [Value.Entry] = []
            for _ in 0..<count {
                let (start, length, _) = try string()
                let key = String(decoding: slice(start, length), as: UTF8.self)
                entries.append(Value.Entry(key, try any(depth: depth - 1)))
            }
            return .object(entries)
        case 117:
            guard depth > 0 else { throw error(.tooLarge, "value nested too deeply") }
            let count = try varUint()
            guard count <= UInt64(remaining) else { throw error(.malformed, "array of \(count) values") }
            var values: [Value] = []
            for _ in 0..<count { values.append(try any(depth: depth - 1)) }
            return .array(values)
        case 116:
            let length = try length()
            let start = offset
            try skip(length)
            return .bytes(Array(slice(start, length)))
        default:
            throw error(.malformed, "unknown value tag \(tag)")
        }
    }

    /// Passes over a value and checks it. Gives whether it is coded as Yjs itself codes it; false also where
    /// that would take building the value to know.
    mutating func skipAny(depth: Int) throws(UpdateError) -> Bool {
        let tag = try byte()
        switch tag {
        case 127, 126, 121, 120:
            return true
        case 125:
            let start = offset
            let magnitude = try varInt().magnitude
            // Six bits of the number are in the first byte and seven in each that follows.
            let bits = UInt64.bitWidth - magnitude.leadingZeroBitCount
            return magnitude <= 0x7fff_ffff && max(1, (bits + 7) / 7) == offset - start
        case 124:
            let value = Double(Float(bitPattern: try float32()))
            return !AnyCoding.isCompactInteger(value) && !value.isNaN
        case 123:
            let bits = try float64()
            let value = Double(bitPattern: bits)
            if value.isNaN { return bits == AnyCoding.nanBits }
            return !AnyCoding.isCompactInteger(value) && Double(Float(value)) != value
        case 122:
            try skip(8)
            return true
        case 119:
            _ = try string()
            return true
        case 118:
            guard depth > 0 else { throw error(.tooLarge, "value nested too deeply") }
            let count = try varUint()
            guard count <= UInt64(remaining / 2) else { throw error(.malformed, "object of \(count) keys") }
            var canonical = true
            var entries: [Value.Entry] = []
            for _ in 0..<count {
                let (start, length, _) = try string()
                if count > 1 {
                    let key = String(decoding: slice(start, length), as: UTF8.self)
                    entries.append(Value.Entry(key, .null))
                }
                canonical = try skipAny(depth: depth - 1) && canonical
            }
            return canonical && PropertyOrder.isOrdered(entries)
        case 117:
            guard depth > 0 else { throw error(.tooLarge, "value nested too deeply") }
            let count = try varUint()
            guard count <= UInt64(remaining) else { throw error(.malformed, "array of \(count) values") }
            var canonical = true
            for _ in 0..<count { canonical = try skipAny(depth: depth - 1) && canonical }
            return canonical
        case 116:
            try skip(try length())
            return true
        default:
            throw error(.malformed, "unknown value tag \(tag)")
        }
    }
}

enum AnyCoding {
    /// The only NaN that JavaScript writes.
    static let nanBits: UInt64 = 0x7ff8_0000_0000_0000

    /// Whether lib0 writes the number as a variable-length integer.
    static func isCompactInteger(_ value: Double) -> Bool {
        value.magnitude <= 2_147_483_647 && value.rounded(.towardZero) == value
    }
}

extension ByteWriter {
    /// Writes a value as lib0 0.2.117 does. Nesting beyond the engine's limit is written as undefined.
    mutating func any(_ value: Value, depth: Int = Limits.maxValueNesting) {
        guard depth >= 0 else { return byte(127) }
        switch value {
        case .undefined: byte(127)
        case .null: byte(126)
        case .bool(let flag): byte(flag ? 120 : 121)
        case .number(let number): self.number(number)
        case .bigint(let integer):
            byte(122)
            bigEndian(UInt64(bitPattern: integer), bytes: 8)
        case .string(let text):
            byte(119)
            string(text)
        case .object(let entries):
            byte(118)
            let ordered = PropertyOrder.ordered(entries)
            varUint(UInt64(ordered.count))
            for entry in ordered {
                string(entry.key)
                any(entry.value, depth: depth - 1)
            }
        case .array(let values):
            byte(117)
            varUint(UInt64(values.count))
            for value in values { any(value, depth: depth - 1) }
        case .bytes(let data):
            byte(116)
            varBytes(data)
        }
    }

    private mutating func number(_ value: Double) {
        if AnyCoding.isCompactInteger(value) {
            byte(125)
            varInt(magnitude: UInt64(value.magnitude), negative: value.sign == .minus)
        } else if !value.isNaN, Double(Float(value)) == value {
            byte(124)
            bigEndian(UInt64(Float(value).bitPattern), bytes: 4)
        } else {
            byte(123)
            bigEndian(value.isNaN ? AnyCoding.nanBits : value.bitPattern, bytes: 8)
        }
    }
}
