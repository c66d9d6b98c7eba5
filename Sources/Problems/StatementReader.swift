/// The problem's texts, and the names they bring.
struct StatementReader {
    let tree: PackageTree
    let metadata: PackageMetadata
    let faults: FaultList

    var folder: String { metadata.format.isLegacy ? "problem_statement" : "statement" }

    /// Statements ordered by language code; empty, with a fault noted, when there is none that can be shown.
    func read() -> [ProblemStatement] {
        var found: [String: ProblemStatement] = [:]
        var onlyPDF: Set<String> = []
        for path in tree.files.keys.sorted() where path.hasPrefix("\(folder)/problem.") {
            guard let (language, suffix) = parseName(path) else { continue }
            guard suffix != "pdf" else {
                onlyPDF.insert(language)
                continue
            }
            guard let source = text(path) else { continue }
            let format: ProblemStatement.Format = suffix == "md" ? .markdown : .latex
            // Of two files for one language the Markdown one can be shown best.
            if found[language]?.format == .markdown, format == .latex { continue }
            let filled = format == .markdown ? fillConstants(source) : source
            found[language] = ProblemStatement(language: language, format: format, source: filled)
        }
        onlyPDF.subtract(found.keys)
        if found.isEmpty {
            faults.add(
                folder,
                onlyPDF.isEmpty
                    ? "holds no statement (problem.LANGUAGE.md or .tex)"
                    : "holds a PDF statement only, which is not supported yet")
        }
        if found.count > Limits.statements {
            faults.add(folder, "holds more than \(Limits.statements) statements")
        }
        if !found.isEmpty { checkNames(languages: Set(found.keys).union(onlyPDF)) }
        return found.values.sorted { $0.language < $1.language }
    }

    /// The English statement, else the first.
    static func preferred(_ statements: [ProblemStatement]) -> ProblemStatement? {
        statements.first { $0.language == "en" } ?? statements.first
    }

    /// Language code → title. Where `problem.yaml` gives none (legacy), the statements name the problem.
    func names(_ statements: [ProblemStatement]) -> [String: String] {
        var names = metadata.names
        if let only = names.removeValue(forKey: "") {
            let language = statements.contains { $0.language == "en" } ? "en" : statements.first?.language
            names[language ?? "en"] = only
        }
        guard names.isEmpty else { return names }
        for statement in statements { names[statement.language] = title(in: statement) }
        if names.isEmpty, !statements.isEmpty {
            faults.add(MetadataReader.path, "name is missing, and no statement names the problem")
        }
        return names
    }

    private func parseName(_ path: String) -> (language: String, suffix: String)? {
        let name = path.dropFirst("\(folder)/problem.".count)
        guard !name.contains("/") else { return nil }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let suffix = parts.last, ["md", "tex", "pdf"].contains(suffix) else { return nil }
        switch parts.count {
        case 1 where metadata.format != .version2025: return ("en", suffix)
        case 2 where isLanguageCode(parts[0]): return (parts[0], suffix)
        default:
            faults.add(path, "must be named problem.LANGUAGE.\(suffix)")
            return nil
        }
    }

    private func text(_ path: String) -> String? {
        guard let bytes = tree.files[path] else { return nil }
        guard bytes.count <= Limits.statementBytes else {
            faults.add(path, "is larger than \(Limits.statementBytes) bytes")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            faults.add(path, "is not UTF-8 text")
            return nil
        }
        return text
    }

    private func fillConstants(_ source: String) -> String {
        Constants(metadata.constants).fill(source)
    }

    /// 2025-09: names and statements must be in the same languages; a plain name means English.
    private func checkNames(languages: Set<String>) {
        guard metadata.format == .version2025, !metadata.names.isEmpty else { return }
        let named = metadata.names.keys.first == "" ? ["en"] : Set(metadata.names.keys)
        for language in languages.subtracting(named).sorted() {
            faults.add(MetadataReader.path, "name has no entry for the statement in \(language)")
        }
        for language in named.subtracting(languages).sorted() {
            faults.add(folder, "holds no statement in \(language), though name has an entry for it")
        }
    }

    private func title(in statement: ProblemStatement) -> String? {
        let lines = statement.source.split(separator: "\n").prefix(2_000)
        var title: String?
        switch statement.format {
        case .markdown:
            title = lines.first { $0.hasPrefix("# ") }.map { String($0.dropFirst(2)) }
        case .latex:
            let plain = "%% plainproblemname:"
            title =
                lines.first { $0.hasPrefix(plain) }.map { String($0.dropFirst(plain.count)) }
                ?? lines.lazy.compactMap { braced($0, after: "\\problemname{") }.first
        }
        let trimmed = words([title ?? ""]).joined(separator: " ")
        return trimmed.isEmpty ? nil : String(trimmed.prefix(Limits.titleCharacters))
    }

    private func braced(_ line: Substring, after command: String) -> String? {
        guard line.hasPrefix(command) else { return nil }
        var depth = 1
        var name = ""
        for character in line.dropFirst(command.count) {
            if character == "{" { depth += 1 }
            if character == "}" { depth -= 1 }
            if depth == 0 { return name }
            name.append(character)
        }
        return nil
    }
}

/// Constant sequences `{{name}}` and `{{name.variant}}` of 2025-09. Unknown ones stay as they are.
struct Constants {
    private let values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    var isEmpty: Bool { values.isEmpty }

    /// Linear in the text plus what is filled in.
    func fill(_ text: String) -> String {
        guard !values.isEmpty, text.utf8.contains(0x7b) else { return text }
        var filled = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            filled += rest[..<open]
            rest = rest[open...]
            // A name is short: looking no further keeps this linear.
            let window = rest.prefix(130)
            if window.hasPrefix("{{"), let close = window.dropFirst(2).firstIndex(of: "}"),
                window[close...].hasPrefix("}}"),
                let value = values[String(window[window.index(window.startIndex, offsetBy: 2)..<close])]
            {
                filled += value
                rest = rest[rest.index(close, offsetBy: 2)...]
            } else {
                filled.append("{")
                rest = rest.dropFirst()
            }
        }
        return filled + rest
    }
}
