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
    /// Measured with the package's submissions.
    case inferred
    /// None of these (yet): the system's default.
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
    /// What both sides say in an interactive or multi-pass problem (`<` and `>` begin the lines), in place of both.
    public var interaction: String?

    public init(input: String, answer: String, interaction: String? = nil) {
        self.input = input
        self.answer = answer
        self.interaction = interaction
    }
}

/// What a score that the validator gives is worth in a test.
public enum ScoreRule: Sendable, Equatable {
    /// Nothing: the test's group scores it.
    case ignored
    /// It counts, whatever it is, where there is one (legacy).
    case optional
    /// To give one is a judge error.
    case forbidden
    /// `score.txt` from 0 to this, or `score_multiplier.txt` of it; this without either.
    case upTo(Double)
    /// `score.txt` must be there when the test is accepted.
    case required
}

/// One test of a problem.
public struct TestCase: Sendable, Equatable {
    /// Path below `data/` without suffix: `sample/1`, `secret/group1/03-large`.
    public var name: String
    public var input: [UInt8]
    public var answer: [UInt8]
    /// What the arguments mean to the default validator.
    public var validator: ValidatorFlags
    /// Arguments of the package's own validator.
    public var validatorArguments: [String]
    /// Command-line arguments of the submission.
    public var arguments: [String]
    /// Files the submission finds in its working folder.
    public var files: [String: [UInt8]]
    public var scoreRule: ScoreRule
    /// The static validator judges the submission's source here, with `validatorArguments`; nothing is run.
    public var isStatic: Bool

    public init(
        name: String, input: [UInt8], answer: [UInt8], validator: ValidatorFlags,
        validatorArguments: [String] = [], arguments: [String] = [], files: [String: [UInt8]] = [:],
        scoreRule: ScoreRule = .ignored, isStatic: Bool = false
    ) {
        self.name = name
        self.input = input
        self.answer = answer
        self.validator = validator
        self.validatorArguments = validatorArguments
        self.arguments = arguments
        self.files = files
        self.scoreRule = scoreRule
        self.isStatic = isStatic
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

/// Factors of an inferred time limit (2025-09, "Problem timing"; legacy, `time_multiplier` and `time_safety_margin`).
public struct TimingRule: Sendable, Equatable {
    public var acceptedToLimit: Double
    public var limitToExceeded: Double
    public var resolutionSeconds: Double

    public init(acceptedToLimit: Double = 2, limitToExceeded: Double = 1.5, resolutionSeconds: Double = 1) {
        self.acceptedToLimit = acceptedToLimit
        self.limitToExceeded = limitToExceeded
        self.resolutionSeconds = resolutionSeconds
    }

    /// The smallest multiple of the resolution that is `acceptedToLimit` times the slowest accepted run, ms; nil when
    /// that is more than a package may have.
    public func limitMs(slowestAcceptedMs: Int) -> Int? {
        let resolutionMs = max(1, resolutionSeconds * 1000)
        let steps = (Double(slowestAcceptedMs) * acceptedToLimit / resolutionMs).rounded(.up)
        let limit = max(1, steps) * resolutionMs
        return limit <= Double(Limits.timeLimitMs) ? Int(limit.rounded()) : nil
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
    /// The same as HTML that holds only tags of a fixed list; LaTeX is preformatted text until a converter has seen it.
    public var statementHTML: String
    /// Pictures of the statement, by file name.
    public var images: [String: StatementImage]
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
    public var kind: ProblemKind
    /// The package's own output validators, all of which must accept; empty for the default one.
    public var validators: [PackageProgram]
    /// Reads submissions in the tests that are static.
    public var staticValidator: PackageProgram?
    public var validationLimits: ValidationLimits
    /// The grader of the groups that ask for it.
    public var grader: PackageProgram?
    /// Kattis's code of a language, or `default` → files that go with every submission.
    public var includes: [String: [String: [UInt8]]]
    /// How a time limit is inferred that the package does not state.
    public var timing: TimingRule
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
    var testBytes: Int {
        tests.reduce(0) {
            $0 + $1.input.count + $1.answer.count + $1.files.values.reduce(0) { $0 + $1.count }
        }
    }
}
