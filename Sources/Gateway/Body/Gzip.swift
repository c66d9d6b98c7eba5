import CZlib

/// gzip (RFC 1952) of whole bodies.
enum Gzip {
    /// A middling level: the next ones cost much more and save little on text.
    private static let level: Int32 = 6
    private static let windowBits: Int32 = 15 + 16

    /// Nil when it cannot be done, or does not make the body smaller. O(n).
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard
            deflateInit2_(
                &stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        var input = bytes
        // What does not fit is of no use.
        var output = [UInt8](repeating: 0, count: bytes.count)
        let written = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target -> Int? in
                guard let length = UInt32(exactly: source.count) else { return nil }
                stream.next_in = source.baseAddress
                stream.avail_in = length
                stream.next_out = target.baseAddress
                stream.avail_out = length
                guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return target.count - Int(stream.avail_out)
            }
        }
        guard let written else { return nil }
        output.removeSubrange(written...)
        return output
    }

    /// Whether a request takes gzip (RFC 9110 §12.5.3).
    static func isAccepted(_ field: String?) -> Bool {
        guard let field, field.utf8.count <= 512 else { return false }
        // What is said of gzip itself counts, wherever it stands; `*` is for what is not named.
        var named: Double?
        var others: Double?
        for part in field.lowercased().split(separator: ",") {
            let pieces = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            let quality = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            switch pieces.first {
            case "gzip": named = quality ?? 1
            case "*": others = quality ?? 1
            default: continue
            }
        }
        return (named ?? others ?? 0) > 0
    }

    static func isWorthIt(type: String?, bytes: Int) -> Bool {
        guard let type, GatewayLimits.compressed.contains(bytes) else { return false }
        let kind = type.prefix { $0 != ";" }.lowercased()
        return kind.hasPrefix("text/") || kinds.contains(kind)
    }

    private static let kinds: Set<String> = [
        "application/json", "application/problem+json", "application/yaml", "application/manifest+json",
        "application/wasm", "image/svg+xml",
    ]
}
