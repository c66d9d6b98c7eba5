/// Turns a LaTeX statement into HTML; nil when it cannot. What it answers is not trusted.
public typealias StatementConverter = @Sendable (_ statement: ProblemStatement) async -> String?

/// A statement as HTML that is safe to put into a page: only tags of a fixed list are ever written, everything else
/// is escaped text.
enum StatementHTML {
    static func render(_ statement: ProblemStatement, of problem: Problem) -> String {
        switch statement.format {
        case .markdown:
            HTMLSanitiser.clean(Markdown.html(statement.source), imageAddress: problem.imageAddress)
        case .latex: "<pre>" + HTMLText.escape(statement.source) + "</pre>\n"
        }
    }
}

extension Problem {
    /// The problem with its LaTeX statement converted, where it has one and the converter can.
    func converted(by convert: StatementConverter) async -> Problem {
        guard let statement = StatementReader.preferred(statements), statement.format == .latex,
            let html = await convert(statement), html.utf8.count <= Limits.convertedBytes
        else { return self }
        var problem = self
        problem.statementHTML = HTMLSanitiser.clean(html, imageAddress: imageAddress)
        return problem
    }
}

/// Escaping of text for HTML.
enum HTMLText {
    /// Escapes the five characters with a meaning in text or quoted attributes, and drops control characters other
    /// than tab and line feed.
    static func escape(_ text: some StringProtocol) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count + text.utf8.count / 8)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n": escaped.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f: break
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
