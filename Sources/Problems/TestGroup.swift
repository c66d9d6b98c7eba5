/// A node of a problem's test data: `data` itself, `sample`, `secret`, or a folder below. Legacy `testdata.yaml` and
/// `test_group.yaml` of 2025-09 are both reduced to this shape.
public struct TestGroup: Sendable, Equatable {
    public enum Member: Sendable, Equatable {
        /// Index into `Problem.tests`.
        case test(Int)
        case group(TestGroup)
    }

    /// How the verdicts of the members become the group's.
    public enum VerdictMode: String, Sendable {
        case worstError = "worst_error"
        case firstError = "first_error"
        case alwaysAccept = "always_accept"
    }

    /// How the scores of the members become the group's.
    public enum ScoreMode: String, Sendable {
        case sum, avg, min, max
    }

    /// Path below `data/`; empty for the root.
    public var name: String
    public var members: [Member]
    /// Whether judging goes on in this group after a member that was not accepted.
    public var continuesAfterReject: Bool
    public var verdictMode: VerdictMode
    public var scoreMode: ScoreMode
    /// Accepted as soon as any member is.
    public var acceptIfAnyAccepted: Bool
    /// Root only: the first member (the samples) is judged but counts for nothing.
    public var ignoresSample: Bool
    /// Score of an accepted, and of a rejected, test directly in this group.
    public var acceptScore: Double
    public var rejectScore: Double
    /// Score of the whole group when it is accepted, in place of what `scoreMode` gives.
    public var scoreWhenAccepted: Double?
    /// Arguments of the package's grader, when it grades this group; nil for the rules above.
    public var graderArguments: [String]?
    /// Groups whose tests must all have been accepted, else this one is not run and rejected.
    public var requiredGroups: [String]

    public init(
        name: String, members: [Member] = [], continuesAfterReject: Bool = false,
        verdictMode: VerdictMode = .worstError, scoreMode: ScoreMode = .sum,
        acceptIfAnyAccepted: Bool = false,
        ignoresSample: Bool = false, acceptScore: Double = 1, rejectScore: Double = 0,
        scoreWhenAccepted: Double? = nil, graderArguments: [String]? = nil, requiredGroups: [String] = []
    ) {
        self.name = name
        self.members = members
        self.continuesAfterReject = continuesAfterReject
        self.verdictMode = verdictMode
        self.scoreMode = scoreMode
        self.acceptIfAnyAccepted = acceptIfAnyAccepted
        self.ignoresSample = ignoresSample
        self.acceptScore = acceptScore
        self.rejectScore = rejectScore
        self.scoreWhenAccepted = scoreWhenAccepted
        self.graderArguments = graderArguments
        self.requiredGroups = requiredGroups
    }
}
