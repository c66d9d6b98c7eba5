/// The Glicko-2 rating system (M. Glickman, "Example of the Glicko-2 system", 2013, revised 2022).
///
/// Every game is a rating period of its own, rated at once; the growth of the deviation that the paper adds once a
/// period is added for the time that passed since the last game, fractions of a period included. All results are
/// finite and inside the bounds of `Parameters`, whatever comes in.
public struct Glicko2: Sendable {
    public struct Parameters: Sendable, Equatable {
        /// How far the volatility may move; the paper recommends 0.3 … 1.2.
        public var tau = 0.5
        /// A rating period: with the initial volatility a deviation of 60 grows to 110 in about a year.
        public var ratingPeriodMs = 403_000_000.0
        public var deviations: ClosedRange<Double> = 45...350
        public var volatilities: ClosedRange<Double> = 0.01...0.1
        public var ratings: ClosedRange<Double> = 100...4_000
        /// What one call of `rate` moves a rating at most.
        public var maximumChange = 700.0

        public init() {}
    }

    /// One game from a player's side.
    public struct Game: Sendable {
        public var opponent: Rating
        /// 1 win, 0.5 draw, 0 loss.
        public var score: Double

        public init(opponent: Rating, score: Double) {
            self.opponent = opponent
            self.score = score
        }
    }

    public let parameters: Parameters

    public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

    /// Glicko points in one unit of the Glicko-2 scale.
    static let scale = 173.7178
    private static let piSquared = Double.pi * Double.pi
    /// The paper's ε of the volatility search.
    private static let tolerance = 0.000_001

    /// The rating after games of one rating period. O(games).
    ///
    /// - Parameters:
    ///   - elapsedPeriods: rating periods since the last change: 1 in the paper's example, 0 for no growth.
    ///   - atMs: becomes `updatedAtMs`.
    public func rate(_ rating: Rating, games: [Game], elapsedPeriods: Double, atMs: Int64) -> Rating {
        let before = sanitised(rating)
        guard !games.isEmpty else { return aged(before, atMs: atMs) }
        let mu = (before.rating - 1_500) / Self.scale
        let phi = before.deviation / Self.scale
        var information = 0.0
        var surprise = 0.0
        for game in games {
            let opponent = sanitised(game.opponent)
            let weight = Self.weight(phi: opponent.deviation / Self.scale)
            let expected = Self.logistic(weight * (mu - (opponent.rating - 1_500) / Self.scale))
            information += weight * weight * expected * (1 - expected)
            surprise += weight * (min(max(game.score, 0), 1) - expected)
        }
        let variance = 1 / max(information, 1e-12)
        let volatility = newVolatility(
            phi: phi, volatility: before.volatility, variance: variance, delta: variance * surprise)
        let grown = phi * phi + max(elapsedPeriods, 0) * volatility * volatility
        let newPhiSquared = 1 / (1 / grown + 1 / variance)
        let change = min(
            max(Self.scale * newPhiSquared * surprise, -parameters.maximumChange), parameters.maximumChange)
        return sanitised(
            Rating(
                rating: before.rating + change, deviation: Self.scale * newPhiSquared.squareRoot(),
                volatility: volatility, updatedAtMs: atMs))
    }

    /// Both ratings after one game that ended now. Symmetric: exchanging the players exchanges the results.
    public func rate(_ a: Rating, against b: Rating, scoreOfFirst: Double, atMs: Int64) -> (Rating, Rating) {
        let newA = rate(
            a, games: [Game(opponent: aged(b, atMs: atMs), score: scoreOfFirst)],
            elapsedPeriods: periods(since: a.updatedAtMs, atMs: atMs), atMs: atMs)
        let newB = rate(
            b, games: [Game(opponent: aged(a, atMs: atMs), score: 1 - scoreOfFirst)],
            elapsedPeriods: periods(since: b.updatedAtMs, atMs: atMs), atMs: atMs)
        return (newA, newB)
    }

    /// The rating as it stands now: its deviation has grown since the last game. `updatedAtMs` stays.
    public func aged(_ rating: Rating, atMs: Int64) -> Rating {
        var aged = sanitised(rating)
        let phi = aged.deviation / Self.scale
        let growth = periods(since: rating.updatedAtMs, atMs: atMs) * aged.volatility * aged.volatility
        aged.deviation = Self.scale * (phi * phi + growth).squareRoot()
        return sanitised(aged)
    }

    /// What the first player is expected to score, both deviations considered.
    public func expectedScore(of a: Rating, against b: Rating) -> Double {
        Self.logistic(Self.pairWeight(a, b) * (a.rating - b.rating) / Self.scale)
    }

    /// The rating gap as the expectation sees it, in points: uncertain ratings count as closer.
    public static func effectiveGap(_ a: Rating, _ b: Rating) -> Double {
        (a.rating - b.rating).magnitude * pairWeight(a, b)
    }

    /// Effective gap of a pair is at least this share of their rating gap.
    static let leastPairWeight = weight(phi: 350 * 1.415 / scale)

    private static func pairWeight(_ a: Rating, _ b: Rating) -> Double {
        let squares = min(a.deviation * a.deviation + b.deviation * b.deviation, 2 * 350 * 350)
        return weight(phi: squares.squareRoot() / scale)
    }

    /// The paper's g(φ).
    private static func weight(phi: Double) -> Double { 1 / (1 + 3 * phi * phi / piSquared).squareRoot() }

    private static func logistic(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }

    private func periods(since updatedAtMs: Int64?, atMs: Int64) -> Double {
        guard let updatedAtMs, atMs > updatedAtMs else { return 0 }
        return (Double(atMs) - Double(updatedAtMs)) / parameters.ratingPeriodMs
    }

    private func sanitised(_ rating: Rating) -> Rating {
        func bounded(_ value: Double, _ range: ClosedRange<Double>, _ fallback: Double) -> Double {
            value.isFinite ? min(max(value, range.lowerBound), range.upperBound) : fallback
        }
        return Rating(
            rating: bounded(rating.rating, parameters.ratings, Rating.initial.rating),
            deviation: bounded(rating.deviation, parameters.deviations, Rating.initial.deviation),
            volatility: bounded(rating.volatility, parameters.volatilities, Rating.initial.volatility),
            updatedAtMs: rating.updatedAtMs)
    }

    /// Step 5 of the paper: the root of f by the Illinois variant of regula falsi, iterations capped.
    private func newVolatility(phi: Double, volatility: Double, variance: Double, delta: Double) -> Double {
        let a = naturalLogarithm(volatility * volatility)
        let tau = parameters.tau
        func f(_ x: Double) -> Double {
            let power = exponential(x)
            let sum = phi * phi + variance + power
            return power * (delta * delta - phi * phi - variance - power) / (2 * sum * sum) - (x - a)
                / (tau * tau)
        }
        var low = a
        var high: Double
        let excess = delta * delta - phi * phi - variance
        if excess > 0 {
            high = naturalLogarithm(excess)
        } else {
            var steps = 1
            while f(a - Double(steps) * tau) < 0, steps < MatchmakingLimits.volatilityIterations {
                steps += 1
            }
            high = a - Double(steps) * tau
        }
        var fLow = f(low)
        var fHigh = f(high)
        var iterations = 0
        while (high - low).magnitude > Self.tolerance, iterations < MatchmakingLimits.volatilityIterations,
            fHigh != fLow
        {
            let middle = low + (low - high) * fLow / (fHigh - fLow)
            let fMiddle = f(middle)
            if fMiddle * fHigh <= 0 {
                low = high
                fLow = fHigh
            } else {
                fLow /= 2
            }
            high = middle
            fHigh = fMiddle
            iterations += 1
        }
        return exponential(low / 2)
    }
}
