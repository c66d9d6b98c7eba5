import CRDT

/// Who is named in a chat: the id that counts, and the handle of that moment.
public struct ChatPerson: Sendable, Equatable {
    public var id: String
    public var handle: String

    public init(id: String, handle: String) {
        self.id = id
        self.handle = handle
    }

    init?(_ value: Value?) {
        guard let id = value?["id"]?.string, let handle = value?["handle"]?.string else { return nil }
        self.init(id: id, handle: handle)
    }

    var value: Value { .object([("id", .string(id)), ("handle", .string(handle))]) }
}

/// One line of a chat, as it stands in `messages`. A deleted line keeps its place and its author and loses its text.
public struct ChatLine: Sendable, Equatable {
    public var id: String
    public var author: ChatPerson
    public var text: String
    /// RFC 3339.
    public var at: String
    public var mentions: [ChatPerson] = []
    public var editedAt: String?
    /// Who deleted it.
    public var deletedBy: ChatPerson?
    public var deletionReason: String?

    public var isDeleted: Bool { deletedBy != nil }

    public init(id: String, author: ChatPerson, text: String, at: String) {
        self.id = id
        self.author = author
        self.text = text
        self.at = at
    }

    /// Reads a line back; nil for a value that is none.
    public init?(_ value: Value) {
        guard let id = value["id"]?.string, let author = ChatPerson(value["author"]),
            let at = value["at"]?.string
        else { return nil }
        self.init(id: id, author: author, text: value["text"]?.string ?? "", at: at)
        mentions = (value["mentions"]?.array ?? []).compactMap(ChatPerson.init)
        editedAt = value["edited_at"]?.string
        if value["deleted"]?.bool == true {
            deletedBy = ChatPerson(value["deleted_by"]) ?? author
            deletionReason = value["reason"]?.string
        }
    }

    /// Reads a line from its JSON text.
    public init?(json: String) {
        guard let value = JSONParser.parse(json) else { return nil }
        self.init(value)
    }

    public var json: String { value.json }

    var value: Value {
        var fields: [(String, Value)] = [
            ("id", .string(id)), ("author", author.value), ("text", .string(text)), ("at", .string(at)),
        ]
        if !mentions.isEmpty { fields.append(("mentions", .array(mentions.map(\.value)))) }
        if let editedAt { fields.append(("edited_at", .string(editedAt))) }
        if let deletedBy {
            fields.append(("deleted", .bool(true)))
            fields.append(("deleted_by", deletedBy.value))
            if let deletionReason { fields.append(("reason", .string(deletionReason))) }
        }
        return .object(fields)
    }

    /// The line without what it said.
    public func deleted(by person: ChatPerson, reason: String?) -> ChatLine {
        var line = ChatLine(id: id, author: author, text: "", at: at)
        line.deletedBy = person
        line.deletionReason = reason
        return line
    }
}
