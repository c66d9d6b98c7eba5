/// Every bound of this module.
public enum Limits {
    /// Webhooks of one owner.
    public static let webhooks = 32
    public static let urlBytes = 2_048
    public static let secretBytes = 16...128
    /// Attempts at one delivery, the first included: about a day in all.
    public static let attempts = 12
    /// Pause before the second attempt, doubled with each; and the longest, ms.
    public static let firstPauseMs: Int64 = 2_000
    public static let longestPauseMs: Int64 = 6 * 3_600_000
    /// Deliveries on their way at once.
    public static let concurrentDeliveries = 16
    /// How often the dispatcher looks for what is due, ms.
    public static let tickMs: Int64 = 200
    /// How often it looks for what another process added, ms.
    public static let reloadMs: Int64 = 5_000
    /// A finished delivery is kept so long, and so many a webhook.
    public static let deliveryMemoryMs: Int64 = 7 * 86_400_000
    public static let deliveriesKept = 1_000
    public static let pruneIntervalMs: Int64 = 3_600_000
    /// Events that wait to be stored; beyond, the oldest are dropped and counted.
    public static let waitingEvents = 10_000
    /// Changes of a room are told when none came for so long, ms, and at the latest so long after the first.
    public static let changeQuietMs: Int64 = 2_000
    public static let changeLatestMs: Int64 = 10_000
    /// A room is told closed when nobody came back for so long, ms.
    public static let closeAfterMs: Int64 = 5_000
    /// Characters of an error that are kept.
    public static let errorLength = 200
}
