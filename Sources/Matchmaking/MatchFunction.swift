/// Two tickets that may play together.
public struct ProposedMatch: Sendable, Equatable {
    /// The longer waiting one.
    public let first: Ticket
    public let second: Ticket
    /// The shared language that both want most.
    public let language: String
    /// Topics both accept; empty: any.
    public let topics: [String]
    /// `Glicko2.effectiveGap` of the two.
    public let gap: Double
    /// What the evaluator minimises: the gap, less a credit for waiting.
    public let cost: Double

    public var tickets: [Ticket] { [first, second] }
    public var mode: MatchMode { first.mode }
    public var rated: Bool { first.rated }
    /// Both agreed to be watched live.
    public var watch: Ticket.Watch { first.watch == .open && second.watch == .open ? .open : .closed }
    public var meanRating: Double { (first.rating.rating + second.rating.rating) / 2 }
}

/// Proposes pairs from the waiting tickets: a pure function of the tickets and the time.
///
/// A ticket accepts an effective gap of `baseGap` at once, `gapPerSecond` more for every second it has waited, and
/// any gap from `anyGapAfterMs` on. A pair needs the consent of **both**, so nobody's patience is forced on somebody
/// new, and any two compatible tickets are proposed once both have waited `anyGapAfterMs`.
public struct MatchFunction: Sendable {
    public struct Widening: Sendable, Equatable {
        public var baseGap = 120.0
        public var gapPerSecond = 20.0
        /// The cap: from here on a ticket plays anyone compatible.
        public var anyGapAfterMs: Int64 = 45_000
        /// Points of gap that a second of waiting is worth when tickets compete for one opponent.
        public var creditPerSecond = 6.0

        public init() {}
    }

    public let widening: Widening

    public init(widening: Widening = Widening()) { self.widening = widening }

    /// The gap a ticket accepts now; infinite from the cap on.
    public func acceptedGap(of ticket: Ticket, atMs: Int64) -> Double {
        let waited = waitedMs(ticket, atMs: atMs)
        if waited >= Double(widening.anyGapAfterMs) { return .infinity }
        return widening.baseGap + widening.gapPerSecond * waited / 1_000
    }

    /// The shared language and topics of two tickets; nil when they cannot play together whatever their ratings.
    public static func agreement(_ a: Ticket, _ b: Ticket) -> (language: String, topics: [String])? {
        guard a.id != b.id, a.userID != b.userID, a.mode == b.mode, a.rated == b.rated else { return nil }
        var best: (rank: Int, language: String)?
        for (rankOfA, language) in a.languages.enumerated() {
            guard let rankOfB = b.languages.firstIndex(of: language) else { continue }
            let candidate = (rank: rankOfA + rankOfB, language: language)
            if best.map({ (candidate.rank, candidate.language) < ($0.rank, $0.language) }) ?? true {
                best = candidate
            }
        }
        guard let best else { return nil }
        if a.topics.isEmpty { return (best.language, b.topics.sorted()) }
        if b.topics.isEmpty { return (best.language, a.topics.sorted()) }
        let shared = a.topics.filter(b.topics.contains).sorted()
        return shared.isEmpty ? nil : (best.language, shared)
    }

    /// Pairs that may be made now; a ticket may stand in several. The order of `tickets` plays no part.
    ///
    /// Each ticket looks at its neighbours by rating, `candidatesPerSide` compatible ones upwards (the others look
    /// upwards at it). O(n log n + n · candidates) where most are compatible, O(n²) cheap checks at worst.
    public func proposals(for tickets: [Ticket], atMs: Int64) -> [ProposedMatch] {
        let entries = tickets.map { Entry($0, accepts: acceptedGap(of: $0, atMs: atMs)) }.sorted()
        var proposals: [ProposedMatch] = []
        var pairs: Set<Pair> = []
        for (place, entry) in entries.enumerated() {
            for step in [1, -1] {
                var found = 0
                var other = place + step
                while entries.indices.contains(other), found < MatchmakingLimits.candidatesPerSide {
                    let candidate = entries[other]
                    let distance = (candidate.ticket.rating.rating - entry.ticket.rating.rating).magnitude
                    if distance * Glicko2.leastPairWeight > entry.accepts { break }
                    if let proposal = proposal(entry, candidate, atMs: atMs) {
                        found += 1
                        if pairs.insert(Pair(min(place, other), max(place, other))).inserted {
                            proposals.append(proposal)
                        }
                    }
                    other += step
                }
            }
        }
        return proposals
    }

    private func proposal(_ a: Entry, _ b: Entry, atMs: Int64) -> ProposedMatch? {
        guard a.mayShareLanguage(with: b), a.mayShareTopic(with: b) else { return nil }
        let gap = Glicko2.effectiveGap(a.ticket.rating, b.ticket.rating)
        guard gap <= min(a.accepts, b.accepts), let agreed = Self.agreement(a.ticket, b.ticket) else {
            return nil
        }
        let isOlder = (a.ticket.createdAtMs, a.ticket.id) < (b.ticket.createdAtMs, b.ticket.id)
        let (first, second) = isOlder ? (a.ticket, b.ticket) : (b.ticket, a.ticket)
        let credit = widening.creditPerSecond * waitedMs(second, atMs: atMs) / 1_000
        return ProposedMatch(
            first: first, second: second, language: agreed.language, topics: agreed.topics, gap: gap,
            cost: gap - credit)
    }

    private func waitedMs(_ ticket: Ticket, atMs: Int64) -> Double {
        max(0, Double(atMs) - Double(ticket.createdAtMs))
    }
}

private struct Pair: Hashable {
    var low: Int
    var high: Int
    init(_ low: Int, _ high: Int) {
        self.low = low
        self.high = high
    }
}

/// A ticket with masks that tell most incompatible pairs apart without comparing strings.
private struct Entry: Comparable {
    let ticket: Ticket
    let accepts: Double
    private let languageMask: UInt64
    private let topicMask: UInt64

    init(_ ticket: Ticket, accepts: Double) {
        self.ticket = ticket
        self.accepts = accepts
        languageMask = Self.mask(ticket.languages)
        topicMask = ticket.topics.isEmpty ? .max : Self.mask(ticket.topics)
    }

    func mayShareLanguage(with other: Entry) -> Bool { languageMask & other.languageMask != 0 }
    func mayShareTopic(with other: Entry) -> Bool { topicMask & other.topicMask != 0 }

    /// One bit a word, by FNV-1a: equal words share their bit, so no shared bit means no shared word.
    private static func mask(_ words: [String]) -> UInt64 {
        words.reduce(0) { mask, word in
            let hash = word.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x100_0000_01b3
            }
            return mask | 1 << (hash >> 58)
        }
    }

    static func == (a: Entry, b: Entry) -> Bool { a.ticket.id == b.ticket.id }
    static func < (a: Entry, b: Entry) -> Bool {
        (a.ticket.rating.rating, a.ticket.createdAtMs, a.ticket.id)
            < (b.ticket.rating.rating, b.ticket.createdAtMs, b.ticket.id)
    }
}
