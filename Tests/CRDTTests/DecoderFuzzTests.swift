import DecoderFuzzing
import Foundation
import TestSupport
import Testing

/// Damaged and random inputs for every decoder, in a process of its own: an input that traps ends that
/// process and is told by the trace it left.
@Suite struct DecoderFuzzTests {
    /// Inputs of one run at scale 1; fewer where nothing is optimised.
    #if DEBUG
        static let inputs = 5_000
    #else
        static let inputs = 100_000
    #endif

    @Test func damagedInputs() async throws {
        let random = SeededGenerator()
        let trace = FileManager.default.temporaryDirectory.appendingPathComponent(
            "coduel-fuzz-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: trace) }
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            [
                seed = random.seed as UInt64, path = trace.path as String,
                count = UInt64(Self.inputs * testScale) as UInt64
            ] in
            var campaign = Campaign(
                seed: seed,
                corpus: Corpus(root: repositoryRoot, shared: sharedFolder?.appendingPathComponent("data")),
                trace: Trace(path: path))
            do throws(Campaign.Failure) {
                for index in 0..<count { try campaign.run(index) }
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                exit(1)
            }
            FileHandle.standardError.write(Data("\(campaign.tally)\n".utf8))
            exit(campaign.tally.isSound ? 0 : 1)
        }
        guard result?.exitStatus != .exitCode(0) else { return }
        let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        let input = Trace.entry(at: trace.path)?.description ?? "none was kept"
        Issue.record("\(said)\nthe input under way: \(input)\n\(random)")
    }
}
