/// Named bounds of judging.
public enum Limits {
    /// Jobs (submissions and runs) that may wait together, and for one user.
    public static let queuedJobs = 1_000
    public static let queuedJobsPerUser = 20
    /// Jobs of one user that are worked on at the same time.
    public static let concurrentJobsPerUser = 2
    /// Wall-clock time that one attempt at a room's submission may take, ms; what is left of it bounds each run.
    public static let battleJudgingMs: Int64 = 60_000
    /// Submissions to a problem that are compared; the pairs listed, how alike they are at least, and the hashes they share
    /// at least; users from which on what most have in common is left out.
    public static let comparedSubmissions = 1_000
    public static let similarPairs = 200
    public static let similarityFrom = 0.5
    public static let similarityLeastShared = 4
    public static let commonUsers = 6
    /// Sets of rejudged submissions kept, and submissions of one.
    public static let rejudgeSets = 8
    public static let rejudgedSubmissions = 1_000
    /// Jobs of higher priority in a row that may overtake a waiting one of a lower.
    public static let jobsBeforeLower = 8
    /// Streams of news: together, for one submission, and news that a slow reader may have waiting.
    public static let watches = 1_000
    public static let watchesPerSubmission = 16
    public static let watchBacklog = 256
    /// What the sandbox gives a run at most (`Sources/sandbox-helper/ceilings.h`): a language's factors lead no further.
    public static let longestCPUMs = 60_000
    public static let largestMemoryBytes: Int64 = 4 << 30
    /// Factors that a language may have.
    public static let languageFactors = 1.0...10.0
    /// Beyond its CPU limit a run goes on for this part of it, percent, and at least `nearLimitMs`: one that ends there is
    /// run once more before it counts as too slow.
    public static let nearLimitPercent = 5
    public static let nearLimitMs = 10
    /// Attempts after which a submission that never came to an end (it took the judge down each time) is given up.
    public static let attempts = 4
    /// Time between two progress reports of one submission, ms.
    public static let progressIntervalMs: Int64 = 250
    /// Compiled validators and graders kept.
    public static let cachedTools = 64
    /// Bytes of a validator's message kept in a judgement, and characters of a fault.
    public static let messageBytes = 4 << 10
    public static let faultCharacters = 2_000
    /// Wall-clock time that a submission has in an interaction beyond that of a run, ms: the validator thinks, too.
    public static let interactionSlackMs = 3_000
    /// Wall-clock time of a validator beyond its CPU time, or beyond the submission it talks with, ms.
    public static let validatorGraceMs = 5_000
    /// Budget of the conversion of one statement.
    public static let converterCPUMs = 10_000
    public static let converterMemoryBytes: Int64 = 512 << 20
    public static let converterOutputBytes = 2 << 20
    /// Budget of a custom grader.
    public static let graderCPUMs = 5_000
    public static let graderOutputBytes = 64 << 10
    /// CPU time of each run that measures an accepted submission of a package without a time limit, ms.
    public static let measuringCPUMs = 20_000
    /// Wall-clock time for measuring a package, ms.
    public static let measuringBudgetMs: Int64 = 180_000
    /// Bytes of compiler output kept in a judgement.
    public static let compileOutputBytes = 64 << 10

    /// Custom runs.
    public static let runSourceBytes = 128 << 10
    public static let runInputBytes = 1 << 20
    public static let runCPUMs = 10_000
    public static let runWallMs = 15_000
    public static let runMemoryBytes: Int64 = 1 << 30
    public static let runOutputBytes = 256 << 10
    /// Runs kept in memory, and for how long after they were asked for.
    public static let runsKept = 256
    public static let runKeptMs: Int64 = 600_000
}
