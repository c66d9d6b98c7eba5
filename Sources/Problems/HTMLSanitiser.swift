/// Writes HTML of a converter again from an allow-list: what is not on it cannot come through.
///
/// Guarantees, for any input: the output holds only the elements of `elements` and `mathElements` with the attributes
/// that `attribute` lets through, every element is closed, text is escaped, and nesting is at most
/// `Limits.htmlDepth`; what a `script`, a `style` or an `annotation` holds is left out. Time is linear.
package struct HTMLSanitiser {
    /// The address under which a file of the statement's folder is served; nil leaves the image out.
    package typealias ImageAddress = (_ name: String) -> String?

    private static let elements: Set<String> = [
        "a", "b", "blockquote", "br", "caption", "code", "dd", "dl", "dt", "em", "figcaption", "figure", "h1",
        "h2",
        "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong",
        "sub", "sup",
        "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
    ]
    /// Presentation MathML.
    private static let mathElements: Set<String> = [
        "math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mroot", "mrow", "mspace", "msqrt", "mstyle",
        "msub",
        "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
    ]
    private static let void: Set<String> = ["br", "hr", "img"]
    private static let dropped: Set<String> = [
        "script", "style", "title", "template", "iframe", "object", "svg", "annotation", "annotation-xml",
        "textarea",
        "noscript",
    ]
    private static let mathAttributes: Set<String> = [
        "display", "stretchy", "form", "fence", "separator", "mathvariant", "accent", "accentunder",
        "columnalign",
        "linethickness", "width", "displaystyle", "minsize", "maxsize",
    ]

    private let bytes: [UInt8]
    private let imageAddress: ImageAddress
    private var position = 0
    private var output = ""
    private var open: [String] = []

    package static func clean(_ html: String, imageAddress: @escaping ImageAddress = { _ in nil }) -> String {
        var sanitiser = HTMLSanitiser(bytes: Array(html.utf8), imageAddress: imageAddress)
        sanitiser.run()
        return sanitiser.output
    }

    private init(bytes: [UInt8], imageAddress: @escaping ImageAddress) {
        self.bytes = bytes
        self.imageAddress = imageAddress
    }

    private mutating func run() {
        var start = 0
        while position < bytes.count {
            guard bytes[position] == 0x3c else {
                position += 1
                continue
            }
            emitText(start..<position)
            if !takeMarkup() {
                output += "&lt;"
                position += 1
            }
            start = position
        }
        emitText(start..<bytes.count)
        for name in open.reversed() { output += "</\(name)>" }
    }

    // MARK: Text

    /// Character references that are well-formed stay; all else with a meaning is escaped.
    private mutating func emitText(_ range: Range<Int>) {
        output += Self.escaped(bytes[range])
    }

    private static func escaped(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            switch byte {
            case 0x26:
                let window = bytes[index..<min(bytes.endIndex, index + 34)]
                result += isReference(window) ? [0x26] : Array("&amp;".utf8)
            case 0x3c: result += Array("&lt;".utf8)
            case 0x3e: result += Array("&gt;".utf8)
            case 0x22: result += Array("&quot;".utf8)
            case 0x27: result += Array("&#39;".utf8)
            case 0x09, 0x0a, 0x0d: result.append(byte)
            case _ where byte < 0x20 || byte == 0x7f: break
            default: result.append(byte)
            }
            index += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether a window starts with `&name;`, `&#12;` or `&#x1f;`.
    private static func isReference(_ window: ArraySlice<UInt8>) -> Bool {
        guard let end = window.firstIndex(of: 0x3b) else { return false }
        let body = window[window.startIndex + 1..<end]
        let rest = body.first == 0x23 ? body.dropFirst() : body
        return !rest.isEmpty && rest.allSatisfy { isASCIILetter($0) || isASCIIDigit($0) }
    }

    // MARK: Markup

    /// Takes a tag or a comment at `position`; false when there is none.
    private mutating func takeMarkup() -> Bool {
        if bytes[position...].starts(with: [0x3c, 0x21]) || bytes[position...].starts(with: [0x3c, 0x3f]) {
            let isComment = bytes[position...].starts(with: [0x3c, 0x21, 0x2d, 0x2d])
            position = end(of: isComment ? [0x2d, 0x2d, 0x3e] : [0x3e], from: position + 2)
            return true
        }
        let isClosing = position + 1 < bytes.count && bytes[position + 1] == 0x2f
        var cursor = position + (isClosing ? 2 : 1)
        let name = takeName(&cursor)
        guard let first = name.utf8.first, isASCIILetter(first) else { return false }
        var attributes: [(String, ArraySlice<UInt8>)] = []
        guard takeAttributes(&cursor, &attributes) else { return false }
        position = cursor
        if isClosing { close(name) } else { begin(name, attributes) }
        return true
    }

    private func end(of mark: [UInt8], from start: Int) -> Int {
        var index = start
        while index + mark.count <= bytes.count {
            if bytes[index..<index + mark.count].elementsEqual(mark) { return index + mark.count }
            index += 1
        }
        return bytes.count
    }

    private func takeName(_ cursor: inout Int) -> String {
        let start = cursor
        while cursor < bytes.count, cursor - start < 64,
            isASCIILetter(bytes[cursor]) || isASCIIDigit(bytes[cursor]) || bytes[cursor] == 0x2d
                || bytes[cursor] == 0x3a
        {
            cursor += 1
        }
        return String(decoding: bytes[start..<cursor], as: UTF8.self).lowercased()
    }

    private func skipSpace(_ cursor: inout Int) {
        while cursor < bytes.count, bytes[cursor] == 0x20 || (0x09...0x0d).contains(bytes[cursor]) {
            cursor += 1
        }
    }

    /// Reads up to the `>`; false when something is there that a converter does not write.
    private func takeAttributes(_ cursor: inout Int, _ attributes: inout [(String, ArraySlice<UInt8>)])
        -> Bool
    {
        while cursor < bytes.count {
            skipSpace(&cursor)
            guard cursor < bytes.count else { return false }
            if bytes[cursor] == 0x3e {
                cursor += 1
                return true
            }
            if bytes[cursor] == 0x2f {
                cursor += 1
                continue
            }
            let name = takeName(&cursor)
            guard !name.isEmpty, attributes.count < 64 else { return false }
            guard cursor < bytes.count, bytes[cursor] == 0x3d else {
                attributes.append((name, []))
                continue
            }
            cursor += 1
            guard cursor < bytes.count, bytes[cursor] == 0x22 || bytes[cursor] == 0x27 else { return false }
            let quote = bytes[cursor]
            let start = cursor + 1
            guard let end = bytes[start...].firstIndex(of: quote) else { return false }
            attributes.append((name, bytes[start..<end]))
            cursor = end + 1
        }
        return false
    }

    private mutating func begin(_ name: String, _ attributes: [(String, ArraySlice<UInt8>)]) {
        if Self.dropped.contains(name) { return skipContent(of: name) }
        let isMath = Self.mathElements.contains(name)
        guard isMath || Self.elements.contains(name), open.count < Limits.htmlDepth else { return }
        var written = ""
        for (key, value) in attributes {
            if let text = attribute(key, value, of: name, isMath: isMath) { written += " \(key)=\"\(text)\"" }
        }
        if name == "img", !written.contains(" src=") {
            // Its description stands for it.
            output += attributes.first { $0.0 == "alt" }.map { Self.escaped($0.1) } ?? ""
            return
        }
        if name == "a", written.contains(" href=") { written += " rel=\"nofollow noopener noreferrer\"" }
        output += "<\(name)\(written)>"
        if !Self.void.contains(name) { open.append(name) }
    }

    private mutating func close(_ name: String) {
        guard open.contains(name) else { return }
        while let last = open.popLast() {
            output += "</\(last)>"
            if last == name { return }
        }
    }

    /// Up to the next end tag of that name, or to the end.
    private mutating func skipContent(of name: String) {
        var index = position
        let mark = Array("</\(name)".utf8)
        while index < bytes.count {
            guard let next = bytes[index...].firstIndex(of: 0x3c) else { break }
            let tag = bytes[next..<min(bytes.count, next + mark.count)]
            if tag.map({ (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }) == mark {
                position = end(of: [0x3e], from: next)
                return
            }
            index = next + 1
        }
        position = bytes.count
    }

    // MARK: Attributes

    /// The value to write, escaped; nil when the attribute is not let through.
    private func attribute(
        _ key: String, _ value: ArraySlice<UInt8>, of element: String, isMath: Bool
    ) -> String? {
        guard value.count <= Limits.htmlAttributeBytes else { return nil }
        let text = String(decoding: value, as: UTF8.self)
        if isMath { return Self.mathAttributes.contains(key) && Self.isPlain(value) ? text : nil }
        switch (element, key) {
        case ("a", "href"):
            let isWeb = text.hasPrefix("https://") || text.hasPrefix("http://")
            return isWeb ? Self.escaped(value) : nil
        case ("img", "src"): return imageAddress(text).map(HTMLText.escape)
        case ("img", "alt"): return Self.escaped(value)
        case ("span", "class"): return text == "math" ? text : nil
        case ("td", "colspan"), ("th", "colspan"), ("td", "rowspan"), ("th", "rowspan"), ("ol", "start"):
            return value.count <= 4 && value.allSatisfy(isASCIIDigit) ? text : nil
        default: return nil
        }
    }

    private static func isPlain(_ value: ArraySlice<UInt8>) -> Bool {
        value.count <= 40
            && value.allSatisfy {
                isASCIILetter($0) || isASCIIDigit($0) || [0x20, 0x2e, 0x25, 0x2b, 0x2d].contains($0)
            }
    }
}
