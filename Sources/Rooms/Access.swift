/// Who is at the door. `userID` is empty for nobody (open rooms).
public struct RoomCaller: Sendable, Equatable {
    public var userID: String
    public var handle: String
    public var sessionID: String
    public var isModerator: Bool
    /// What a service account's token gives in the room it is for.
    public var grant: DocumentAccess?

    public init(
        userID: String, handle: String, sessionID: String, isModerator: Bool = false,
        grant: DocumentAccess? = nil
    ) {
        self.userID = userID
        self.handle = handle
        self.sessionID = sessionID
        self.isModerator = isModerator
        self.grant = grant
    }

    /// A user of a service account's product. Its id is told apart from those of all others by the account's.
    public init(
        userID: String, name: String, of accountID: String, sessionID: String, grant: DocumentAccess
    ) {
        self.init(userID: "\(accountID):\(userID)", handle: name, sessionID: sessionID, grant: grant)
    }

    /// A user's id as clients know it: without the service account it belongs to.
    public static func publicID(_ userID: String) -> String {
        userID.firstIndex(of: ":").map { String(userID[userID.index(after: $0)...]) } ?? userID
    }

    public static let anonymous = RoomCaller(userID: "", handle: "", sessionID: "")
}

/// What a caller may do with one document.
public enum DocumentAccess: String, Sendable, Equatable {
    case none
    /// Reads a shadow that lags by the room's delay.
    case delayedRead
    case read
    case write
}

/// The one rule of who may see and do what. Every way to read (sync, HTTP, replay, submissions) asks here.
public struct AccessPolicy: Sendable {
    public let specification: RoomSpecification
    /// Whether the battle is over; false in other rooms.
    public let battleIsOver: Bool

    public init(specification: RoomSpecification, battleIsOver: Bool) {
        self.specification = specification
        self.battleIsOver = battleIsOver
    }

    /// Whether the caller may know that the room exists.
    public func maySee(_ caller: RoomCaller) -> Bool {
        specification.kind == .open || specification.visibility != .private || caller.isModerator
            || isParticipant(caller) || isHost(caller)
            || (specification.kind == .hosted && caller.grant != nil)
    }

    /// Whether the room is the caller's document: of a service account.
    private func isHost(_ caller: RoomCaller) -> Bool {
        specification.kind == .hosted && !caller.userID.isEmpty && caller.userID == specification.ownerID
    }

    public func isParticipant(_ caller: RoomCaller) -> Bool {
        !caller.userID.isEmpty && specification.participant(caller.userID) != nil
    }

    /// Access to a document of the room; nil where the room has no such document.
    public func access(to document: String, for caller: RoomCaller) -> DocumentAccess? {
        guard specification.documentNames.contains(document) else { return nil }
        guard maySee(caller) else { return DocumentAccess.none }
        let access: DocumentAccess =
            switch specification.kind {
            case .open: .write
            case .hosted:
                isHost(caller) ? .write : caller.grant ?? (caller.isModerator ? .read : .none)
            case .pair: pairAccess(to: document, for: caller)
            case .battle: battleAccess(to: document, for: caller)
            }
        return access == .write && specification.isArchived ? .read : access
    }

    /// Where a caller's chat lines go; nil when the caller may not see the room.
    public func chatDocument(for caller: RoomCaller) -> String? {
        guard !specification.isBare, maySee(caller) else { return nil }
        if specification.kind == .battle && !isParticipant(caller) { return DocumentName.watchersChat }
        return DocumentName.chat
    }

    /// Whether the caller may delete others' lines, mute people and slow the chat down: moderators, and the owner of a
    /// pair room. Players of a battle are not each other's moderators.
    public func mayModerate(_ caller: RoomCaller) -> Bool {
        guard !caller.userID.isEmpty, maySee(caller) else { return false }
        return caller.isModerator || (specification.kind == .pair && caller.userID == specification.ownerID)
    }

    /// Whether the caller may delete a line of a chat document that stands there or in the archive.
    public func mayDelete(_ line: ChatLine, in document: String, _ caller: RoomCaller) -> Bool {
        guard !caller.userID.isEmpty, access(to: document, for: caller) == .read else { return false }
        return line.author.id == caller.userID || mayModerate(caller)
    }

    private func pairAccess(to document: String, for caller: RoomCaller) -> DocumentAccess {
        guard document == DocumentName.main else { return .read }
        if isParticipant(caller) { return .write }
        return specification.visibility == .public || caller.isModerator ? .read : .none
    }

    private func battleAccess(to document: String, for caller: RoomCaller) -> DocumentAccess {
        let isPlayer = isParticipant(caller)
        switch document {
        case DocumentName.state: return .read
        case DocumentName.chat: return isPlayer || battleIsOver || caller.isModerator ? .read : .none
        case DocumentName.watchersChat: return !isPlayer || battleIsOver ? .read : .none
        case DocumentName.player(caller.userID) where isPlayer: return .write
        default:
            if battleIsOver { return .read }
            return isPlayer ? .none : .delayedRead
        }
    }
}
