/// Chooses among overlapping proposals so that no ticket and no user is in two of them: first as many matches as it
/// finds, then the least total cost. Pure and deterministic.
///
/// Greedy by cost, then bounded local improvement: two neighbours left over on both sides of a match take its two
/// players (one match becomes two), and two matches exchange partners where that is cheaper. Not optimal in general;
/// on a line of ratings it finds the neighbours' pairing. O(p log p + rounds · p · d), p proposals, d a ticket.
public struct MatchEvaluator: Sendable {
    public init() {}

    public func resolve(_ proposals: [ProposedMatch]) -> [ProposedMatch] {
        var choice = Choice(proposals)
        choice.takeGreedily()
        for _ in 0..<MatchmakingLimits.improvementRounds {
            let grew = choice.augment()
            let improved = choice.exchange()
            guard grew || improved else { break }
        }
        return choice.result()
    }
}

private struct Choice {
    /// Users, not tickets: someone with tickets of two modes is matched once a time.
    private var users: [String: Int] = [:]
    private let edges: [ProposedMatch]
    private var ends: [(Int, Int)] = []
    private var edgesOf: [[Int]] = []
    /// The chosen edge of a user.
    private var taken: [Int?] = []

    init(_ proposals: [ProposedMatch]) {
        edges = proposals.sorted {
            ($0.cost, $0.first.id, $0.second.id) < ($1.cost, $1.first.id, $1.second.id)
        }
        for (edge, proposal) in edges.enumerated() {
            let a = number(of: proposal.first.userID)
            let b = number(of: proposal.second.userID)
            ends.append((a, b))
            edgesOf[a].append(edge)
            edgesOf[b].append(edge)
        }
    }

    private mutating func number(of user: String) -> Int {
        if let known = users[user] { return known }
        users[user] = edgesOf.count
        edgesOf.append([])
        taken.append(nil)
        return edgesOf.count - 1
    }

    private func other(_ edge: Int, than user: Int) -> Int {
        ends[edge].0 == user ? ends[edge].1 : ends[edge].0
    }

    private mutating func take(_ edge: Int) {
        taken[ends[edge].0] = edge
        taken[ends[edge].1] = edge
    }

    private mutating func release(_ edge: Int) {
        taken[ends[edge].0] = nil
        taken[ends[edge].1] = nil
    }

    mutating func takeGreedily() {
        for edge in edges.indices where taken[ends[edge].0] == nil && taken[ends[edge].1] == nil {
            take(edge)
        }
    }

    /// u – (a = b) – v with u and v free becomes (u = a), (b = v).
    mutating func augment() -> Bool {
        var grew = false
        for user in edgesOf.indices where taken[user] == nil {
            search: for edge in edgesOf[user] {
                let a = other(edge, than: user)
                guard let middle = taken[a] else {
                    take(edge)
                    grew = true
                    break search
                }
                let b = other(middle, than: a)
                for last in edgesOf[b] {
                    let v = other(last, than: b)
                    guard v != user, taken[v] == nil else { continue }
                    release(middle)
                    take(edge)
                    take(last)
                    grew = true
                    break search
                }
            }
        }
        return grew
    }

    /// (a = b), (c = d) becomes (a = c), (b = d) where that costs less.
    mutating func exchange() -> Bool {
        var improved = false
        for edge in edges.indices {
            let (a, c) = ends[edge]
            guard let first = taken[a], let second = taken[c], first != second else { continue }
            let b = other(first, than: a)
            let d = other(second, than: c)
            guard let cross = edgesOf[b].first(where: { other($0, than: b) == d }) else { continue }
            let before = edges[first].cost + edges[second].cost
            // A margin keeps rounding from exchanging for ever.
            guard edges[edge].cost + edges[cross].cost < before - 1e-6 else { continue }
            release(first)
            release(second)
            take(edge)
            take(cross)
            improved = true
        }
        return improved
    }

    func result() -> [ProposedMatch] {
        edges.indices.filter { taken[ends[$0].0] == $0 }.map { edges[$0] }
    }
}
