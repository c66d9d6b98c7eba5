/// Two submissions of different users that look alike.
public struct SimilarPair: Sendable, Equatable {
    public var first: Submission
    public var second: Submission
    /// The part of the smaller fingerprint that the other one holds, 0 to 1.
    public var score: Double
    /// Hashes that both have.
    public var shared: Int
}

/// Compares the submissions to one problem and lists what a person should look at. It proves nothing: short programs are
/// alike by nature.
public enum SimilarityReview {
    /// Pairs with a score of at least `Limits.similarityFrom`, the most alike first, at most `Limits.similarPairs`.
    ///
    /// Of each user the newest accepted submission counts. What more than half of the users have (when there are at least
    /// `Limits.commonUsers`) is the problem's own, as what it includes, and does not count. Expected time is linear in the
    /// sources plus the pairs that share something.
    public static func pairs(of submissions: [Submission]) -> [SimilarPair] {
        let compared = newestAccepted(submissions)
        var prints = compared.map { Fingerprint(source: Array($0.source.utf8)).hashes }
        var owners: [UInt64: [Int]] = [:]
        for (index, hashes) in prints.enumerated() {
            for hash in hashes { owners[hash, default: []].append(index) }
        }
        if compared.count >= Limits.commonUsers {
            let common = Set(owners.filter { 2 * $0.value.count > compared.count }.keys)
            prints = prints.map { $0.subtracting(common) }
            owners = owners.filter { !common.contains($0.key) }
        }
        var shared: [Int: Int] = [:]
        for indices in owners.values where indices.count > 1 {
            for (place, first) in indices.enumerated() {
                for second in indices[(place + 1)...] {
                    shared[min(first, second) * compared.count + max(first, second), default: 0] += 1
                }
            }
        }
        let pairs = shared.compactMap { key, count -> SimilarPair? in
            let (first, second) = key.quotientAndRemainder(dividingBy: compared.count)
            let smaller = min(prints[first].count, prints[second].count)
            guard count >= Limits.similarityLeastShared else { return nil }
            let score = Double(count) / Double(max(1, smaller))
            guard score >= Limits.similarityFrom else { return nil }
            return SimilarPair(first: compared[first], second: compared[second], score: score, shared: count)
        }
        let ordered = pairs.sorted {
            ($0.score, $0.shared, $1.first.id, $1.second.id) > (
                $1.score, $1.shared, $0.first.id, $0.second.id
            )
        }
        return Array(ordered.prefix(Limits.similarPairs))
    }

    private static func newestAccepted(_ submissions: [Submission]) -> [Submission] {
        var newest: [String: Submission] = [:]
        for submission in submissions where submission.judgement?.verdict == .accepted {
            if let other = newest[submission.userID],
                (other.createdAtMs, other.id) >= (submission.createdAtMs, submission.id)
            {
                continue
            }
            newest[submission.userID] = submission
        }
        return newest.values.sorted { $0.id < $1.id }
    }
}
