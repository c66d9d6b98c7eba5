/// A table: a header row, a row of dashes, then rows, with cells between bars.
struct MarkdownTable {
    let html: String
    let lineCount: Int

    /// Nil unless the lines begin with a table.
    init?(_ lines: ArraySlice<Substring>) {
        guard let first = lines.first, let second = lines.dropFirst().first, first.contains("|"),
            Self.isDelimiter(second)
        else { return nil }
        let header = Self.cells(first)
        guard header.count == Self.cells(second).count else { return nil }
        let rows = lines.dropFirst(2).prefix { !isBlank($0) && $0.contains("|") }
        var html =
            "<table>\n<thead>\n" + Self.row(header, tag: "th", columns: header.count) + "</thead>\n<tbody>\n"
        for row in rows { html += Self.row(Self.cells(row), tag: "td", columns: header.count) }
        self.html = html + "</tbody>\n</table>\n"
        lineCount = 2 + rows.count
    }

    private static func isDelimiter(_ line: Substring) -> Bool {
        line.contains("-") && line.allSatisfy { "|-: ".contains($0) }
    }

    private static func row(_ cells: [String], tag: String, columns: Int) -> String {
        let inner = cells.prefix(columns).map { "<\(tag)>\(MarkdownInline.html($0))</\(tag)>" }.joined()
        return "<tr>\(inner)</tr>\n"
    }

    /// Cells between the bars; a bar after a backslash is text.
    private static func cells(_ line: Substring) -> [String] {
        var cells: [String] = []
        var cell = ""
        var isEscaped = false
        for character in line {
            if character == "|", !isEscaped {
                cells.append(cell)
                cell = ""
            } else {
                if character == "|", isEscaped { cell.removeLast() }
                cell.append(character)
            }
            isEscaped = character == "\\" && !isEscaped
        }
        cells.append(cell)
        if let first = cells.first, isBlank(first[...]) { cells.removeFirst() }
        if let last = cells.last, isBlank(last[...]) { cells.removeLast() }
        return cells.map { words([$0]).joined(separator: " ") }
    }
}
