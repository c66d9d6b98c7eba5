import ArgumentParser
import CRDT
import Foundation

/// `coduel bench …`: measurements of parts of the system.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure parts of the system.", subcommands: [CRDTBench.self])

    struct CRDTBench: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "crdt", abstract: "Measure the document engine; prints one JSON line.",
            discussion: """
                With a trace: its edits are made one transaction each, then the updates they gave are applied to a
                second document. encode_* and decode_* are the first and the least of seven; each encoding follows
                a change, encode_*_same does not. doc_rss_mb is what a loaded document adds to the process.

                b2: two clients edit apart, N edits each, and exchange. b3: 20 × √N clients make one edit each. conflicts:
                1,000, 2,000, … N clients insert at one place. b4x100: the trace --times over at the beginning.
                Times are wall-clock milliseconds.

                Examples: coduel bench crdt automerge-paper.json.gz
                          coduel bench crdt --bench b3 --n 6000
                """)

        enum Bench: String, ExpressibleByArgument, CaseIterable {
            case b2, b3, b4x100, conflicts
        }

        @Argument(help: ArgumentHelp("A trace as gzipped JSON.", valueName: "trace.json.gz"))
        var trace: String?

        @Option(help: "Another measurement than replaying a trace.")
        var bench: Bench?

        @Option(help: "Size of b2, b3 and conflicts.")
        var n = 1000

        @Option(help: "Repetitions of b2 and b3.")
        var reps = 15

        @Option(help: "How often b4x100 goes through the trace.")
        var times = 100

        func validate() throws {
            guard n > 0, reps > 0, times > 0 else {
                throw ValidationError("--n, --reps and --times are at least 1")
            }
            if trace == nil, bench == nil || bench == .b4x100 { throw ValidationError("a trace is needed") }
        }

        func run() throws {
            switch bench {
            case .b2: print(ConcurrentBench(n: n, repetitions: reps).twoClients().json)
            case .b3: print(ConcurrentBench(n: n, repetitions: reps).manyClients().json)
            case .conflicts: print(ConflictBench(most: n).run().json)
            case .b4x100: print(RepeatedTraceBench(try read(), times: times).run().json)
            case nil: print(TraceBench(try read()).run().json)
            }
        }

        private func read() throws -> EditingTrace {
            if let trace, let read = EditingTrace(file: trace) { return read }
            FileHandle.standardError.write(Data("coduel bench: \(trace ?? "") is no trace\n".utf8))
            throw ExitCode.failure
        }
    }
}
