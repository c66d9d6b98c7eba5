import DecoderFuzzing
import Foundation

/// `decoder-fuzz`: damaged and random inputs for every decoder of the engine, until the time is over.
@main enum DecoderFuzz {
    static let usage = """
        Usage: decoder-fuzz --root FOLDER [--seed N] [--seconds S | --inputs COUNT | --input INDEX] [OPTION…]

          --root FOLDER    the repository, whose fixtures are the corpus
          --shared FOLDER  a folder that holds yjs-vectors
          --seed N         default 1; every input is made of the seed and its index
          --seconds S      how long to go on (default 10)
          --inputs COUNT   how many inputs instead
          --input INDEX    only this one
          --verdicts COUNT prints what the engine makes of COUNT inputs, as JSON lines for judge.mjs
          --failures N     how many wrong ones to show before it ends (default 1)
          --trace FILE     keeps the input under way there; removed when nothing trapped
          --show FILE      only shows the input that such a file holds
        """

    static func main() {
        var options: [String: String] = [:]
        var words = CommandLine.arguments.dropFirst()
        while let name = words.popFirst() {
            guard let value = words.popFirst() else {
                print(usage)
                exit(name == "--help" ? 0 : 2)
            }
            options[name] = value
        }
        if let file = options["--show"] {
            print(Trace.entry(at: file)?.description ?? "no input is kept in \(file)")
            exit(0)
        }
        guard let root = options["--root"] else {
            print(usage)
            exit(2)
        }
        exit(run(options, URL(fileURLWithPath: root)))
    }

    private static func run(_ options: [String: String], _ root: URL) -> Int32 {
        let seed = options["--seed"].flatMap(UInt64.init) ?? 1
        let trace = options["--trace"].flatMap { Trace(path: $0) }
        let corpus = Corpus(root: root, shared: options["--shared"].map { URL(fileURLWithPath: $0) })
        var campaign = Campaign(seed: seed, corpus: corpus, trace: trace)
        let most = options["--failures"].flatMap(Int.init) ?? 1
        let first = options["--input"].flatMap(UInt64.init)
        if let count = options["--verdicts"].flatMap(UInt64.init) {
            for index in (first ?? 0)..<(first ?? 0) + count {
                if let verdict = campaign.verdict(index) { print(verdict.json) }
            }
            return 0
        }
        print("decoders: seed \(seed), corpus of \(corpus.count) inputs")
        let last = first ?? options["--inputs"].flatMap(UInt64.init).map { $0 - 1 } ?? .max
        let end = Date().addingTimeInterval(
            options["--inputs"] == nil && first == nil ? options["--seconds"].flatMap(Double.init) ?? 10 : 1e9
        )
        var report = Date().addingTimeInterval(10)
        var index = first ?? 0
        var failures = 0
        while index <= last, Date() < end {
            do throws(Campaign.Failure) { try campaign.run(index) } catch {
                print("FAILED: \(error)")
                failures += 1
                if failures >= most {
                    trace?.remove()
                    return 1
                }
            }
            index += 1
            if Date() >= report {
                print("decoders: \(campaign.tally)")
                fflush(nil)
                report = Date().addingTimeInterval(10)
            }
        }
        trace?.remove()
        print("decoders: seed \(seed), \(campaign.tally), \(failures) went wrong")
        return failures == 0 ? 0 : 1
    }
}
