/// Measures of judging and of matchmaking.
extension Metric {
    // MARK: The judge
    package static let judgeQueue = Metric(
        "coduel_judge_queue_depth", .gauge, "Submissions and runs that wait for a worker.")
    package static let judgeRunning = Metric(
        "coduel_judge_running", .gauge, "Submissions and runs that workers have in hand.")
    package static let judgeWorkers = Metric(
        "coduel_judge_workers", .gauge, "Jobs that may be worked on at the same time.")
    package static let judgeWait = Metric(
        "coduel_judge_wait_seconds", .histogram, "Time from submission until a worker began.", buckets: waits)
    package static let judgeRun = Metric(
        "coduel_judge_run_seconds", .histogram, "Time a worker had a submission in hand.",
        labels: ["language"], buckets: waits)
    package static let judgeVerdict = Metric(
        "coduel_judge_verdict_seconds", .histogram, "Time from submission to verdict.", buckets: waits)
    package static let verdicts = Metric(
        "coduel_judge_verdicts_total", .counter, "Submissions judged.", labels: ["verdict", "language"])
    package static let judgeFaults = Metric(
        "coduel_judge_faults_total", .counter, "Judge errors and failures of the submission store.")

    package static let sandboxUsable = Metric(
        "coduel_sandbox_usable", .gauge, "Whether programs are run here: 1 or 0.")
    package static let sandboxLayer = Metric(
        "coduel_sandbox_layer_active", .gauge,
        "Whether a protection around guests is there: 1 or 0. Without a required one nothing is judged unless that was allowed.",
        labels: ["layer", "required"])

    // MARK: Matchmaking
    package static let matchWait = Metric(
        "coduel_match_wait_seconds", .histogram, "Time from ticket to match, by the rating of its owner.",
        labels: ["queue", "band"], buckets: waits)
    package static let matchQuality = Metric(
        "coduel_match_quality_ratio", .histogram,
        "Twice the chance of the weaker one to win, as the ratings predict it: 1 is an even match.",
        labels: ["queue"], buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    package static let matchGap = Metric(
        "coduel_match_rating_gap_points", .histogram, "Difference of the ratings of a match.",
        labels: ["queue"], buckets: [25, 50, 100, 150, 200, 300, 400, 600, 1_000])
    package static let unmatched = Metric(
        "coduel_match_unmatched", .gauge, "Tickets that found nobody in the last wave.")
    package static let matchWaves = Metric(
        "coduel_match_waves_total", .counter, "Times the waiting tickets were looked at.")
    package static let matchCandidates = Metric(
        "coduel_match_candidates_total", .counter, "Tickets looked at, once a wave.")
    package static let matchedPairs = Metric(
        "coduel_match_pairs_total", .counter, "Matches made.", labels: ["result"])
    package static let expiredTickets = Metric(
        "coduel_match_expired_total", .counter, "Tickets that nobody was found for in time.")

    /// Ratings by the range they fall into.
    package static func ratingBand(_ rating: Double) -> String {
        switch rating {
        case ..<1_200: "0-1199"
        case ..<1_500: "1200-1499"
        case ..<1_800: "1500-1799"
        case ..<2_100: "1800-2099"
        default: "2100-"
        }
    }
}
