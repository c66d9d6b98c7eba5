/// Named bounds of problem packages. What exceeds one is a fault of the package, never a crash or a cut.
public enum Limits {
    /// Bytes of one YAML file.
    package static let yamlBytes = 32 << 10
    /// Opening brackets in one YAML file, and columns before the content of a line: together they bound how deep
    /// the YAML parser recurses.
    package static let yamlBrackets = 64
    package static let yamlIndent = 64
    /// Faults listed for one package; a last one says that more were left out.
    package static let faults = 100
    /// Bytes of one statement's source.
    package static let statementBytes = 512 << 10
    /// Pictures of a statement, and bytes of one.
    package static let images = 50
    package static let imageBytes = 4 << 20
    /// Bytes of what a converter makes of a statement; nesting and attributes that are kept of it.
    package static let convertedBytes = 4 << 20
    package static let htmlDepth = 60
    package static let htmlAttributeBytes = 2_000
    package static let titleCharacters = 200
    package static let topics = 20
    package static let topicCharacters = 40
    package static let statements = 20
    /// Bytes of one sample's input or answer that a statement shows.
    package static let sampleBytes = 64 << 10
    package static let constants = 100
    package static let constantCharacters = 200
    /// Bytes of an example submission in which constants are still filled in.
    package static let filledBytes = 1 << 20
    /// Bytes of a file that may stand for a link.
    package static let linkBytes = 200
    /// Bytes of one validator or grader, testlib included.
    package static let programBytes = 4 << 20
    /// Arguments of one test, and bytes of them.
    package static let testArguments = 64
    package static let testArgumentBytes = 16 << 10
    /// Runs of one test in a multi-pass problem.
    package static let passes = 64
    package static let testCases = 2_000
    package static let exampleSubmissions = 500
    /// Folders below `data/secret`.
    package static let groupDepth = 8
    /// What a package may ask for at most; more is refused, because a stated limit is honoured or the package is not
    /// taken.
    package static let timeLimitMs = 60_000
    package static let memoryMiB = 4_096
    package static let outputMiB = 64
    package static let codeKiB = 1_024
    /// What a package gets that states nothing.
    package static let defaultTimeLimitMs = 2_000
    package static let defaultMemoryMiB = 1_024
    package static let defaultOutputMiB = 8
    package static let defaultCodeKiB = 128
    /// What a validator gets for one run unless the package states it, and at most.
    package static let defaultValidationSeconds = 10
    package static let validationSeconds = 60
    package static let defaultValidationMemoryMiB = 1_024
    package static let validationMemoryMiB = 3_072
    package static let defaultValidationOutputMiB = 8
    package static let validationOutputMiB = 32
    /// The compile limits every submission gets; a package of 2025-09 that asks for more is refused.
    package static let compileSeconds = 10
    package static let compileMemoryMiB = 2_048
    /// Digits and signs of a number that is still read as one.
    package static let floatCharacters = 4_096
    /// Nesting of quotes and lists in a Markdown statement; deeper markup stays text.
    package static let markdownDepth = 16
    /// Parsed problems kept by the catalogue, and the bytes of test data they may hold together.
    package static let cachedProblems = 64
    package static let cachedBytes = 256 << 20
    /// Published problems looked at when one is picked for a battle.
    package static let pickPages = 20
    /// Problems on one catalogue page.
    package static let pageSize = 100
}
