import Gateway
import Matchmaking

/// Measures matchmaking.
enum MatchObservation {
    private static let glicko = Glicko2()

    static func observe(_ match: ProposedMatch, atMs: Int64, in metrics: Metrics) {
        let queue = match.mode.rawValue
        for ticket in match.tickets {
            metrics.observe(
                .matchWait, max(0, Double(atMs) - Double(ticket.createdAtMs)) / 1_000,
                labels: [queue, Metric.ratingBand(ticket.rating.rating)])
        }
        let chance = glicko.expectedScore(of: match.first.rating, against: match.second.rating)
        metrics.observe(.matchQuality, 2 * min(chance, 1 - chance), labels: [queue])
        metrics.observe(
            .matchGap, (match.first.rating.rating - match.second.rating.rating).magnitude, labels: [queue])
    }

    static func count(_ report: MatchTickReport, in metrics: Metrics) {
        metrics.add(.matchWaves)
        metrics.add(.matchCandidates, Double(report.waiting))
        metrics.add(.matchedPairs, Double(report.matched), labels: ["matched"])
        metrics.add(.matchedPairs, Double(report.missed), labels: ["missed"])
        metrics.add(.expiredTickets, Double(report.expired))
        metrics.set(.unmatched, Double(max(0, report.waiting - 2 * report.matched)))
    }
}
