/// One action of somebody with power over others, or an attempt at one.
public struct AuditEntry: Sendable, Equatable {
    /// UUIDv7: entries in the order of their ids are in the order of their beginning.
    public var id: String
    /// ms since 1970.
    public var atMs: Int64
    /// The account; empty for the command line.
    public var actorID: String
    /// What it was called then.
    public var actor: String
    /// The call: `POST /api/v1/admin/users/{id}/bans`, or a command.
    public var action: String
    /// Whom or what it was about: the parts of the path.
    public var subject: String
    /// The body of the call, or what stands for it.
    public var detail: String
    /// Where it came from; empty for the command line.
    public var address: String
    /// The call's id in the log of the server.
    public var requestID: String
    /// How it ended, as an HTTP status; nil: not known, the server stopped in between.
    public var status: Int?

    public init(
        id: String, atMs: Int64, actorID: String, actor: String, action: String, subject: String,
        detail: String, address: String, requestID: String, status: Int? = nil
    ) {
        self.id = id
        self.atMs = atMs
        self.actorID = actorID
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
        self.address = address
        self.requestID = requestID
        self.status = status
    }
}

/// Selection of entries; newest first.
public struct AuditQuery: Sendable, Equatable {
    public var actorID: String?
    /// The beginning of `action`.
    public var action: String?
    public var subject: String?
    public var fromMs: Int64?
    public var untilMs: Int64?
    /// The id of the last entry of the page before.
    public var before: String?
    public var limit: Int

    public init(
        actorID: String? = nil, action: String? = nil, subject: String? = nil, fromMs: Int64? = nil,
        untilMs: Int64? = nil, before: String? = nil, limit: Int = 50
    ) {
        self.actorID = actorID
        self.action = action
        self.subject = subject
        self.fromMs = fromMs
        self.untilMs = untilMs
        self.before = before
        self.limit = limit
    }
}

/// Keeps the audit log. It only grows: nothing here changes or removes an entry, and the store refuses to.
public protocol AuditLog: Sendable {
    /// On disk when it returns: an action is not begun before.
    func begin(_ entry: AuditEntry) async throws
    func end(_ id: String, status: Int) async throws
    func entries(_ query: AuditQuery) async throws -> [AuditEntry]
}
