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
}
