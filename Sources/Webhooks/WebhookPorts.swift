/// A delivery as it goes out.
public struct WebhookRequest: Sendable, Equatable {
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public static func == (one: WebhookRequest, two: WebhookRequest) -> Bool {
        one.url == two.url && one.body == two.body && one.headers.elementsEqual(two.headers, by: ==)
    }
}

/// How an attempt ended.
public enum WebhookAnswer: Sendable, Equatable {
    case status(Int)
    /// Nobody answered, or nobody may be asked; told in the delivery log.
    case failed(String)
}

/// What the dispatcher needs of the rest of the system.
public struct WebhookPorts: Sendable {
    public var send: @Sendable (WebhookRequest) async -> WebhookAnswer
    /// HMAC-SHA256 of a message under a secret, lower-case hexadecimal.
    public var sign: @Sendable (_ secret: String, _ message: [UInt8]) -> String
    /// ms since 1970.
    public var now: @Sendable () -> Int64
    /// A new UUIDv7.
    public var newID: @Sendable () -> String
    public var random: @Sendable () -> UInt64
    public var pause: @Sendable (_ milliseconds: Int64) async throws -> Void
    /// RFC 3339 text of a time.
    public var timestamp: @Sendable (_ ms: Int64) -> String
    public var alarm: @Sendable (String) -> Void

    public init(
        send: @escaping @Sendable (WebhookRequest) async -> WebhookAnswer,
        sign: @escaping @Sendable (_ secret: String, _ message: [UInt8]) -> String,
        now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> String,
        random: @escaping @Sendable () -> UInt64,
        pause: @escaping @Sendable (_ milliseconds: Int64) async throws -> Void,
        timestamp: @escaping @Sendable (_ ms: Int64) -> String, alarm: @escaping @Sendable (String) -> Void
    ) {
        self.send = send
        self.sign = sign
        self.now = now
        self.newID = newID
        self.random = random
        self.pause = pause
        self.timestamp = timestamp
        self.alarm = alarm
    }
}
