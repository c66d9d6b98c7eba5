import ArgumentParser
import Glibc
import Identity
import Judging
import PackageFiles
import Problems
import Sandbox
import StorageSQLite

/// `coduel problems …`: problem packages, in the formats of Kattis and the ICPC.
struct ProblemsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "problems", abstract: "Import and check problem packages.",
        subcommands: [Import.self, Verify.self, RejudgeCommand.self, ExportCommand.self])

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put packages, folders or zip files, into the catalogue.",
            discussion: """
                A package with a fault is left out whole, with every fault listed;
                the others are taken, and the exit status is 1. A problem that is
                there already is replaced. Works beside a running server.
                A time limit that a package does not state is measured with its
                accepted submissions, where programs can be run here.

                Examples:
                  coduel problems import fixtures/problems/* --publish --data ./data
                  coduel problems import radar.zip --data ./data
                """)

        @Argument(help: ArgumentHelp("Folders or zip files (.zip, .kpp).", valueName: "path"))
        var paths: [String]

        @Flag(help: "Show the problems at once; otherwise they are drafts.")
        var publish = false

        @Option(help: "The data folder.")
        var data = "./data"

        @OptionGroup
        var sandbox: SandboxOptions

        func run() async throws {
            let database: CoduelDatabase
            do {
                database = try CoduelDatabase.open(folder: data)
            } catch {
                throw CommandFailure([error.message])
            }
            let catalogue = ProblemCatalogue(store: ProblemStoreSQLite(database))
            var failures: [String] = []
            for path in paths {
                do throws(ProblemsError) {
                    let tree = await measured(try PackageFiles.read(path: path))
                    let taken = try await catalogue.importPackages(
                        [tree], publish: publish, atMs: IdentityEnvironment.system.now())
                    for problem in taken { print(ProblemsCommand.printable(Self.line(problem))) }
                } catch {
                    failures += ProblemsCommand.reasons(path, error)
                }
            }
            try database.close()
            guard failures.isEmpty else { throw CommandFailure(failures) }
        }

        /// The package with a measured time limit, where it states none and it can be measured.
        private func measured(_ tree: PackageTree) async -> PackageTree {
            guard let problem = try? PackageParser.parse(tree), problem.timeLimitSource == .assumed,
                problem.submissions.contains(where: { $0.folder == "accepted" }),
                let executor = try? sandbox.start(slots: 2)
            else { return tree }
            defer { executor.stop() }
            guard executor.refusal == nil else { return tree }
            let verifier = PackageVerifier(executor: executor, now: IdentityEnvironment.system.now)
            let measured = await verifier.measureTimeLimit(of: problem, onProgress: VerifyReport.progress)
            VerifyReport.clearProgress()
            guard let measured else { return tree }
            print(
                ProblemsCommand.printable(
                    "\(problem.id): \(measured.slowestSubmission) takes \(measured.slowestMs) ms"))
            return tree.withTimeLimit(ms: measured.limitMs)
        }

        private static func line(_ problem: ImportedProblem) -> String {
            let state = problem.summary.published ? "published" : "draft"
            let assumed =
                problem.timeLimitSource == .assumed ? " (assumed, the package states none)" : ""
            return "\(problem.summary.id): \(problem.summary.title), \(state), \(problem.tests) tests, "
                + "time limit \(problem.timeLimitMs) ms\(assumed)"
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Judge the submissions that packages bring, and compare with what their folders promise.",
            discussion: """
                A submission keeps its promise when it is accepted (accepted), or
                when a test gives WA (wrong_answer), TLE (time_limit_exceeded), or
                RTE, MLE or OLE (run_time_error); slow_accepted may be too slow,
                partially_accepted must miss some points. What cannot be judged
                here is skipped. Exit status 1 when a promise is broken or a
                package has a fault.

                Examples:
                  coduel problems verify fixtures/problems/*
                  coduel problems verify radar.zip
                """)

        @Argument(help: ArgumentHelp("Folders or zip files (.zip, .kpp).", valueName: "path"))
        var paths: [String]

        @OptionGroup
        var sandbox: SandboxOptions

        func run() async throws {
            // Two: a validator talks with the submission.
            let executor = try sandbox.start(slots: 2)
            defer { executor.stop() }
            if let refusal = executor.refusal { throw CommandFailure([refusal]) }
            let verifier = PackageVerifier(executor: executor, now: IdentityEnvironment.system.now)
            var failures: [String] = []
            var checks: [SubmissionCheck] = []
            for path in paths {
                do throws(ProblemsError) {
                    var problem = try PackageParser.parse(PackageFiles.read(path: path))
                    if let measured = await verifier.measureTimeLimit(
                        of: problem, onProgress: VerifyReport.progress)
                    {
                        problem.timeLimitMs = measured.limitMs
                        problem.timeLimitSource = .inferred
                    }
                    VerifyReport.head(problem)
                    checks += await verifier.verify(
                        problem, onProgress: VerifyReport.progress, onCheck: VerifyReport.line)
                } catch {
                    failures += ProblemsCommand.reasons(path, error)
                }
            }
            VerifyReport.total(checks)
            let mismatches = checks.count { if case .mismatch = $0.outcome { true } else { false } }
            if mismatches > 0 {
                failures.append("\(mismatches) submissions do not do what their folders promise")
            }
            guard failures.isEmpty else { throw CommandFailure(failures) }
        }
    }

    /// An error with all its faults, one a line.
    private static func reasons(_ path: String, _ error: ProblemsError) -> [String] {
        (["\(path): \(error.message)"] + error.faults.map { "  \($0)" }).map(printable)
    }

    /// A line without control characters: packages are not trusted with the terminal.
    fileprivate static func printable(_ line: String) -> String {
        String(
            line.unicodeScalars.map {
                $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : Character($0)
            })
    }
}

/// What `problems verify` prints: a line for each submission, and, on a terminal, how far the current one is.
private enum VerifyReport {
    private static let showsProgress = isatty(STDERR_FILENO) == 1
    private static let barWidth = 20
    /// Lines of compiler output shown for a submission that does not compile.
    private static let compilerLines = 5

    static func head(_ problem: Problem) {
        let isStated = ![.assumed, .inferred].contains(problem.timeLimitSource)
        let assumed = isStated ? "" : " (\(problem.timeLimitSource))"
        clearProgress()
        say(
            "\(problem.id): \(problem.title), \(problem.tests.count) tests, \(problem.timeLimitMs) ms\(assumed)"
        )
        if problem.submissions.isEmpty { say("  brings no submissions") }
        flush()
    }

    @Sendable static func progress(path: String, done: Int, total: Int) async {
        guard showsProgress else { return }
        let filled = total > 0 ? barWidth * min(done, total) / total : barWidth
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
        write("\r\u{1b}[K" + ProblemsCommand.printable("  [\(bar)] \(done)/\(total) \(path)"))
    }

    /// Ends a progress line, where there is one.
    static func clearProgress() {
        if showsProgress { write("\r\u{1b}[K") }
    }

    @Sendable static func line(_ check: SubmissionCheck) async {
        clearProgress()
        switch check.outcome {
        case .asExpected: say("  ok        \(check.path)\(detail(check))")
        case .mismatch(let reason):
            say("  MISMATCH  \(check.path): \(reason)\(detail(check))")
            let output = check.judgement?.verdict == .compileError ? check.judgement?.compileOutput ?? "" : ""
            for line in output.split(whereSeparator: \.isNewline).prefix(compilerLines) {
                say("      \(line)")
            }
        case .skipped(let reason): say("  skipped   \(check.path): \(reason)")
        }
        flush()
    }

    static func total(_ checks: [SubmissionCheck]) {
        let good = checks.count { $0.outcome == .asExpected }
        let skipped = checks.count { if case .skipped = $0.outcome { true } else { false } }
        say("\(good) as expected, \(checks.count - good - skipped) not, \(skipped) skipped")
    }

    /// ` — python, WA at secret/3, 4 tests, at most 31 ms`.
    private static func detail(_ check: SubmissionCheck) -> String {
        guard let judgement = check.judgement else { return "" }
        var parts = [check.language ?? "", judgement.verdict.rawValue]
        if let failed = judgement.tests.first(where: { $0.verdict != .accepted }) {
            parts[1] += " at \(failed.name)"
        }
        parts.append("\(judgement.tests.count) tests")
        parts.append("at most \(judgement.tests.map(\.cpuTimeMs).max() ?? 0) ms")
        return " (" + parts.joined(separator: ", ") + ")"
    }

    private static func say(_ line: String) { print(ProblemsCommand.printable(line)) }

    private static func flush() { fflush(nil) }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
