import Rooms

/// A room as one caller may see it.
struct RoomView: Encodable {
    struct Member: Encodable {
        var id: String
        var handle: String
        var language: String
    }

    private let id: String
    private let kind: RoomKind
    private let visibility: RoomVisibility
    @Nullable private var problemId: String?
    private let language: String
    private let rated: Bool
    private let phase: String
    @Nullable private var winner: String?
    @Nullable private var startedAt: String?
    @Nullable private var deadline: String?
    private let createdAt: String
    @Nullable private var archivedAt: String?
    private let participants: [Member]
    private let documents: [DocumentReply]
    private let spectatorDelayS: Delay?
    private let syncPath: String
    private let epoch: Int64
    private let sequence: Int64

    /// Nil when the caller may not know of the room.
    init?(_ room: Room, _ caller: RoomCaller) {
        let policy = room.policy
        let specification = room.specification
        guard specification.kind != .open, policy.maySee(caller) else { return nil }
        id = specification.id
        kind = specification.kind
        visibility = specification.visibility
        problemId = specification.problemID
        language = specification.language
        rated = specification.rated
        phase = room.phase.rawValue
        winner = room.battle?.winner
        archivedAt = specification.archivedAtMs.map(timestamp)
        startedAt = (room.battle?.startedAtMs).map(timestamp)
        deadline = (room.battle?.deadlineMs).map(timestamp)
        createdAt = timestamp(specification.createdAtMs)
        participants = specification.participants.map {
            Member(id: $0.userID, handle: $0.handle, language: $0.language)
        }
        documents = RoomRoutes.documents(policy, caller)
        spectatorDelayS = specification.kind == .battle ? Delay(delay: specification.spectatorDelay) : nil
        syncPath = "/sync/\(specification.id)"
        epoch = specification.epoch
        sequence = room.sequence
    }

    /// A number of seconds or `"end"`.
    struct Delay: Encodable {
        var delay: SpectatorDelay

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch delay {
            case .seconds(let seconds): try container.encode(seconds)
            case .end: try container.encode("end")
            }
        }
    }
}
