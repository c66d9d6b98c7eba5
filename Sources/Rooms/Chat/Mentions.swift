/// Finds `@handle` in a line.
enum Mentions {
    /// The handles that are named, in lower case, in order, each once, so many at most. A handle begins at `@` that
    /// follows no letter or digit (an address has one), and is as long as its characters go.
    static func handles(in text: String) -> [String] {
        var found: [String] = []
        var bytes = Array(text.utf8)[...]
        var before: UInt8 = 0x20
        while let byte = bytes.popFirst() {
            defer { before = byte }
            guard byte == UInt8(ascii: "@"), !isHandleByte(before), before < 0x80 else { continue }
            let handle = String(decoding: bytes.prefix(while: isHandleByte), as: UTF8.self).lowercased()
            guard Limits.mentionLength.contains(handle.utf8.count), !found.contains(handle) else { continue }
            found.append(handle)
            if found.count >= Limits.mentions { break }
        }
        return found
    }

    private static func isHandleByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == 0x5F || byte == 0x2D
    }
}
