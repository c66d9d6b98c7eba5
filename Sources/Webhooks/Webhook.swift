/// What an installation, or a service account, is told about.
public enum WebhookEventType: String, Sendable, Codable, CaseIterable {
    /// The first socket of a room was opened.
    case roomOpened = "room.opened"
    /// Documents of a room changed; told once for many changes.
    case roomChanged = "room.changed"
    /// The last socket of a room was closed, and nobody came back.
    case roomClosed = "room.closed"
    case submissionFinished = "submission.finished"
}

/// Something that happened, as it is told: the same to everyone who is told.
public struct WebhookEvent: Sendable, Equatable {
    public var id: String
    public var type: WebhookEventType
    /// The service account whose room it is; nil for rooms of the installation.
    public var ownerID: String?
    /// ms since 1970.
    public var atMs: Int64
    /// One JSON object.
    public var data: String

    public init(id: String, type: WebhookEventType, ownerID: String?, atMs: Int64, data: String) {
        self.id = id
        self.type = type
        self.ownerID = ownerID
        self.atMs = atMs
        self.data = data
    }
}

/// Where somebody wants to be told.
public struct Webhook: Sendable, Equatable {
    public var id: String
    /// A service account, which is told of its own rooms; nil for an administrator's, which is told of all.
    public var ownerID: String?
    public var url: String
    public var events: Set<WebhookEventType>
    /// What deliveries are signed with.
    public var secret: String
    public var createdAtMs: Int64

    public init(
        id: String, ownerID: String?, url: String, events: Set<WebhookEventType>, secret: String,
        createdAtMs: Int64
    ) {
        self.id = id
        self.ownerID = ownerID
        self.url = url
        self.events = events
        self.secret = secret
        self.createdAtMs = createdAtMs
    }

    public func wants(_ event: WebhookEvent) -> Bool {
        events.contains(event.type) && (ownerID == nil || ownerID == event.ownerID)
    }
}

/// One event on its way to one webhook.
public struct WebhookDelivery: Sendable, Equatable {
    public enum Status: String, Sendable {
        case pending, delivered
        /// Given up after the last attempt.
        case failed
    }

    public var id: String
    public var webhookID: String
    public var eventID: String
    public var type: WebhookEventType
    /// What is sent, byte for byte, at every attempt.
    public var body: String
    public var status: Status
    public var attempts: Int
    /// When it is tried next; only while pending.
    public var nextAttemptAtMs: Int64?
    /// HTTP status of the last answer, if there was one.
    public var lastStatus: Int?
    public var lastError: String?
    public var createdAtMs: Int64
    public var finishedAtMs: Int64?

    public init(
        id: String, webhookID: String, eventID: String, type: WebhookEventType, body: String,
        status: Status = .pending, attempts: Int = 0, nextAttemptAtMs: Int64?, lastStatus: Int? = nil,
        lastError: String? = nil, createdAtMs: Int64, finishedAtMs: Int64? = nil
    ) {
        self.id = id
        self.webhookID = webhookID
        self.eventID = eventID
        self.type = type
        self.body = body
        self.status = status
        self.attempts = attempts
        self.nextAttemptAtMs = nextAttemptAtMs
        self.lastStatus = lastStatus
        self.lastError = lastError
        self.createdAtMs = createdAtMs
        self.finishedAtMs = finishedAtMs
    }
}
