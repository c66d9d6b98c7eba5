/// The bounds of a room that an installation may set; see `Limits` for those that are fixed.
public struct RoomLimits: Sendable, Equatable {
    /// One update from a client, bytes.
    public var updateBytes = Limits.updateBytes
    /// Approximate memory of one document after which it takes no more writes, bytes.
    public var documentBytes = Limits.documentBytes
    public var openDocumentBytes = Limits.openDocumentBytes
    /// All that was written into a room's log; past it documents take no more writes, bytes.
    public var logBytes = Limits.logBytes
    /// One awareness frame, bytes, and the Yjs client ids announced by one socket.
    public var awarenessBytes = Limits.awarenessBytes
    public var awarenessClients = Limits.awarenessClients
    /// Lines kept in a chat document.
    public var chatHistory = Limits.chatHistory
    /// So many more make as many of the oldest leave for the archive.
    var chatShelf: Int { max(1, chatHistory / 10) }
    /// Lines in a chat document while the archive takes none; then nobody posts.
    public var chatLines: Int { chatHistory * 2 }
    /// Sockets in one room.
    public var subscribers = Limits.subscribers

    public init() {}

    public static let standard = RoomLimits()
}

/// What a room asks of others at once, without waiting.
public struct RoomPorts: Sendable {
    /// Takes one of a user's submissions a minute, for one made on a socket; the ms to wait where there is none left.
    public var takeSubmission: @Sendable (_ userID: String, _ atMs: Int64) -> Int64?
    /// The languages that are judged here, by id, with the file that a new room of each starts with.
    public var fileNames: [String: String]

    public init(
        fileNames: [String: String],
        takeSubmission: @escaping @Sendable (_ userID: String, _ atMs: Int64) -> Int64?
    ) {
        self.fileNames = fileNames
        self.takeSubmission = takeSubmission
    }

    /// The file that a room of this language starts with, also when the language has been taken away since.
    public func fileName(of language: String) -> String { fileNames[language] ?? "main.\(language)" }

    /// Without limits beyond the room's own, and without languages: nothing can be submitted.
    public static let none = RoomPorts(fileNames: [:]) { _, _ in nil }
}
