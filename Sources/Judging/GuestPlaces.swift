/// How much of the judge those without an account may use: a guest is made in a moment, and many could take all of it.
public struct GuestPlaces: Sendable {
    /// Jobs of all guests that run at the same time.
    public var count: Int
    public var isGuest: @Sendable (_ userID: String) async -> Bool

    public init(count: Int, isGuest: @escaping @Sendable (_ userID: String) async -> Bool) {
        self.count = max(1, count)
        self.isGuest = isGuest
    }

    /// Nobody is a guest.
    public static let unlimited = GuestPlaces(count: .max) { _ in false }

    /// Half of the workers, at least one.
    public static func half(of workers: Int, isGuest: @escaping @Sendable (String) async -> Bool)
        -> GuestPlaces
    {
        GuestPlaces(count: workers / 2, isGuest: isGuest)
    }
}
