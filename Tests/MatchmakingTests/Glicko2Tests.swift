import Foundation
import Matchmaking
import TestSupport
import Testing

@Suite struct Glicko2Tests {
    private let glicko = Glicko2()

    /// The worked example of Glickman's paper.
    @Test func paperExample() {
        let player = Rating(rating: 1_500, deviation: 200, volatility: 0.06)
        let games = [(1_400.0, 30.0, 1.0), (1_550, 100, 0), (1_700, 300, 0)].map { rating, deviation, score in
            Glicko2.Game(
                opponent: Rating(rating: rating, deviation: deviation, volatility: 0.06), score: score)
        }
        var parameters = Glicko2.Parameters()
        parameters.deviations = 30...350
        let after = Glicko2(parameters: parameters).rate(player, games: games, elapsedPeriods: 1, atMs: 7)
        #expect(abs(after.rating - 1_464.05) < 0.01)
        #expect(abs(after.deviation - 151.52) < 0.01)
        #expect(abs(after.volatility - 0.059996) < 0.000001)
        #expect(after.updatedAtMs == 7)
    }

    @Test func exchangingThePlayersExchangesTheResults() {
        let a = Rating(rating: 1_720, deviation: 80, volatility: 0.05, updatedAtMs: 0)
        let b = Rating(rating: 1_480, deviation: 200, volatility: 0.07, updatedAtMs: 1_000_000)
        for score in [0.0, 0.5, 1] {
            let (newA, newB) = glicko.rate(a, against: b, scoreOfFirst: score, atMs: 900_000_000)
            let (otherB, otherA) = glicko.rate(b, against: a, scoreOfFirst: 1 - score, atMs: 900_000_000)
            #expect(newA == otherA)
            #expect(newB == otherB)
        }
    }

    @Test func equalPlayersMoveEqually() {
        let (winner, loser) = glicko.rate(.initial, against: .initial, scoreOfFirst: 1, atMs: 1)
        #expect(abs(winner.rating + loser.rating - 3_000) < 1e-9)
        #expect(winner.rating > 1_600)
        #expect(winner.deviation < 350 && winner.deviation == loser.deviation)
        let (a, b) = glicko.rate(.initial, against: .initial, scoreOfFirst: 0.5, atMs: 1)
        #expect(abs(a.rating - 1_500) < 1e-9 && abs(b.rating - 1_500) < 1e-9)
    }

    @Test func deviationGrowsWithAbsenceAndIsBounded() {
        let year: Int64 = 365 * 86_400_000
        let settled = Rating(rating: 1_800, deviation: 60, volatility: 0.06, updatedAtMs: 0)
        #expect(abs(glicko.aged(settled, atMs: year).deviation - 110) < 1)
        #expect(abs(glicko.aged(settled, atMs: 0).deviation - 60) < 1e-9)
        #expect(glicko.aged(settled, atMs: .max).deviation == 350)
        #expect(glicko.aged(settled, atMs: year).rating == 1_800)
        #expect(glicko.aged(.initial, atMs: .max) == .initial, "never played: nothing to grow from")
    }

    @Test func provisionalUntilTheDeviationFalls() {
        var rating = Rating.initial
        var games = 0
        while rating.isProvisional, games < 100 {
            let opponent = Rating(rating: 1_500, deviation: 60, volatility: 0.06)
            rating = glicko.rate(rating, against: opponent, scoreOfFirst: Double(games % 2), atMs: 1).0
            games += 1
        }
        #expect((5...20).contains(games))
    }

    @Test func resultsStayFiniteAndInBounds() {
        var random = SplitMix64(seed: 5)
        let strange: [Double] = [.nan, .infinity, -.infinity, 0, -1, 1e308, 1e-308, 4_000, 100, 350, 45]
        for _ in 0..<5_000 {
            func one() -> Rating {
                Rating(
                    rating: strange.randomElement(using: &random) ?? 0,
                    deviation: strange.randomElement(using: &random) ?? 0,
                    volatility: strange.randomElement(using: &random) ?? 0,
                    updatedAtMs: [nil, 0, .min, .max].randomElement(using: &random) ?? nil)
            }
            let (a, b) = glicko.rate(
                one(), against: one(), scoreOfFirst: strange.randomElement(using: &random) ?? 0, atMs: .max)
            for rating in [a, b] {
                #expect(glicko.parameters.ratings.contains(rating.rating))
                #expect(glicko.parameters.deviations.contains(rating.deviation))
                #expect(glicko.parameters.volatilities.contains(rating.volatility))
            }
        }
    }

    @Test func expectationIsCalibratedByDeviation() {
        let strong = Rating(rating: 1_900, deviation: 45, volatility: 0.06)
        let weak = Rating(rating: 1_500, deviation: 45, volatility: 0.06)
        let unknown = Rating(rating: 1_500, deviation: 350, volatility: 0.06)
        let sure = glicko.expectedScore(of: strong, against: weak)
        let unsure = glicko.expectedScore(of: strong, against: unknown)
        #expect(sure > 0.88 && sure < 0.92)
        #expect(unsure > 0.7 && unsure < sure)
        #expect(abs(sure + glicko.expectedScore(of: weak, against: strong) - 1) < 1e-12)
        #expect(Glicko2.effectiveGap(strong, unknown) < Glicko2.effectiveGap(strong, weak))
    }

    /// A player of known strength ends near it: 400 games against opponents of known rating.
    @Test func ratingsFindTheStrength() {
        var random = SplitMix64(seed: 11)
        var rating = Rating.initial
        for game in 0..<400 {
            let opponent = Rating(
                rating: Double.random(in: 1_500...2_100, using: &random), deviation: 60, volatility: 0.06)
            let truth = Rating(rating: 1_850, deviation: 0, volatility: 0.06)
            let wins =
                Double.random(in: 0..<1, using: &random) < glicko.expectedScore(of: truth, against: opponent)
            let at = Int64(game) * 86_400_000
            rating = glicko.rate(rating, against: opponent, scoreOfFirst: wins ? 1 : 0, atMs: at).0
        }
        #expect(abs(rating.rating - 1_850) < 120)
        #expect(rating.deviation < 80)
    }

    @Test func ownFunctionsAgreeWithThePlatform() {
        var random = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            let x = Double.random(in: -60...60, using: &random)
            #expect(abs(exponential(x) / exp(x) - 1) < 4e-15)
            let y = exp(x)
            #expect(abs(naturalLogarithm(y) - log(y)) <= 4e-16 * max(abs(log(y)), 1))
        }
        #expect(exponential(0) == 1 && naturalLogarithm(1) == 0)
        #expect(exponential(.infinity).isFinite && exponential(-.infinity) > 0)
        #expect(naturalLogarithm(0).isNaN && naturalLogarithm(-1).isNaN && naturalLogarithm(.infinity).isNaN)
    }
}
