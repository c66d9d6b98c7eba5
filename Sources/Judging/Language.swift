/// A language of the contract, as far as judging needs to know it; how it is compiled and run is the sandbox's.
public struct Language: Sendable, Equatable {
    public var id: String
    /// The file of a new room, and the name a source is compiled under.
    public var fileName: String
    /// File suffixes of submissions in problem packages.
    public var suffixes: [String]
    /// Kattis's names for it.
    public var aliases: [String]

    public static let all: [Language] = [
        .init(id: "c", fileName: "main.c", suffixes: ["c"], aliases: ["c"]),
        .init(id: "cpp", fileName: "main.cpp", suffixes: ["cpp", "cc", "cxx", "c++"], aliases: ["cpp"]),
        .init(id: "python", fileName: "main.py", suffixes: ["py", "py3"], aliases: ["python3", "python"]),
        .init(
            id: "javascript", fileName: "main.js", suffixes: ["js", "mjs"], aliases: ["javascript", "node"]),
        .init(id: "java", fileName: "main.java", suffixes: ["java"], aliases: ["java"]),
        .init(id: "rust", fileName: "main.rs", suffixes: ["rs"], aliases: ["rust"]),
        .init(id: "go", fileName: "main.go", suffixes: ["go"], aliases: ["go"]),
        .init(id: "swift", fileName: "main.swift", suffixes: ["swift"], aliases: ["swift"]),
    ]

    /// The language with that id or Kattis name.
    public static func named(_ name: String) -> Language? {
        all.first { $0.id == name || $0.aliases.contains(name) }
    }

    /// The language of a file name, by its suffix.
    public static func ofFile(_ name: String) -> Language? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let suffix = name[name.index(after: dot)...].lowercased()
        return all.first { $0.suffixes.contains(suffix) }
    }
}
