/// Ceilings of the adapter; those of a run itself are the helper's (`Sources/sandbox-helper/ceilings.h`).
enum Limits {
    static let slots = 64
    /// Runs that may wait for a slot; one more is refused.
    static let waitingRuns = 1_024
    /// The helper tries its protections before it is ready.
    static let helloTimeoutMs: Int32 = 30_000
    /// Beyond a run's own wall limit until a helper that has not answered counts as dead: setting up, killing
    /// and clearing away are bounded by less in the helper.
    static let answerGraceMs: Int64 = 30_000
    static let compileWallMs: Int64 = 15_000
    static let longestWallMs: Int64 = 120_000
    /// How often the reader looks for answers that are overdue.
    static let overdueCheckMs: Int32 = 2_000
    /// How long `stop` waits for the helper's end.
    static let stopMs: Int = 3_000
    static let versionTextBytes = 200

    /// Compilations kept, and the bytes of their sources, programs and messages together.
    static let cachedCompilations = 256
    static let cachedCompilationBytes = 256 << 20
    /// Programs held as memory files.
    static let heldArtefacts = 32
    static let heldArtefactBytes = 256 << 20

    /// Language files; the helper has the same bounds (`Sources/sandbox-helper/ceilings.h`).
    static let languages = 32
    static let languageFileBytes = 64 << 10
    static let languageTableBytes = 256 << 10
    static let languageArguments = 32
    static let languageVariables = 16
    static let languageMounts = 8
}
