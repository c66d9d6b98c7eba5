/// The inline structure of one paragraph, heading or cell.
struct MarkdownInline {
    private let bytes: [UInt8]
    private let allowsLinks: Bool
    private var position = 0
    private var pieces: [String] = []
    /// Start of text that is not written yet.
    private var textStart = 0
    private var openEmphasis: [(kind: Kind, piece: Int)] = []
    private var openCount: [Kind: Int] = [:]
    /// Where the last run of so many backticks, and the last `$$`, stand: what has no end is not looked for.
    private var lastBackticks: [Int: Int] = [:]
    private var lastDisplayMath = -1

    private struct Kind: Hashable {
        var mark: UInt8
        var length: Int
        var tag: String { length == 2 ? "strong" : "em" }
    }

    private static let named: [String: String] = [
        "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'", "nbsp": "\u{a0}", "le": "≤", "ge": "≥",
        "ne": "≠",
        "times": "×", "minus": "−", "ndash": "–", "mdash": "—", "hellip": "…", "middot": "·", "infin": "∞",
    ]

    static func html(_ text: String) -> String {
        var inline = MarkdownInline(Array(text.utf8), allowsLinks: true)
        return inline.render()
    }

    private init(_ bytes: [UInt8], allowsLinks: Bool) {
        self.bytes = bytes
        self.allowsLinks = allowsLinks
        var index = 0
        while index < bytes.count {
            let run = Self.run(of: bytes[index], in: bytes, from: index)
            if bytes[index] == 0x60 { lastBackticks[run] = index }
            if bytes[index] == 0x24, run >= 2 { lastDisplayMath = index + run - 2 }
            index += run
        }
    }

    private static func run(of byte: UInt8, in bytes: [UInt8], from start: Int) -> Int {
        var end = start
        while end < bytes.count, bytes[end] == byte { end += 1 }
        return end - start
    }

    private func byte(_ index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }

    private mutating func render() -> String {
        while position < bytes.count {
            let isHandled: Bool
            switch bytes[position] {
            case 0x5c: isHandled = takeEscape()
            case 0x60: isHandled = takeCode()
            case 0x24: isHandled = takeMath()
            case 0x2a, 0x5f: isHandled = takeEmphasis()
            case 0x5b: isHandled = takeLink(from: position)
            case 0x21: isHandled = byte(position + 1) == 0x5b && takeLink(from: position + 1)
            case 0x3c: isHandled = takeAutolink()
            case 0x26: isHandled = takeEntity()
            case 0x0a: isHandled = takeLineBreak()
            case 0x7b: isHandled = takeSampleMark()
            default: isHandled = false
            }
            if !isHandled { position += 1 }
        }
        flush()
        return pieces.joined()
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private mutating func flush() {
        if textStart < position { pieces.append(HTMLText.escape(text(textStart..<position))) }
        textStart = position
    }

    /// Writes `html` in place of the source up to `end`.
    private mutating func emit(_ html: String, upTo end: Int) {
        flush()
        pieces.append(html)
        position = end
        textStart = end
    }

    // MARK: Leaves

    private mutating func takeEscape() -> Bool {
        guard let next = byte(position + 1) else { return false }
        if next == 0x0a {
            emit("<br>\n", upTo: position + 2)
            return true
        }
        let isPunctuation =
            (0x21...0x2f).contains(next) || (0x3a...0x40).contains(next)
            || (0x5b...0x60).contains(next) || (0x7b...0x7e).contains(next)
        guard isPunctuation else { return false }
        emit(HTMLText.escape(text(position + 1..<position + 2)), upTo: position + 2)
        return true
    }

    private mutating func takeCode() -> Bool {
        let length = Self.run(of: 0x60, in: bytes, from: position)
        let start = position + length
        guard let last = lastBackticks[length], last >= start else {
            position = start
            return true
        }
        var end = start
        while end < bytes.count {
            let run = bytes[end] == 0x60 ? Self.run(of: 0x60, in: bytes, from: end) : 0
            if run == length { break }
            end += max(1, run)
        }
        var inner = text(start..<end).split(separator: "\n", omittingEmptySubsequences: false).joined(
            separator: " ")
        if inner.hasPrefix(" "), inner.hasSuffix(" "), inner.contains(where: { $0 != " " }) {
            inner = String(inner.dropFirst().dropLast())
        }
        emit("<code>\(HTMLText.escape(inner))</code>", upTo: end + length)
        return true
    }

    /// `$$…$$` and `$…$`; the latter touches its dollars, so that prices stay text.
    private mutating func takeMath() -> Bool {
        if byte(position + 1) == 0x24 {
            let start = position + 2
            guard lastDisplayMath >= start else {
                position = start
                return true
            }
            var end = start
            while end + 1 < bytes.count, !(bytes[end] == 0x24 && bytes[end + 1] == 0x24) { end += 1 }
            emit("<span class=\"math\">\(HTMLText.escape(text(position..<end + 2)))</span>", upTo: end + 2)
            return true
        }
        guard let first = byte(position + 1), first != 0x20, first != 0x0a else { return false }
        var end = position + 1
        while end < bytes.count, bytes[end] != 0x24 { end += bytes[end] == 0x5c ? 2 : 1 }
        guard end < bytes.count, let before = byte(end - 1), before != 0x20, before != 0x0a,
            !(byte(end + 1).map(isASCIIDigit) ?? false)
        else { return false }
        emit("<span class=\"math\">\(HTMLText.escape(text(position..<end + 1)))</span>", upTo: end + 1)
        return true
    }

    private mutating func takeEntity() -> Bool {
        let window = bytes[position + 1..<min(bytes.count, position + 10)]
        guard let end = window.firstIndex(of: 0x3b), let value = Self.named[text(position + 1..<end)] else {
            return false
        }
        emit(HTMLText.escape(value), upTo: end + 1)
        return true
    }

    private mutating func takeLineBreak() -> Bool {
        guard byte(position - 1) == 0x20, byte(position - 2) == 0x20, position - 2 >= textStart else {
            return false
        }
        emit("<br>\n", upTo: position + 1)
        return true
    }

    /// `{{nextsample}}` and `{{remainingsamples}}` place samples; they are shown after the statement instead.
    private mutating func takeSampleMark() -> Bool {
        for mark in ["{{nextsample}}", "{{remainingsamples}}"]
        where bytes[position...].starts(with: mark.utf8) {
            emit("", upTo: position + mark.utf8.count)
            return true
        }
        return false
    }

    // MARK: Emphasis

    private mutating func takeEmphasis() -> Bool {
        let mark = bytes[position]
        let length = Self.run(of: mark, in: bytes, from: position)
        let after = byte(position + length)
        let before = byte(position - 1)
        let opens = after.map { !isSpace($0) } ?? false
        let closes = before.map { !isSpace($0) } ?? false
        // Inside a word an underscore is a letter.
        let isWord = mark == 0x5f && (before.map(isWordByte) ?? false) && (after.map(isWordByte) ?? false)
        guard length <= 3, !isWord, opens || closes else {
            position += length
            return true
        }
        flush()
        let end = position + length
        for size in lengths(length, mark: mark, closes: closes) {
            let kind = Kind(mark: mark, length: size)
            if closes, close(kind) { continue }
            pieces.append(String(repeating: Character(Unicode.Scalar(mark)), count: size))
            if opens {
                openEmphasis.append((kind, pieces.count - 1))
                openCount[kind, default: 0] += 1
            }
        }
        position = end
        textStart = end
        return true
    }

    /// Three marks are two and one, in the order that closes what was opened last.
    private func lengths(_ length: Int, mark: UInt8, closes: Bool) -> [Int] {
        guard length == 3 else { return [length] }
        let innermost = openEmphasis.last { $0.kind.mark == mark }?.kind.length
        return closes && innermost == 1 ? [1, 2] : [2, 1]
    }

    /// Closes the innermost open emphasis of a kind; what was opened inside it stays text.
    private mutating func close(_ kind: Kind) -> Bool {
        guard openCount[kind, default: 0] > 0 else { return false }
        while let last = openEmphasis.popLast() {
            openCount[last.kind, default: 1] -= 1
            if last.kind == kind {
                pieces[last.piece] = "<\(kind.tag)>"
                pieces.append("</\(kind.tag)>")
                return true
            }
        }
        return false
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x09 }

    private func isWordByte(_ byte: UInt8) -> Bool {
        isASCIILetter(byte) || isASCIIDigit(byte) || byte >= 0x80
    }

    // MARK: Links

    /// `[text](address)`, and images (`position` on the exclamation mark): of one that is no file of the statement's
    /// folder the description stays.
    private mutating func takeLink(from bracket: Int) -> Bool {
        guard allowsLinks else { return false }
        var end = bracket + 1
        while end < bytes.count, bytes[end] != 0x5d, bytes[end] != 0x5b { end += bytes[end] == 0x5c ? 2 : 1 }
        guard byte(end) == 0x5d, byte(end + 1) == 0x28 else { return false }
        var close = end + 2
        // An address holds no bracket; stopping there keeps many openings in a row linear.
        while close < bytes.count, close - end < 2_000, ![0x29, 0x0a, 0x5b].contains(bytes[close]) {
            close += 1
        }
        guard byte(close) == 0x29 else { return false }
        var inner = MarkdownInline(Array(bytes[bracket + 1..<end]), allowsLinks: false)
        let label = inner.render()
        let address = text(end + 2..<close).split(separator: " ").first.map(String.init) ?? ""
        if bracket != position, Self.isFileName(address) {
            let description = HTMLText.escape(text(bracket + 1..<end))
            emit("<img src=\"\(address)\" alt=\"\(description)\">", upTo: close + 1)
            return true
        }
        let href = bracket == position ? Self.safeAddress(address) : nil
        emit(href.map { Self.anchor($0, label) } ?? label, upTo: close + 1)
        return true
    }

    /// `<https://…>`.
    private mutating func takeAutolink() -> Bool {
        guard allowsLinks, byte(position + 1) == 0x68 else { return false }
        let window = bytes[position + 1..<min(bytes.count, position + 2_000)]
        guard let end = window.firstIndex(where: { $0 == 0x3e || $0 <= 0x20 || $0 == 0x3c }),
            bytes[end] == 0x3e,
            let href = Self.safeAddress(text(position + 1..<end))
        else { return false }
        emit(Self.anchor(href, HTMLText.escape(href)), upTo: end + 1)
        return true
    }

    private static func anchor(_ href: String, _ label: String) -> String {
        "<a href=\"\(HTMLText.escape(href))\" rel=\"nofollow noopener noreferrer\">\(label)</a>"
    }

    private static func isFileName(_ address: String) -> Bool {
        address.contains(".")
            && address.utf8.allSatisfy {
                isASCIILetter($0) || isASCIIDigit($0) || [0x5f, 0x2d, 0x2e].contains($0)
            }
    }

    /// The address when it is http or https, has a host and only printable ASCII without quotes and angle brackets.
    private static func safeAddress(_ address: String) -> String? {
        let lower = address.lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://"),
            let slash = address.firstIndex(of: "/"),
            address[slash...].count > 2,
            address.utf8.allSatisfy({
                $0 > 0x20 && $0 < 0x7f && ![0x22, 0x27, 0x3c, 0x3e, 0x5c, 0x60].contains($0)
            })
        else { return nil }
        return address
    }
}
