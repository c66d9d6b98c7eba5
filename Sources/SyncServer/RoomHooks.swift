import Battles
import Rooms

/// What rooms ask of the rest of the system; given at wiring.
public struct RoomHooks: Sendable {
    public struct SpokenVerdict: Sendable {
        public var verdict: String
        public var testsPassed: Int
        public var testsTotal: Int

        public init(verdict: String, testsPassed: Int, testsTotal: Int) {
            self.verdict = verdict
            self.testsPassed = testsPassed
            self.testsTotal = testsTotal
        }
    }

    /// What happens in a room, apart from what is in it.
    public enum Activity: Sendable, Equatable {
        /// The first socket came, or the last one went.
        case occupied(Bool)
        /// Changes are on disk: documents with the last sequence of their changes.
        case changed([String: Int64])

        /// The documents that users changed in these records.
        static func changes(_ records: [LogRecord]) -> [String: Int64] {
            var changed: [String: Int64] = [:]
            for record in records where record.kind == .update && !record.author.isEmpty {
                changed[record.document] = record.sequence
            }
            return changed
        }
    }

    /// Stores a submission's row and queues it; returns the SHA-256 of its source after the row is on disk. Told
    /// twice, it is stored once.
    public var storeSubmission: @Sendable (RoomSpecification, TakenSubmission) async throws -> String
    /// How a submission ended, or nil while it is judged.
    public var verdict: @Sendable (_ submissionID: String) async -> SpokenVerdict?
    /// A battle ended: ratings and leaderboards. Told at least once.
    public var battleFinished: @Sendable (RoomSpecification, BattleResult) async -> Void
    /// Tells a user something outside the room; not those who block whom it is from.
    public var notify: @Sendable (UserNotice) async -> Void
    /// Called on the room's event loop; must not block.
    public var activity: @Sendable (RoomSpecification, Activity) -> Void
    /// For the operator's eyes: the log.
    public var alarm: @Sendable (String) -> Void
    /// For the operator's counts.
    public var observe: @Sendable (RoomEvent) -> Void

    public init(
        storeSubmission: @escaping @Sendable (RoomSpecification, TakenSubmission) async throws -> String,
        verdict: @escaping @Sendable (_ submissionID: String) async -> SpokenVerdict?,
        battleFinished: @escaping @Sendable (RoomSpecification, BattleResult) async -> Void,
        notify: @escaping @Sendable (UserNotice) async -> Void,
        activity: @escaping @Sendable (RoomSpecification, Activity) -> Void = { _, _ in },
        alarm: @escaping @Sendable (String) -> Void, observe: @escaping @Sendable (RoomEvent) -> Void
    ) {
        self.storeSubmission = storeSubmission
        self.verdict = verdict
        self.battleFinished = battleFinished
        self.notify = notify
        self.activity = activity
        self.alarm = alarm
        self.observe = observe
    }
}
