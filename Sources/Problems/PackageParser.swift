/// Turns the files of a Kattis problem package (legacy, 2023-07-draft, 2025-09) into a `Problem`, or lists everything
/// that is wrong with it.
///
/// Taken: pass-fail and scoring problems with the default or their own output validators, interactive, multi-pass and
/// submit-answer ones, static validators, custom graders, included code, arguments and files of tests. Refused as not
/// supported yet: `build` and `run` scripts, and PDF-only statements. Not required here, though the format requires
/// them: example submissions and input validators. Not read yet: `submissions.yaml`, attachments, solutions.
///
/// Source: https://www.kattis.com/problem-package-format/ (versions legacy and 2025-09).
public struct PackageParser {
    private let tree: PackageTree
    private let faults = FaultList()

    /// The problem of a package. Linear in the package's size; throws `invalidPackage` with every fault found.
    public static func parse(_ tree: PackageTree) throws(ProblemsError) -> Problem {
        try PackageParser(tree: tree).parse()
    }

    private init(tree: PackageTree) { self.tree = tree }

    private func parse() throws(ProblemsError) -> Problem {
        checkShortName()
        guard let metadata = MetadataReader.read(tree, faults: faults) else { throw invalid() }
        let texts = StatementReader(tree: tree, metadata: metadata, faults: faults)
        let statements = texts.read()
        let names = texts.names(statements)
        let data = TestDataReader(tree: tree, metadata: metadata, faults: faults).read()
        let keywords = Keywords(metadata.keywords, faults: faults)
        let (timeLimitMs, timeLimitSource) = timeLimit(metadata)
        let programs = ProgramReader(tree: tree, metadata: metadata, faults: faults)
        let validators = programs.outputValidators()
        let staticValidator = programs.staticValidator()
        let grader = programs.grader()
        let includes = programs.includes()
        let submissions = SubmissionReader(tree: tree, constants: metadata.constants, faults: faults).read()
        guard faults.isEmpty, let statement = StatementReader.preferred(statements), let data else {
            throw invalid()
        }
        var problem = Problem(
            id: tree.shortName,
            title: names["en"] ?? names[statement.language] ?? names.values.sorted().first ?? tree.shortName,
            format: metadata.format, timeLimitMs: timeLimitMs, timeLimitSource: timeLimitSource,
            memoryLimitBytes: Int64(metadata.limits.memoryMiB ?? Limits.defaultMemoryMiB) << 20,
            outputLimitBytes: (metadata.limits.outputMiB ?? Limits.defaultOutputMiB) << 20,
            codeLimitBytes: (metadata.limits.codeKiB ?? Limits.defaultCodeKiB) << 10,
            topics: keywords.topics, difficulty: keywords.difficulty, names: names, statements: statements,
            statementMarkdown: statement.source, statementHTML: "", images: texts.images(),
            samples: data.samples, tests: data.tests, root: data.root, isScoring: metadata.isScoring,
            maxScore: data.maxScore, allowedLanguages: metadata.allowedLanguages, submissions: submissions,
            kind: metadata.kind, validators: validators, staticValidator: staticValidator,
            validationLimits: metadata.limits.validation,
            grader: grader, includes: includes, timing: metadata.limits.timing,
            license: metadata.license, author: metadata.author, source: metadata.source,
            rightsOwner: metadata.rightsOwner)
        problem.statementHTML = StatementHTML.render(statement, of: problem)
        return problem
    }

    private func invalid() -> ProblemsError {
        ProblemsError(
            code: .invalidPackage, message: "the package \(tree.shortName.forMessage) is not valid",
            faults: faults.listed)
    }

    /// The format allows lower-case letters and digits only.
    private func checkShortName() {
        let name = tree.shortName.utf8
        if !(1...64).contains(name.count)
            || !name.allSatisfy({ (0x61...0x7a).contains($0) || isASCIIDigit($0) })
        {
            faults.add("", "the package's name must be 1 to 64 lower-case letters and digits")
        }
    }

    private func timeLimit(_ metadata: PackageMetadata) -> (Int, TimeLimitSource) {
        if let stated = metadata.limits.timeLimitMs { return (stated, .stated) }
        for path in [".timelimit", "domjudge-problem.ini"] {
            guard let bytes = tree.files[path] else { continue }
            if let limit = TimeLimitFile.milliseconds(bytes, isIni: path != ".timelimit") {
                return (limit, .sidecar)
            }
            // The ini file need not name a limit.
            if path == ".timelimit" {
                faults.add(path, "must hold a number of seconds, at most \(Limits.timeLimitMs / 1000)")
            }
        }
        return (Limits.defaultTimeLimitMs, .assumed)
    }
}

/// The files in which contest systems keep a time limit beside a package.
enum TimeLimitFile {
    /// Milliseconds; nil when the file names no usable limit. The ini form is a line `timelimit = '2.5'`.
    static func milliseconds(_ bytes: [UInt8], isIni: Bool) -> Int? {
        guard bytes.count <= Limits.yamlBytes else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard isIni else { return milliseconds(text) }
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2, words([String(parts[0])]) == ["timelimit"] {
                return milliseconds(String(parts[1]))
            }
        }
        return nil
    }

    private static func milliseconds(_ text: String) -> Int? {
        let number = text.filter { !$0.isWhitespace && $0 != "'" && $0 != "\"" }
        guard let seconds = DecimalFloat.parse(number.utf8), seconds > 0,
            seconds * 1000 <= Double(Limits.timeLimitMs)
        else { return nil }
        return max(1, Int((seconds * 1000).rounded()))
    }
}

/// `difficulty:N` and the topics among a package's keywords.
struct Keywords {
    var topics: [String] = []
    /// 5 unless stated.
    var difficulty = 5

    init(_ keywords: [String], faults: FaultList) {
        for keyword in keywords where !keyword.isEmpty {
            if keyword.hasPrefix("difficulty:") {
                guard let value = Int(keyword.dropFirst("difficulty:".count)), (1...10).contains(value) else {
                    faults.add(MetadataReader.path, "keywords: difficulty must be 1 to 10")
                    continue
                }
                difficulty = value
            } else if keyword.count > Limits.topicCharacters
                || keyword.unicodeScalars.contains(where: { $0.value < 32 })
            {
                faults.add(
                    MetadataReader.path, "keywords: a word has at most \(Limits.topicCharacters) characters")
            } else if !topics.contains(keyword), topics.count < Limits.topics {
                topics.append(keyword)
            }
        }
    }
}

/// The package's own solutions.
struct SubmissionReader {
    let tree: PackageTree
    let constants: [String: String]
    let faults: FaultList

    /// Ordered by folder, then name.
    func read() -> [ExampleSubmission] {
        var found: [String: ExampleSubmission] = [:]
        for (path, bytes) in tree.files where path.hasPrefix("submissions/") {
            let parts = path.split(separator: "/", maxSplits: 3).map(String.init)
            guard parts.count >= 3 else { continue }
            let file = parts.count == 3 ? parts[2] : parts[3]
            found["\(parts[1])/\(parts[2])", default: .init(folder: parts[1], name: parts[2], files: [:])]
                .files[file] = Constants(constants).fill(bytes)
        }
        if found.count > Limits.exampleSubmissions {
            faults.add("submissions", "holds more than \(Limits.exampleSubmissions) submissions")
        }
        return found.values.sorted { ($0.folder, $0.name) < ($1.folder, $1.name) }
    }

}
