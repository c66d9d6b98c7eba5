/// A request's path, taken apart and percent-decoded once.
package enum RequestPath {
    /// The segments of a raw path without its query, or nil when it is too long, has a bad escape, is not UTF-8, or
    /// holds a segment that only an attack needs: `.`, `..`, a slash, a backslash or a control character in disguise.
    package static func segments(of rawPath: String) -> [String]? {
        guard rawPath.utf8.count <= GatewayLimits.pathBytes, rawPath.utf8.first == UInt8(ascii: "/") else {
            return nil
        }
        var result: [String] = []
        let parts = rawPath.utf8.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            // One trailing slash is forgiven, a doubled one inside is another path.
            if part.isEmpty, index == parts.count - 1 { break }
            guard let segment = decoded(part), !segment.isEmpty, segment != ".", segment != ".." else {
                return nil
            }
            result.append(segment)
        }
        return result
    }

    private static func decoded(_ part: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(part.count)
        var iterator = part.makeIterator()
        while var byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(hexValue),
                    let low = iterator.next().flatMap(hexValue)
                else { return nil }
                byte = high << 4 | low
            }
            if byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") {
                return nil
            }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
