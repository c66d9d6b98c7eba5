/// A small Markdown renderer for problem statements: headings, paragraphs, lists, quotes, fenced and indented code,
/// tables, rules, emphasis, code spans, http and https links, and `$…$` mathematics kept as text in
/// `<span class="math">`. An image names a file of the statement's folder; others are shown by their description.
///
/// Guarantees, for any input: the output holds only the tags h1–h6, p, ul, ol, li, blockquote, pre, code, em, strong,
/// a (with an http or https `href`), img (with a plain file name as `src`), br, hr, table, thead, tbody, tr, th, td and span (class `math`); everything else,
/// HTML in the source included, is escaped text. Time is linear in the input times the nesting, which is bounded by
/// `Limits.markdownDepth`.
package enum Markdown {
    package static func html(_ source: String) -> String {
        let lines = source.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(
            expandTabs)
        var blocks = MarkdownBlocks(depth: 0)
        return blocks.render(lines[...], tight: false)
    }

    /// Leading tabs as four columns each.
    private static func expandTabs(_ line: Substring) -> Substring {
        guard line.utf8.first == 0x09 || line.utf8.first == 0x20 else { return line }
        var columns = 0
        var rest = line
        while let first = rest.utf8.first, first == 0x09 || first == 0x20 {
            columns += first == 0x09 ? 4 - columns % 4 : 1
            rest = rest.dropFirst()
        }
        return Substring(String(repeating: " ", count: columns) + rest)
    }
}

/// The block structure of a Markdown text.
struct MarkdownBlocks {
    private let depth: Int
    private var html = ""

    init(depth: Int) { self.depth = depth }

    /// HTML of the lines. In a tight list item paragraphs have no tag of their own.
    mutating func render(_ lines: ArraySlice<Substring>, tight: Bool) -> String {
        html = ""
        var rest = lines
        while let line = rest.first {
            if isBlank(line) {
                rest = rest.dropFirst()
            } else if let fence = CodeFence(line) {
                rest = renderFence(fence, rest)
            } else if indent(line) >= 4 {
                rest = renderIndentedCode(rest)
            } else if let (level, title) = heading(line) {
                html += "<h\(level)>\(MarkdownInline.html(title))</h\(level)>\n"
                rest = rest.dropFirst()
            } else if isRule(line) {
                html += "<hr>\n"
                rest = rest.dropFirst()
            } else if depth < Limits.markdownDepth, line.drop(while: { $0 == " " }).hasPrefix(">") {
                rest = renderQuote(rest)
            } else if depth < Limits.markdownDepth, let marker = ListMarker(line) {
                rest = renderList(marker, rest)
            } else if let table = MarkdownTable(rest) {
                html += table.html
                rest = rest.dropFirst(table.lineCount)
            } else {
                rest = renderParagraph(rest, tight: tight)
            }
        }
        return html
    }

    private mutating func renderFence(_ fence: CodeFence, _ lines: ArraySlice<Substring>) -> ArraySlice<
        Substring
    > {
        html += "<pre><code>"
        var rest = lines.dropFirst()
        while let line = rest.first {
            rest = rest.dropFirst()
            if fence.isClosed(by: line) { break }
            html += HTMLText.escape(line.dropFirst(min(fence.indent, indent(line)))) + "\n"
        }
        html += "</code></pre>\n"
        return rest
    }

    private mutating func renderIndentedCode(_ lines: ArraySlice<Substring>) -> ArraySlice<Substring> {
        var code = lines.prefix { isBlank($0) || indent($0) >= 4 }
        while let last = code.last, isBlank(last) { code.removeLast() }
        let text = code.map { HTMLText.escape($0.dropFirst(4)) + "\n" }.joined()
        html += "<pre><code>\(text)</code></pre>\n"
        return lines.dropFirst(code.count)
    }

    private mutating func renderQuote(_ lines: ArraySlice<Substring>) -> ArraySlice<Substring> {
        let quoted = lines.prefix { $0.drop(while: { $0 == " " }).hasPrefix(">") }
        let inner = quoted.map { line -> Substring in
            let content = line.drop(while: { $0 == " " }).dropFirst()
            return content.hasPrefix(" ") ? content.dropFirst() : content
        }
        var blocks = MarkdownBlocks(depth: depth + 1)
        html += "<blockquote>\n\(blocks.render(inner[...], tight: false))</blockquote>\n"
        return lines.dropFirst(quoted.count)
    }

    private mutating func renderParagraph(
        _ lines: ArraySlice<Substring>, tight: Bool
    ) -> ArraySlice<Substring> {
        var text: [Substring] = []
        var rest = lines
        while let line = rest.first, !isBlank(line) {
            if !text.isEmpty {
                if let level = setextLevel(line) {
                    html += "<h\(level)>\(MarkdownInline.html(joined(text)))</h\(level)>\n"
                    return rest.dropFirst()
                }
                if endsParagraph(line) { break }
            }
            text.append(line)
            rest = rest.dropFirst()
        }
        let inline = MarkdownInline.html(joined(text))
        html += tight ? inline + "\n" : "<p>\(inline)</p>\n"
        return rest
    }

    /// Lines of a paragraph without their indentation; two trailing spaces, which mean a line break, are kept.
    private func joined(_ lines: [Substring]) -> String {
        var text = lines.map { String($0.drop(while: { $0 == " " })) }.joined(separator: "\n")
        while text.utf8.last == 0x20 { text.removeLast() }
        return text
    }

    private func endsParagraph(_ line: Substring) -> Bool {
        CodeFence(line) != nil || heading(line) != nil || isRule(line)
            || line.drop(while: { $0 == " " }).hasPrefix(">") || ListMarker(line)?.mayInterrupt == true
    }

    // MARK: Lists

    private mutating func renderList(_ first: ListMarker, _ lines: ArraySlice<Substring>) -> ArraySlice<
        Substring
    > {
        var items: [[Substring]] = []
        var isLoose = false
        var rest = lines
        while let line = rest.first, let marker = ListMarker(line), marker.continues(first), !isRule(line) {
            var item = [line.dropFirst(min(marker.width, line.count))]
            rest = rest.dropFirst()
            while let next = rest.first {
                if isBlank(next) {
                    // Blank lines belong to the item only when indented lines follow.
                    let after = rest.drop(while: isBlank)
                    guard let content = after.first, indent(content) >= marker.width else { break }
                    item += Array(repeating: "", count: after.startIndex - rest.startIndex)
                    rest = after
                } else if indent(next) >= marker.width {
                    item.append(next.dropFirst(marker.width))
                    rest = rest.dropFirst()
                } else if ListMarker(next) == nil, !endsParagraph(next), item.last.map(isBlank) == false {
                    item.append(next)
                    rest = rest.dropFirst()
                } else {
                    break
                }
            }
            isLoose = isLoose || item.contains(where: isBlank)
            items.append(item)
            let after = rest.drop(while: isBlank)
            if after.startIndex != rest.startIndex, let next = after.first.flatMap(ListMarker.init),
                next.continues(first)
            {
                isLoose = true
                rest = after
            }
        }
        let tag = first.isOrdered ? "ol" : "ul"
        html += "<\(tag)>\n"
        for item in items {
            var blocks = MarkdownBlocks(depth: depth + 1)
            html += "<li>\(blocks.render(item[...], tight: !isLoose))</li>\n"
        }
        html += "</\(tag)>\n"
        return rest
    }

    // MARK: Line kinds

    private func heading(_ line: Substring) -> (Int, String)? {
        let text = line.drop(while: { $0 == " " })
        let level = text.prefix { $0 == "#" }.count
        guard (1...6).contains(level) else { return nil }
        var title = text.dropFirst(level)
        guard title.isEmpty || title.hasPrefix(" ") else { return nil }
        while title.hasSuffix(" ") { title.removeLast() }
        let closing = title.reversed().prefix { $0 == "#" }.count
        if closing > 0, title.dropLast(closing).last.map({ $0 == " " }) ?? true {
            title = title.dropLast(closing)
        }
        return (level, words([String(title)]).joined(separator: " "))
    }

    private func setextLevel(_ line: Substring) -> Int? {
        let text = line.drop(while: { $0 == " " })
        let mark = text.prefix { $0 == "=" || $0 == "-" }
        guard !mark.isEmpty, Set(mark).count == 1, isBlank(text.dropFirst(mark.count)) else { return nil }
        return mark.first == "=" ? 1 : 2
    }

    private func isRule(_ line: Substring) -> Bool {
        let marks = line.filter { $0 != " " && $0 != "\t" }
        guard marks.count >= 3, let first = marks.first, "-*_".contains(first) else { return false }
        return marks.allSatisfy { $0 == first }
    }
}

func isBlank(_ line: Substring) -> Bool { line.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } }

private func indent(_ line: Substring) -> Int { line.utf8.prefix { $0 == 0x20 }.count }

/// The opening line of fenced code.
private struct CodeFence {
    let indent: Int
    private let mark: Character
    private let length: Int

    init?(_ line: Substring) {
        let text = line.drop(while: { $0 == " " })
        guard let mark = text.first, mark == "`" || mark == "~" else { return nil }
        let length = text.prefix { $0 == mark }.count
        let spaces = line.count - text.count
        guard length >= 3, spaces < 4, mark == "~" || !text.dropFirst(length).contains("`") else {
            return nil
        }
        self.indent = spaces
        self.mark = mark
        self.length = length
    }

    func isClosed(by line: Substring) -> Bool {
        let text = line.drop(while: { $0 == " " })
        let run = text.prefix { $0 == mark }.count
        return run >= length && isBlank(text.dropFirst(run))
    }
}

/// `- `, `* `, `+ ` or `12. ` at the start of a line.
private struct ListMarker {
    let isOrdered: Bool
    private let kind: Character
    /// Columns up to the item's text.
    let width: Int
    /// Whether it may follow a paragraph without a blank line.
    let mayInterrupt: Bool

    init?(_ line: Substring) {
        let text = line.drop(while: { $0 == " " })
        let spaces = line.count - text.count
        guard spaces < 4, let first = text.first else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let markLength: Int
        if "-*+".contains(first) {
            isOrdered = false
            kind = first
            markLength = 1
        } else {
            guard (1...9).contains(digits.count), let end = text.dropFirst(digits.count).first,
                end == "." || end == ")"
            else { return nil }
            isOrdered = true
            kind = end
            markLength = digits.count + 1
        }
        let content = text.dropFirst(markLength)
        let gap = content.prefix { $0 == " " }.count
        guard content.isEmpty || gap > 0 else { return nil }
        // Five and more spaces begin indented code inside the item.
        width = spaces + markLength + (content.count == gap || gap > 4 ? 1 : gap)
        mayInterrupt = !isBlank(content) && (!isOrdered || digits == "1")
    }

    func continues(_ other: ListMarker) -> Bool { kind == other.kind }
}
