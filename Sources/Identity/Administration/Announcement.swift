/// A word to everyone who uses the server.
public struct Announcement: Sendable, Equatable {
    public enum Kind: String, Sendable, Codable, CaseIterable { case info, warning }

    public var id: String
    public var kind: Kind
    public var text: String
    public var createdBy: String
    /// ms since 1970.
    public var createdAtMs: Int64
    /// Nil: until it is taken back.
    public var expiresAtMs: Int64?

    public init(
        id: String, kind: Kind, text: String, createdBy: String, createdAtMs: Int64, expiresAtMs: Int64?
    ) {
        self.id = id
        self.kind = kind
        self.text = text
        self.createdBy = createdBy
        self.createdAtMs = createdAtMs
        self.expiresAtMs = expiresAtMs
    }
}

/// Keeps announcements. Every answer means "on disk".
public protocol AnnouncementStore: Sendable {
    /// False when `limit` of them stand already.
    func insert(_ announcement: Announcement, limit: Int) async throws -> Bool
    /// Those that have not expired, newest first.
    func announcements(atMs: Int64) async throws -> [Announcement]
    func remove(_ id: String) async throws -> Bool
}
