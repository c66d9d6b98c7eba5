/// A Glicko-2 rating on the public (Glicko) scale.
public struct Rating: Sendable, Equatable, Codable {
    public var rating: Double
    public var deviation: Double
    public var volatility: Double
    /// When the rating was last changed by a result, ms since 1970; nil before the first.
    public var updatedAtMs: Int64?

    public init(rating: Double, deviation: Double, volatility: Double, updatedAtMs: Int64? = nil) {
        self.rating = rating
        self.deviation = deviation
        self.volatility = volatility
        self.updatedAtMs = updatedAtMs
    }

    /// Where everyone starts: the defaults of the Glicko-2 paper.
    public static let initial = Rating(rating: 1_500, deviation: 350, volatility: 0.06)

    /// A deviation from which on a rating says too little to be shown as settled.
    public static let provisionalDeviation = 110.0

    public var isProvisional: Bool { deviation >= Self.provisionalDeviation }
}
