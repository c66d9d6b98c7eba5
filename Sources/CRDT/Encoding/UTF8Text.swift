/// UTF-8 with lengths and positions in UTF-16 units, as JavaScript counts.
enum UTF8Text {
    /// U+FFFD, which stands where a surrogate pair was cut.
    static let replacement: (UInt8, UInt8, UInt8) = (0xef, 0xbf, 0xbd)

    /// UTF-16 length of `text`, or nil when it is not well-formed UTF-8 (Unicode 15, table 3-7).
    static func utf16Length(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = text.baseAddress else { return 0 }
        let count = text.count
        var i = 0
        var units = 0
        while i < count {
            // Eight ASCII bytes at a time.
            while i + 8 <= count {
                let word = UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self)
                if word & 0x8080_8080_8080_8080 != 0 { break }
                i += 8
                units += 8
            }
            guard i < count else { break }
            let lead = base[i]
            if lead < 0x80 {
                i += 1
                units += 1
                continue
            }
            guard let length = sequenceLength(base + i, count - i) else { return nil }
            i += length
            units += length == 4 ? 2 : 1
        }
        return units
    }

    /// Whether `count` bytes from `start` on, which must be there, are all ASCII.
    @inline(__always)
    static func isASCII(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Bool {
        guard let base = text.baseAddress else { return true }
        var i = start
        let end = start + count
        while i + 8 <= end {
            let word = UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return false }
            i += 8
        }
        while i < end {
            if base[i] >= 0x80 { return false }
            i += 1
        }
        return true
    }

    /// Length of the multi-byte sequence at `p` with `available` bytes, or nil when it is ill-formed.
    private static func sequenceLength(_ p: UnsafePointer<UInt8>, _ available: Int) -> Int? {
        let lead = p[0]
        func continuation(_ k: Int) -> Bool { p[k] & 0xc0 == 0x80 }
        switch lead {
        case 0xc2...0xdf:
            return available >= 2 && continuation(1) ? 2 : nil
        case 0xe0...0xef:
            guard available >= 3, continuation(1), continuation(2) else { return nil }
            if lead == 0xe0 && p[1] < 0xa0 { return nil }
            if lead == 0xed && p[1] > 0x9f { return nil }
            return 3
        case 0xf0...0xf4:
            guard available >= 4, continuation(1), continuation(2), continuation(3) else { return nil }
            if lead == 0xf0 && p[1] < 0x90 { return nil }
            if lead == 0xf4 && p[1] > 0x8f { return nil }
            return 4
        default:
            return nil
        }
    }

    /// Byte offset of the UTF-16 position `units` in well-formed text of `total` units, and whether it lies
    /// inside a surrogate pair (then the offset is that of the four-byte sequence). Walks from the nearer
    /// end, so that cutting a text into pieces in whatever order costs O(n log n) altogether.
    static func byteOffset(
        _ text: UnsafeBufferPointer<UInt8>, units: Int, of total: Int
    ) -> (offset: Int, inside: Bool) {
        if units <= total / 2 { return forwardOffset(text, units) }
        var i = text.count
        var rest = total - units
        while rest > 0 && i > 0 {
            i -= 1
            while i > 0, text[i] & 0xc0 == 0x80 { i -= 1 }
            if text[i] >= 0xf0 {
                if rest == 1 { return (i, true) }
                rest -= 2
            } else {
                rest -= 1
            }
        }
        return (i, false)
    }

    /// Well-formed text of `total` units from a UTF-16 position on, U+FFFD first where that divides a surrogate
    /// pair.
    static func suffix(_ text: UnsafeBufferPointer<UInt8>, from units: Int, of total: Int) -> [UInt8] {
        let (offset, inside) = byteOffset(text, units: units, of: total)
        guard inside else { return Array(text[offset...]) }
        let (a, b, c) = replacement
        return [a, b, c] + text[(offset + 4)...]
    }

    private static func forwardOffset(
        _ text: UnsafeBufferPointer<UInt8>, _ units: Int
    ) -> (offset: Int, inside: Bool) {
        var i = 0
        var seen = 0
        while seen < units && i < text.count {
            let lead = text[i]
            if lead < 0x80 {
                i += 1
                seen += 1
            } else if lead < 0xe0 {
                i += 2
                seen += 1
            } else if lead < 0xf0 {
                i += 3
                seen += 1
            } else {
                if seen + 1 == units { return (i, true) }
                i += 4
                seen += 2
            }
        }
        return (min(i, text.count), false)
    }
}
