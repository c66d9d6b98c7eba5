/// What is on its way in one chat document. Lines are found by id when a write is planned: where they stand may have
/// changed by then.
struct ChatState {
    /// Lines to be put in the place of those with their ids, and those that are on their way to disk.
    private(set) var replacements: [String: ChatLine] = [:]
    private(set) var replacementsInFlight: [String: ChatLine] = [:]
    /// The oldest lines, while the archive stores them.
    private(set) var shelving: [ChatLine] = []
    /// How many of the oldest are archived and leave the document with the next write.
    private(set) var trim = 0
    /// Ids of lines that are archived and not gone from the document yet: changed in the archive.
    private(set) var leaving: Set<String> = []
    /// What users are told once the next write is on disk, and the one on its way.
    var notices: [UserNotice] = []
    private(set) var noticesInFlight: [UserNotice] = []

    var hasChanges: Bool { !replacements.isEmpty || trim > 0 }
    var hasReplacements: Bool { !replacements.isEmpty || !replacementsInFlight.isEmpty }

    /// The latest word on a line that stands in the document as `line`.
    func latest(_ line: ChatLine) -> ChatLine {
        replacements[line.id] ?? replacementsInFlight[line.id] ?? line
    }

    mutating func replace(_ line: ChatLine) { replacements[line.id] = line }

    /// All changes are planned and on their way.
    mutating func begin() {
        replacementsInFlight = replacements
        replacements = [:]
        trim = 0
        noticesInFlight = notices
        notices = []
    }

    /// What was on its way is on disk. Gives the notices that are due.
    mutating func finish() -> [UserNotice] {
        replacementsInFlight = [:]
        if trim == 0 { leaving = [] }
        defer { noticesInFlight = [] }
        return noticesInFlight
    }

    mutating func beginShelving(_ lines: [ChatLine]) { shelving = lines }

    /// The archive has stored the lines, or could not. Gives those it was about.
    mutating func endShelving() -> [ChatLine] {
        defer { shelving = [] }
        return shelving
    }

    mutating func letGo(_ lines: [ChatLine]) {
        trim = lines.count
        leaving = Set(lines.map(\.id))
    }
}

/// Something a user is told outside the room's documents.
public struct UserNotice: Sendable, Equatable {
    public var userID: String
    /// `mention`, `chat.muted`, `chat.unmuted`.
    public var type: String
    /// Who caused it: those whom the user blocks are not heard.
    public var from: String
    /// One JSON object.
    public var json: String
}
