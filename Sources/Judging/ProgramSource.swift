import Problems

/// A program as a compiler takes it: one source file, and others beside it.
public struct ProgramSource: Sendable, Hashable {
    /// A language id of the contract.
    public var language: String
    public var source: [UInt8]
    /// Further files, below the working folder.
    public var files: [String: [UInt8]]
    /// The files as they were before they were arranged for the compiler.
    public var submitted: SubmittedFiles

    public init(
        language: String, source: [UInt8], files: [String: [UInt8]] = [:], submitted: SubmittedFiles
    ) {
        self.language = language
        self.source = source
        self.files = files
        self.submitted = submitted
    }
}

/// A submission's files as its author wrote them, with those that the package includes.
public struct SubmittedFiles: Sendable, Hashable {
    /// Kattis's code of the language: `python3`, `cpp`.
    public var languageCode: String
    /// Where the program starts: the class in Java, else a file's name.
    public var entryPoint: String
    public var files: [String: [UInt8]]

    public init(languageCode: String, entryPoint: String, files: [String: [UInt8]]) {
        self.languageCode = languageCode
        self.entryPoint = entryPoint
        self.files = files
    }
}

/// Why files make no program here.
struct UnusableProgram: Error, Equatable {
    var reason: String
}

/// Arranges the files of a package's program, or of a submission with what the package includes, as one source file
/// with others beside it.
///
/// Several C or C++ files become one translation unit that includes them all, from a folder of their own; other
/// languages start at their entry point (`main.EXT`, in Python also `__main__.py`, else the first by name).
struct ProgramLayout {
    private let languages: LanguageTable

    init(_ languages: LanguageTable) { self.languages = languages }

    private static let partsFolder = "parts/"
    private static let solutionName = "solution"

    /// A program of a package, its language told by the files' suffixes.
    func program(of files: [String: [UInt8]]) throws(UnusableProgram) -> ProgramSource {
        var found: [String: Language] = [:]
        for name in files.keys {
            if let language = languages.ofFile(name) { found[language.id] = language }
        }
        guard let language = found.values.first else {
            throw UnusableProgram(reason: "its language is not known")
        }
        guard found.count == 1 else {
            let names = found.keys.sorted().joined(separator: " and ")
            throw UnusableProgram(reason: "it is written in \(names)")
        }
        guard let entry = entry(of: files, in: language) else {
            throw UnusableProgram(reason: "it has no source file")
        }
        if language.id == "python", isPython2(files[entry] ?? []) {
            throw UnusableProgram(reason: "it is written in Python 2")
        }
        return arrange(files, entry: entry, in: language)
    }

    /// A submission of one file with the files that the package includes for its language.
    func submission(
        language id: String, source: [UInt8], includes: [String: [String: [UInt8]]]
    ) -> ProgramSource {
        guard let language = languages.named(id) else {
            return ProgramSource(
                language: id, source: source,
                submitted: SubmittedFiles(languageCode: id, entryPoint: "main", files: ["main": source]))
        }
        var files = included(includes, for: language)
        guard !files.isEmpty else {
            return arrange([language.fileName: source], entry: language.fileName, in: language)
        }
        let suffix = language.suffixes.first ?? language.id
        let hasDriver = files[language.fileName] != nil
        files[hasDriver ? "\(Self.solutionName).\(suffix)" : language.fileName] = source
        return arrange(files, entry: language.fileName, in: language)
    }

    /// A submission of a package, one file or several, with the included files over its own.
    func submission(
        files: [String: [UInt8]], includes: [String: [String: [UInt8]]]
    ) throws(UnusableProgram) -> ProgramSource {
        let own = try program(of: files)
        guard let language = languages.named(own.language) else { return own }
        let extra = included(includes, for: language)
        if extra.isEmpty { return own }
        if files.count == 1 {
            return submission(language: own.language, source: own.source, includes: includes)
        }
        return try program(of: files.merging(extra) { _, included in included })
    }

    private func included(
        _ includes: [String: [String: [UInt8]]], for language: Language
    ) -> [String: [UInt8]] {
        ([language.id] + language.aliases).reduce(into: includes["default"] ?? [:]) { files, code in
            files.merge(includes[code] ?? [:]) { _, specific in specific }
        }
    }

    private func sources(of files: [String: [UInt8]], in language: Language) -> [String] {
        files.keys.filter { languages.ofFile($0)?.id == language.id }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func entry(of files: [String: [UInt8]], in language: Language) -> String? {
        let sources = sources(of: files, in: language)
        let known = language.id == "python" ? ["__main__.py", "main.py"] : [language.fileName]
        return known.first(where: sources.contains)
            ?? sources.first { $0.lowercased() == language.fileName } ?? sources.first
    }

    private func arrange(
        _ files: [String: [UInt8]], entry: String, in language: Language
    ) -> ProgramSource {
        let sources = sources(of: files, in: language)
        let submitted = SubmittedFiles(
            languageCode: language.aliases.first ?? language.id,
            entryPoint: language.id == "java" ? Self.className(of: entry) : entry, files: files)
        if ["c", "cpp"].contains(language.id), sources.count > 1 {
            let lines = sources.map { "#include \"\(Self.partsFolder)\($0)\"\n" }.joined()
            let parts = Dictionary(uniqueKeysWithValues: files.map { (Self.partsFolder + $0.key, $0.value) })
            return ProgramSource(
                language: language.id, source: Array(lines.utf8), files: parts, submitted: submitted)
        }
        var others = files
        let source = others.removeValue(forKey: entry) ?? []
        // The name under which the source itself is put.
        others[language.fileName] = nil
        return ProgramSource(language: language.id, source: source, files: others, submitted: submitted)
    }

    /// The class that a Java file of that name is for; a room's `main.java` begins with Kattis's default, `Main`.
    private static func className(of file: String) -> String {
        let name = file.split(separator: "/").last ?? ""
        let stem = name.prefix { $0 != "." }
        return stem == "main" ? "Main" : String(stem)
    }

    /// Python 2 and 3 share a suffix; the first line tells them apart (`^#!.*python2`).
    private func isPython2(_ source: [UInt8]) -> Bool {
        let line = String(decoding: source.prefix { $0 != 0x0a }.prefix(1_000), as: UTF8.self)
        return line.hasPrefix("#!") && line.contains("python2")
    }
}
