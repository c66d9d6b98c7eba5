import Battles

public enum RoomKind: String, Sendable, Codable, CaseIterable {
    case pair, battle, open
    /// One document of a service account, for the users of somebody else's product.
    case hosted
}

public enum RoomVisibility: String, Sendable, Codable { case `private`, unlisted, `public` }

/// When watchers see the players' text.
public enum SpectatorDelay: Sendable, Equatable, Codable {
    case seconds(Int)
    /// Not before the battle is over.
    case end

    /// Nil for `end`; a week at most.
    var milliseconds: Int64? {
        guard case .seconds(let seconds) = self else { return nil }
        return Int64(min(max(seconds, 0), 604_800)) * 1_000
    }
}

/// Someone who writes in the room: a player of a battle, or a member of a pair room.
public struct Participant: Sendable, Equatable, Codable {
    public var userID: String
    public var handle: String
    public var language: String

    public init(userID: String, handle: String, language: String) {
        self.userID = userID
        self.handle = handle
        self.language = language
    }
}

/// What a room is, apart from what was written in it.
public struct RoomSpecification: Sendable, Equatable, Codable {
    public var id: String
    public var kind: RoomKind
    public var visibility: RoomVisibility
    public var ownerID: String
    public var problemID: String?
    /// The language of the room's first file.
    public var language: String
    public var participants: [Participant]
    public var rated: Bool
    public var spectatorDelay: SpectatorDelay
    public var rules: BattleRules
    /// Rises when history was lost or replaced; never on restart.
    public var epoch: Int64
    public var createdAtMs: Int64
    /// When its owner closed it: from then on it is read only.
    public var archivedAtMs: Int64?
    /// What a service account calls its document; nil in other rooms.
    public var name: String?

    public init(
        id: String, kind: RoomKind, visibility: RoomVisibility, ownerID: String, problemID: String? = nil,
        language: String, participants: [Participant], rated: Bool = false,
        spectatorDelay: SpectatorDelay = .seconds(15), rules: BattleRules = BattleRules(), epoch: Int64 = 1,
        createdAtMs: Int64, name: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.visibility = visibility
        self.ownerID = ownerID
        self.problemID = problemID
        self.language = language
        self.participants = participants
        self.rated = rated
        self.spectatorDelay = spectatorDelay
        self.rules = rules
        self.epoch = epoch
        self.createdAtMs = createdAtMs
        self.name = name
    }

    public var isArchived: Bool { archivedAtMs != nil }
    /// Whether the room is one document and nothing else: no state, no chat, no first file.
    public var isBare: Bool { kind == .open || kind == .hosted }

    public func participant(_ userID: String) -> Participant? {
        participants.first { $0.userID == userID }
    }

    /// The documents that exist in such a room.
    public var documentNames: [String] {
        switch kind {
        case .open, .hosted: [DocumentName.main]
        case .pair: [DocumentName.main, DocumentName.state, DocumentName.chat]
        case .battle:
            participants.map { DocumentName.player($0.userID) } + [
                DocumentName.state, DocumentName.chat, DocumentName.watchersChat,
            ]
        }
    }
}

/// Names of a room's documents.
public enum DocumentName {
    public static let main = "main"
    public static let state = "state"
    public static let chat = "chat"
    public static let watchersChat = "chat-watchers"

    public static func player(_ userID: String) -> String { "player-\(userID)" }

    public static func isChat(_ name: String) -> Bool { name == chat || name == watchersChat }

    /// Whether only the server writes there.
    public static func isServerWritten(_ name: String) -> Bool {
        name == state || isChat(name)
    }
}
