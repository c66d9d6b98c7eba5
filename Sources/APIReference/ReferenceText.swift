import Yams

extension String {
    /// With the characters escaped that mean something in HTML, in text and in quoted attributes.
    var asHTML: String {
        var result = ""
        result.reserveCapacity(utf8.count)
        for character in unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// One line of CommonMark, of which only `code` is known.
    var asInline: String {
        let parts = split(separator: "`", omittingEmptySubsequences: false)
        // An odd number of backticks leaves the last one as it is.
        let isClosed = parts.count % 2 == 1
        return parts.enumerated().map { index, part in
            let text = String(part).asHTML
            guard index % 2 == 1 else { return text }
            return isClosed || index < parts.count - 1 ? "<code>\(text)</code>" : "`\(text)"
        }.joined()
    }

    /// Paragraphs, divided by empty lines.
    var asParagraphs: String {
        split(separator: "\n").map { "<p>\(String($0).asInline)</p>" }.joined(separator: "\n")
    }
}

/// A YAML node as the JSON it stands for.
enum JSONExample {
    static func text(of node: Node, indent: String = "") -> String {
        let deeper = indent + "  "
        if let mapping = node.mapping {
            let fields = mapping.map { key, value in
                "\(deeper)\(quoted(key.string ?? "")): \(text(of: value, indent: deeper))"
            }
            return fields.isEmpty ? "{}" : "{\n\(fields.joined(separator: ",\n"))\n\(indent)}"
        }
        if let sequence = node.sequence {
            return "[\(sequence.map { text(of: $0, indent: indent) }.joined(separator: ", "))]"
        }
        guard let scalar = node.scalar else { return "null" }
        let isPlain = scalar.style == .plain || scalar.style == .any
        let isLiteral = node.int != nil || node.float != nil || node.bool != nil || node.null != nil
        return isPlain && isLiteral ? scalar.string : quoted(scalar.string)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result + "\""
    }
}
