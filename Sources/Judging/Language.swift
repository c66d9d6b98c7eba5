import Problems

/// A language as judging and rooms need to know it; how it is compiled and run is the executor's.
public struct Language: Sendable, Equatable {
    public var id: String
    /// For people: `Python 3`.
    public var name: String
    /// The file of a new room, and the name a source is compiled under.
    public var fileName: String
    /// File suffixes of submissions in problem packages, without the dot, in lower case.
    public var suffixes: [String]
    /// Kattis's names for it.
    public var aliases: [String]
    /// What a problem's CPU time and memory limits are multiplied with for programs in it: 1 unless the operator says
    /// otherwise.
    public var timeFactor: Double
    public var memoryFactor: Double

    public init(
        id: String, name: String, fileName: String, suffixes: [String], aliases: [String],
        timeFactor: Double = 1, memoryFactor: Double = 1
    ) {
        self.id = id
        self.name = name
        self.fileName = fileName
        self.suffixes = suffixes
        self.aliases = aliases
        self.timeFactor = timeFactor
        self.memoryFactor = memoryFactor
    }
}

/// The languages of an installation, whether their tools are there or not. It stands once, at the executor; rooms,
/// routes and matchmaking are handed what they need of it.
public struct LanguageTable: Sendable, Equatable {
    /// In the order in which they are shown.
    public let all: [Language]

    /// Of two entries with one id the later holds, at the earlier one's place.
    public init(_ languages: [Language]) {
        var all: [Language] = []
        for language in languages {
            if let index = all.firstIndex(where: { $0.id == language.id }) {
                all[index] = language
            } else {
                all.append(language)
            }
        }
        self.all = all
    }

    /// The language with that id or, failing that, that Kattis name.
    public func named(_ name: String) -> Language? {
        all.first { $0.id == name } ?? all.first { $0.aliases.contains(name) }
    }

    /// Whether solutions of a problem may be written in the language with that id. Names in the problem that are no
    /// language here allow nothing.
    func allows(_ id: String, in problem: Problem) -> Bool {
        problem.allowedLanguages?.contains { named($0)?.id == id } ?? true
    }

    /// The language of a file name, by its suffix.
    public func ofFile(_ name: String) -> Language? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        let suffix = name[name.index(after: dot)...].lowercased()
        return all.first { $0.suffixes.contains(suffix) }
    }

    /// The file that a new room of each language starts with, by id.
    public var fileNames: [String: String] {
        Dictionary(all.map { ($0.id, $0.fileName) }) { first, _ in first }
    }
}

/// What an executor says of one of its languages.
public struct LanguageReport: Sendable, Equatable {
    public var language: Language
    /// First line of what its tool says of its version; nil when it is not available.
    public var version: String?
    /// Why programs in it are not run here; nil when they are.
    public var unavailable: String?

    public init(language: Language, version: String?, unavailable: String?) {
        self.language = language
        self.version = version
        self.unavailable = unavailable
    }
}
