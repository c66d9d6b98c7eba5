import Problems

/// The order in which verdicts of several tests are ranked, worst first, where a group asks for its worst error
/// (Kattis problem package format, legacy, "Default grader specification").
extension Verdict {
    static let worstFirst: [Verdict] = [
        .judgeError, .compileError, .runTimeError, .memoryLimitExceeded, .timeLimitExceeded,
        .outputLimitExceeded,
        .wrongAnswer,
    ]
}

/// A member of a test group as a grader sees it, or what the grader makes of the group.
public struct GroupResult: Sendable, Equatable {
    public var verdict: Verdict
    public var score: Double

    public init(verdict: Verdict, score: Double) {
        self.verdict = verdict
        self.score = score
    }
}

/// Decides which test is run next and what the results come to. A pure state machine: no executor, no clock.
///
/// Tests are taken in the problem's order, samples first. A pass-fail problem ends at its first test that is not
/// accepted, and that test's verdict is the submission's. In a scoring problem each group says whether it goes on after
/// a rejected member, and how verdicts and scores of its members add up. A judge error ends everything at once.
public struct Grader: Sendable {
    public enum Step: Sendable, Equatable {
        /// Run `Problem.tests[index]` and `record` its result.
        case test(Int)
        /// Hand the results of a group's members to the package's grader and `recordGrade` what it says.
        case grade(results: [GroupResult], arguments: [String])
        case done(verdict: Verdict, score: Double)
    }

    private struct Outcome {
        var name: String?
        var verdict: Verdict
        var score: Double
        /// Whether every test in it was run and accepted, whatever the verdict says.
        var isClean: Bool
    }

    private struct Frame {
        var group: TestGroup
        var nextMember = 0
        var outcomes: [Outcome] = []
    }

    private let isScoring: Bool
    private var frames: [Frame]
    private var cleanGroups: Set<String> = []
    private var result: Step?

    public init(_ problem: Problem) {
        isScoring = problem.isScoring
        frames = [Frame(group: problem.root)]
    }

    /// What to do now. Asking again without a `record` gives the same answer.
    public mutating func next() -> Step {
        while result == nil, var frame = frames.last {
            let isStopped =
                !frame.group.continuesAfterReject
                && frame.outcomes.last.map { $0.verdict != .accepted } ?? false
            guard frame.nextMember < frame.group.members.count, !isStopped else {
                if let arguments = frame.group.graderArguments {
                    return .grade(
                        results: counted(frame).map { GroupResult(verdict: $0.verdict, score: $0.score) },
                        arguments: arguments)
                }
                close(frame, as: grade(frame))
                continue
            }
            switch frame.group.members[frame.nextMember] {
            case .test(let index): return .test(index)
            case .group(let group):
                if cleanGroups.isSuperset(of: group.requiredGroups) {
                    frames.append(Frame(group: group))
                } else {
                    frame.nextMember += 1
                    frame.outcomes.append(
                        Outcome(name: group.name, verdict: .wrongAnswer, score: 0, isClean: false))
                    frames[frames.count - 1] = frame
                }
            }
        }
        return result ?? .done(verdict: .judgeError, score: 0)
    }

    /// The verdict of the test that `next` named, and the score its validator gave, if any.
    public mutating func record(_ verdict: Verdict, score given: Double? = nil) {
        guard result == nil, case .test = next(), var frame = frames.popLast() else { return }
        if verdict == .judgeError {
            result = .done(verdict: .judgeError, score: 0)
            return
        }
        frame.nextMember += 1
        let score = given ?? (verdict == .accepted ? frame.group.acceptScore : frame.group.rejectScore)
        frame.outcomes.append(Outcome(verdict: verdict, score: score, isClean: verdict == .accepted))
        frames.append(frame)
    }

    /// What the package's grader made of the group that `next` named.
    public mutating func recordGrade(_ graded: GroupResult) {
        guard result == nil, case .grade = next(), let frame = frames.last else { return }
        if graded.verdict == .judgeError {
            result = .done(verdict: .judgeError, score: 0)
            return
        }
        let score = graded.verdict == .accepted ? graded.score : 0
        close(
            frame,
            as: Outcome(
                name: frame.group.name, verdict: graded.verdict, score: score,
                isClean: frame.outcomes.allSatisfy(\.isClean)))
    }

    /// A group is through: its outcome goes to the group around it.
    private mutating func close(_ frame: Frame, as outcome: Outcome) {
        frames.removeLast()
        if outcome.isClean { cleanGroups.insert(frame.group.name) }
        if var parent = frames.popLast() {
            parent.nextMember += 1
            parent.outcomes.append(outcome)
            frames.append(parent)
        } else {
            let score = isScoring ? outcome.score : (outcome.verdict == .accepted ? 1 : 0)
            result = .done(verdict: outcome.verdict, score: score)
        }
    }

    private func counted(_ frame: Frame) -> [Outcome] {
        frame.group.ignoresSample ? frame.outcomes.filter { $0.name != "sample" } : frame.outcomes
    }

    private func grade(_ frame: Frame) -> Outcome {
        let group = frame.group
        let counted = counted(frame)
        let verdict = verdict(of: counted, group)
        let isClean = frame.outcomes.allSatisfy(\.isClean)
        // The score of what was not accepted is ignored.
        guard verdict == .accepted else {
            return Outcome(name: group.name, verdict: verdict, score: 0, isClean: isClean)
        }
        return Outcome(
            name: group.name, verdict: verdict,
            score: group.scoreWhenAccepted ?? Self.score(counted.map(\.score), group.scoreMode),
            isClean: isClean)
    }

    private func verdict(of outcomes: [Outcome], _ group: TestGroup) -> Verdict {
        let rejected = outcomes.map(\.verdict).filter { $0 != .accepted }
        if rejected.isEmpty || group.verdictMode == .alwaysAccept { return .accepted }
        if group.acceptIfAnyAccepted, rejected.count < outcomes.count { return .accepted }
        switch group.verdictMode {
        case .firstError: return rejected.first ?? .accepted
        default: return Verdict.worstFirst.first { rejected.contains($0) } ?? .judgeError
        }
    }

    private static func score(_ scores: [Double], _ mode: TestGroup.ScoreMode) -> Double {
        switch mode {
        case .sum: scores.reduce(0, +)
        case .avg: scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
        case .min: scores.min() ?? 0
        case .max: scores.max() ?? 0
        }
    }
}
