import ArgumentParser
import Identity
import Judging
import Problems
import Sandbox
import StorageSQLite

/// `coduel problems rejudge`: judges the submissions to a problem anew and shows what would change.
struct RejudgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejudge",
        abstract: "Judge the finished submissions to a problem anew, and show what would change.",
        discussion: """
            Nothing is written without --apply. Works beside a running server.
            Ratings and results of battles stay as they are.

            Examples:
              coduel problems rejudge radar --data ./data
              coduel problems rejudge radar --verdict TLE --apply --data ./data
            """)

    @Argument(help: ArgumentHelp("The problem.", valueName: "id"))
    var problem: String

    @Option(help: "Only submissions that have this verdict.")
    var verdict: String?

    @Flag(help: "Write the differences.")
    var apply = false

    @Option(help: "The data folder.")
    var data = "./data"

    @OptionGroup
    var sandbox: SandboxOptions

    func validate() throws {
        if let verdict, Verdict(rawValue: verdict) == nil {
            throw ValidationError("\(verdict) is no verdict")
        }
    }

    func run() async throws {
        let executor = try sandbox.start(slots: 2)
        defer { executor.stop() }
        if let refusal = executor.refusal { throw CommandFailure([refusal]) }
        let database: CoduelDatabase
        do {
            database = try CoduelDatabase.open(folder: data)
        } catch {
            throw CommandFailure([error.message])
        }
        let environment = IdentityEnvironment.system
        let rejudging = Rejudging(
            executor: executor, store: SubmissionStoreSQLite(database),
            catalogue: ProblemCatalogue(store: ProblemStoreSQLite(database)), now: environment.now,
            newID: environment.newID)
        do throws(JudgingError) {
            let id = try await rejudging.begin(
                problemID: problem, verdict: verdict.flatMap(Verdict.init)
            ).id
            await rejudging.wait(for: id)
            guard let set = await rejudging.set(id) else { return }
            for change in set.differences { print(Self.line(change)) }
            print("\(set.done) judged, \(set.differences.count) differ, \(set.failed) could not be judged")
            if apply, let written = try await rejudging.apply(id) { print("\(written) written") }
        } catch {
            throw CommandFailure([error.message])
        }
        try database.close()
    }

    private static func line(_ change: JudgementChange) -> String {
        let before = "\(change.before.verdict.rawValue) \(change.before.score)"
        return "\(change.submissionID): \(before) -> \(change.after.verdict.rawValue) \(change.after.score)"
    }
}
