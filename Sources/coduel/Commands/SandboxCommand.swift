import ArgumentParser
import Foundation
import Judging
import Problems
import Sandbox

/// `coduel sandbox …`: the judge's sandbox, by hand.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Run programs in the judge's sandbox.", subcommands: [Run.self])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compile and run one program under limits; prints one JSON object.",
            discussion: """
                The verdict is AC when the program ends with exit code 0 and, with --expect, prints what is \
                expected. Time, memory and output limits, crashes and compile errors give TLE, MLE, OLE, RTE \
                and CE; JE is a failure of the sandbox itself, and the only one with exit status 1.

                Examples:
                  coduel sandbox run --language python --source main.py --stdin 1.in
                  coduel sandbox run --language cpp --source main.cpp --expect 1.ans
                  coduel sandbox run --language c --source main.c --time-limit-ms 1000
                """)

        @Option(help: "c, cpp, python, javascript, java, rust, go, swift, or Kattis's name of one.")
        var language: String

        @Option(help: ArgumentHelp("The source file.", valueName: "file"))
        var source: String

        @Option(help: ArgumentHelp("The program's standard input; empty unless given.", valueName: "file"))
        var stdin: String?

        @Option(help: ArgumentHelp("Limit of user and system time of all its processes.", valueName: "ms"))
        var timeLimitMs = 10_000

        @Option(help: ArgumentHelp("Limit of elapsed time; twice the time limit and 1 s.", valueName: "ms"))
        var wallLimitMs: Int?

        @Option(help: ArgumentHelp("Limit of memory of all its processes.", valueName: "mib"))
        var memoryLimitMib = 512

        @Option(help: ArgumentHelp("The expected output, compared token by token.", valueName: "file"))
        var expect: String?

        @Flag(help: "On one line.")
        var json = false

        @OptionGroup
        var sandbox: SandboxOptions

        func validate() throws {
            guard timeLimitMs > 0, timeLimitMs <= 60_000 else {
                throw ValidationError("--time-limit-ms is 1 to 60000.")
            }
            guard (1...120_000).contains(wallLimitMs ?? 1) else {
                throw ValidationError("--wall-limit-ms is 1 to 120000.")
            }
            guard (4...4_096).contains(memoryLimitMib) else {
                throw ValidationError("--memory-limit-mib is 4 to 4096.")
            }
        }

        func run() async throws {
            let program = try Self.read(source)
            let input = try stdin.map(Self.read) ?? []
            let answer = try expect.map(Self.read)
            let executor = try sandbox.start(slots: 1)
            guard let known = executor.languages.named(language) else {
                let all = executor.languages.all.map(\.id).joined(separator: ", ")
                throw ValidationError("Unknown language: \(language). Known are \(all).")
            }
            if let refusal = executor.refusal, !sandbox.allowWeakIsolation {
                throw CommandFailure(["\(refusal); --allow-weak-isolation runs programs all the same"])
            }
            guard executor.installedLanguages().contains(known.id) else {
                let reason = await executor.languageReports().first { $0.language == known }?.unavailable
                throw CommandFailure(["\(known.id) is not installed here: \(reason ?? "its tool is missing")"]
                )
            }
            let compiled = await executor.compile(language: known.id, source: program)
            var report = ExecutionReport(verdict: compiled.verdict, compile: compiled)
            if let program = compiled.program {
                let limits = ExecutionLimits(
                    cpuTimeMs: timeLimitMs, wallTimeMs: wallLimitMs ?? 2 * timeLimitMs + 1_000,
                    memoryBytes: Int64(memoryLimitMib) << 20)
                let execution = await executor.run(program, standardInput: input, limits: limits)
                report.execution = execution
                report.verdict = Self.verdict(of: execution, answer: answer)
            }
            executor.stop()
            try write(report)
        }

        private static func verdict(of execution: ExecutionResult, answer: [UInt8]?) -> Verdict {
            guard let answer, execution.verdict == .accepted else { return execution.verdict }
            let mismatch = OutputComparer.mismatch(
                output: execution.standardOutput, answer: answer, flags: ValidatorFlags())
            return mismatch == nil ? .accepted : .wrongAnswer
        }

        /// Pipes too: `--stdin /dev/stdin`.
        private static func read(_ path: String) throws -> [UInt8] {
            guard let file = FileHandle(forReadingAtPath: path), let content = try? file.readToEnd() ?? Data()
            else {
                throw CommandFailure(["\(path) cannot be read"])
            }
            return [UInt8](content)
        }

        private func write(_ report: ExecutionReport) throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            if !json { encoder.outputFormatting.formUnion([.prettyPrinted, .sortedKeys]) }
            var line = try encoder.encode(report)
            line.append(UInt8(ascii: "\n"))
            try FileHandle.standardOutput.write(contentsOf: line)
            guard report.verdict == .judgeError else { return }
            throw CommandFailure([(report.execution ?? report.compile.execution).detail])
        }
    }
}

/// Where the sandbox comes from, for every command that has one.
struct SandboxOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The helper executable; the one beside this executable.", valueName: "file"))
    var sandboxHelper: String?

    @Option(
        help: ArgumentHelp("A folder of further language files.", valueName: "folder"))
    var languages: [String] = []

    @Flag(help: "Run programs although a protection that matters is missing here.")
    var allowWeakIsolation = false

    /// Starts the helper; call it before giving up privileges.
    func start(slots: Int) throws -> Sandbox {
        let path = sandboxHelper ?? Sandbox.helperPath(besideExecutable: "/proc/self/exe")
        do {
            return try Sandbox.start(
                helperPath: path, slots: slots, languages: Languages(folders: languages),
                allowWeakIsolation: allowWeakIsolation)
        } catch {
            throw CommandFailure([error.message])
        }
    }
}
