/// What a validator wrote for people: text that is harmless wherever it is shown, and the bytes where they are no text.
struct FeedbackMessage: Sendable, Equatable {
    /// Cut to `Limits.messageBytes`. Bytes that are no UTF-8 and control characters beside tab and line feed, with which a
    /// terminal could be steered, are U+FFFD.
    var text: String
    /// All of it up to the same length; nil for UTF-8.
    var bytes: [UInt8]?

    /// Nil where there is no file.
    init?(_ content: [UInt8]?) {
        guard let content else { return nil }
        let kept = Self.cut(content)
        if String(validating: kept, as: UTF8.self) == nil { bytes = Array(kept) }
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: kept, as: UTF8.self).unicodeScalars where scalar != "\r" {
            let isControl = scalar.properties.generalCategory == .control
            scalars.append(isControl && scalar != "\n" && scalar != "\t" ? "\u{fffd}" : scalar)
        }
        text = String(scalars)
    }

    /// The beginning, not cut within a character of UTF-8.
    private static func cut(_ content: [UInt8]) -> ArraySlice<UInt8> {
        guard content.count > Limits.messageBytes else { return content[...] }
        var end = Limits.messageBytes
        // Of a character at most three bytes are continuations.
        for _ in 0..<3 where end > 0 && content[end] & 0xc0 == 0x80 { end -= 1 }
        return content[content[end] & 0xc0 == 0x80 ? ..<Limits.messageBytes : ..<end]
    }
}
