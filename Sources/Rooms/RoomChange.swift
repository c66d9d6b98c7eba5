/// A change of what a room is. The store and the room in memory make it by the same rule.
public enum RoomChange: Sendable, Equatable {
    case visibility(RoomVisibility)
    /// Closed by its owner at that time, or opened again.
    case archived(atMs: Int64?)
    case participantAdded(Participant)
    case participantRemoved(userID: String)

    /// Makes the change; false where there is nothing to change, or the room does not allow it: a battle has the players
    /// it was made for (with others its log would tell another battle), and an owner stays.
    public func apply(to room: inout RoomSpecification) -> Bool {
        let before = room
        switch self {
        case .visibility(let visibility):
            guard room.kind == .pair else { return false }
            room.visibility = visibility
        case .archived(let atMs):
            guard room.kind == .pair, (atMs == nil) != (room.archivedAtMs == nil) else { return false }
            room.archivedAtMs = atMs
        case .participantAdded(let participant):
            guard room.kind == .pair, room.participant(participant.userID) == nil else { return false }
            room.participants.append(participant)
        case .participantRemoved(let userID):
            guard room.kind == .pair, userID != room.ownerID else { return false }
            room.participants.removeAll { $0.userID == userID }
        }
        return room != before
    }
}
