import Problems

/// What a folder below `submissions/` promises of the programs in it.
public struct Expectation: Sendable, Equatable {
    /// Verdicts of which one test at least must have one; empty when none is asked for.
    var required: Set<Verdict> = []
    /// Verdicts that tests may have; nil for all.
    var permitted: Set<Verdict>?
    /// Whether the whole must be accepted (true), must not be (false), or either.
    var mustBeAccepted: Bool?
    /// Whether the score must stay below the highest one.
    var isPartial = false

    /// Whether the promise speaks of every test, so that judging must not end at the first that fails.
    var needsAllTests: Bool { permitted != nil || (isPartial && mustBeAccepted != true) }

    /// The promise of a folder of the package format or of common tools; nil for others.
    ///
    /// A program under `run_time_error` may also run out of memory or write too much: which of them ends it first is
    /// the sandbox's business. `slow_accepted` is right, though perhaps too slow here.
    static func of(folder: String, isScoring: Bool) -> Expectation? {
        let crashes: Set<Verdict> = [.runTimeError, .memoryLimitExceeded, .outputLimitExceeded]
        switch folder {
        case "accepted": return Expectation(mustBeAccepted: true)
        case "wrong_answer": return Expectation(required: [.wrongAnswer])
        case "time_limit_exceeded": return Expectation(required: [.timeLimitExceeded])
        case "run_time_error": return Expectation(required: crashes)
        case "slow_accepted": return Expectation(permitted: [.accepted, .timeLimitExceeded])
        case "partially_accepted":
            return isScoring
                ? Expectation(mustBeAccepted: true, isPartial: true)
                : Expectation(required: [.accepted], mustBeAccepted: false, isPartial: true)
        case "rejected": return Expectation(mustBeAccepted: false)
        case "brute_force":
            let failures = crashes.union([.timeLimitExceeded])
            return Expectation(
                required: failures, permitted: failures.union([.accepted]), mustBeAccepted: false)
        default: return nil
        }
    }

    /// Whether more tests could still make a broken promise good.
    func isOpen(_ verdicts: Set<Verdict>) -> Bool {
        needsAllTests || (!required.isEmpty && required.isDisjoint(with: verdicts))
    }

    /// Why the results break the promise; nil when they keep it.
    ///
    /// - Parameters:
    ///   - verdicts: those of all tests that were run.
    func violation(by judgement: Judgement, verdicts: Set<Verdict>, maxScore: Double?) -> String? {
        if judgement.verdict == .judgeError || verdicts.contains(.judgeError) { return "the judge failed" }
        if judgement.verdict == .compileError { return "it does not compile" }
        if mustBeAccepted == true, judgement.verdict != .accepted { return "it is not accepted" }
        if mustBeAccepted == false, judgement.verdict == .accepted { return "it is accepted" }
        if !required.isEmpty, required.isDisjoint(with: verdicts) {
            return "no test gives \(Self.list(required))"
        }
        if let permitted, !verdicts.isSubset(of: permitted) {
            return "a test gives \(Self.list(verdicts.subtracting(permitted)))"
        }
        if isPartial, mustBeAccepted == true, let maxScore, judgement.score >= maxScore {
            return "it has the highest score"
        }
        return nil
    }

    private static func list(_ verdicts: Set<Verdict>) -> String {
        Verdict.allCases.filter(verdicts.contains).map(\.rawValue).joined(separator: " or ")
    }
}
