import ArgumentParser
import Foundation
import Glibc

@main
struct Coduel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coduel",
        abstract: "A server on which people write code together and against each other.",
        discussion: """
            Start a server on this machine, with everything in ./data:

              coduel serve

            See what this machine can isolate, judge a program by hand, look into a Yjs update:

              coduel doctor
              coduel sandbox run --language python --source main.py
              coduel doc apply update.bin --root text:text
            """,
        version: coduelVersion,
        subcommands: Commands.all)

    /// `serve` starts the sandbox helper and gives up root before any other thread exists; so parsing and that step
    /// happen here, on the main thread, and only then does the concurrent part begin.
    static func main() {
        // A peer that went away is an error to handle, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        do {
            let command = try parseAsRoot()
            if let serve = command as? ServeCommand { try serve.prepare() }
            let box = CommandBox(command)
            Task {
                do {
                    try await box.run()
                    Glibc.exit(0)
                } catch {
                    exit(withError: error)
                }
            }
            dispatchMain()
        } catch {
            exit(withError: error)
        }
    }
}

/// Carries the parsed command from the main thread to the task that runs it; touched by nobody else.
private final class CommandBox: @unchecked Sendable {
    private var command: any ParsableCommand

    init(_ command: any ParsableCommand) { self.command = command }

    func run() async throws {
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }
}

let coduelVersion = "0.1.0"
