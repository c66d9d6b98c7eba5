/// A place in the history of a document that somebody gave a name.
public struct RoomVersion: Sendable, Equatable {
    public var id: String
    public var roomID: String
    public var document: String
    public var name: String
    public var sequence: Int64
    public var createdBy: String
    public var createdAtMs: Int64

    public init(
        id: String, roomID: String, document: String, name: String, sequence: Int64, createdBy: String,
        createdAtMs: Int64
    ) {
        self.id = id
        self.roomID = roomID
        self.document = document
        self.name = name
        self.sequence = sequence
        self.createdBy = createdBy
        self.createdAtMs = createdAtMs
    }
}

/// Keeps named versions. Every answer means "on disk".
public protocol VersionStore: Sendable {
    /// False when the document has as many as it may have.
    func create(_ version: RoomVersion, atMost limit: Int) async throws -> Bool
    func version(_ id: String, of roomID: String, document: String) async throws -> RoomVersion?
    /// Newest first, older than the version `before`.
    func versions(
        of roomID: String, document: String, before id: String?, limit: Int
    ) async throws -> [RoomVersion]
    /// False when there is none.
    func deleteVersion(_ id: String, of roomID: String, document: String) async throws -> Bool
}
