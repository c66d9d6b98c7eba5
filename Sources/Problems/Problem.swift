/// A version of the Kattis problem package format.
public enum PackageFormat: String, Sendable, CaseIterable {
    case legacy = "legacy"
    case legacyICPC = "legacy-icpc"
    case draft2023 = "2023-07-draft"
    case version2025 = "2025-09"

    /// Whether the package follows the layout before `problem_format_version` existed.
    public var isLegacy: Bool { self == .legacy || self == .legacyICPC }
}

/// Where a problem's time limit comes from.
public enum TimeLimitSource: String, Sendable {
    /// `limits.time_limit` of `problem.yaml`.
    case stated
    /// `.timelimit` or `domjudge-problem.ini` beside it.
    case sidecar
    /// Neither: the system's default. It is not inferred from the package's submissions.
    case assumed
}

/// One language version of a problem's text.
public struct ProblemStatement: Sendable, Equatable {
    public enum Format: String, Sendable { case markdown, latex }

    /// `en`, `sv`, `pt-BR`, …
    public var language: String
    public var format: Format
    /// The file's text, constants filled in.
    public var source: String

    public init(language: String, format: Format, source: String) {
        self.language = language
        self.format = format
        self.source = source
    }
}

/// What a contestant sees of a sample test.
public struct ProblemSample: Sendable, Equatable {
    public var input: String
    public var answer: String

    public init(input: String, answer: String) {
        self.input = input
        self.answer = answer
    }
}

/// One test of a problem.
public struct TestCase: Sendable, Equatable {
    /// Path below `data/` without suffix: `sample/1`, `secret/group1/03-large`.
    public var name: String
    public var input: [UInt8]
    public var answer: [UInt8]
    public var validator: ValidatorFlags

    public init(name: String, input: [UInt8], answer: [UInt8], validator: ValidatorFlags) {
        self.name = name
        self.input = input
        self.answer = answer
        self.validator = validator
    }
}

/// A solution that a package brings to test itself with.
public struct ExampleSubmission: Sendable, Equatable {
    /// The folder below `submissions/`, which names the expected verdict: `accepted`, `wrong_answer`, …
    public var folder: String
    /// File or folder name below it.
    public var name: String
    /// File name → content; one entry for a submission that is a single file.
    public var files: [String: [UInt8]]

    public init(folder: String, name: String, files: [String: [UInt8]]) {
        self.folder = folder
        self.name = name
        self.files = files
    }
}

/// A parsed problem package: all that judging and showing it need. Built by `PackageParser` only from packages
/// without a fault.
public struct Problem: Sendable, Equatable {
    /// The package's short name.
    public var id: String
    public var title: String
    public var format: PackageFormat
    /// CPU time of one test, ms.
    public var timeLimitMs: Int
    public var timeLimitSource: TimeLimitSource
    public var memoryLimitBytes: Int64
    public var outputLimitBytes: Int
    public var codeLimitBytes: Int
    public var topics: [String]
    /// 1 … 10.
    public var difficulty: Int
    /// Language code → name; one entry at least.
    public var names: [String: String]
    public var statements: [ProblemStatement]
    /// The statement in English, else in the first language: its source (Markdown, or LaTeX as it is).
    public var statementMarkdown: String
    /// The same as HTML that holds only tags of a fixed list; LaTeX is shown as preformatted text.
    public var statementHTML: String
    public var samples: [ProblemSample]
    /// All tests in judging order: samples first, then secret ones, each in lexicographic order of their path.
    public var tests: [TestCase]
    /// The root of the test groups; its members index into `tests`.
    public var root: TestGroup
    public var isScoring: Bool
    /// The highest score of a scoring problem, where its groups bound it; 1 for pass-fail.
    public var maxScore: Double?
    /// Languages a solution may be written in (Kattis's names); nil for all.
    public var allowedLanguages: [String]?
    public var submissions: [ExampleSubmission]
    public var license: String
    public var author: String
    public var source: String
    public var rightsOwner: String

    /// The catalogue's line about this problem.
    public func summary(published: Bool, updatedAtMs: Int64) -> ProblemSummary {
        ProblemSummary(
            id: id, title: title, difficulty: difficulty, topics: topics, published: published,
            updatedAtMs: updatedAtMs)
    }

    /// Bytes of test data this value holds.
    var testBytes: Int { tests.reduce(0) { $0 + $1.input.count + $1.answer.count } }
}
