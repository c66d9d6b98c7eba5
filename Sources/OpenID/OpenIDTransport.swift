/// How a provider is reached. Handed in: the calls are bounded in time and size, and guarded like all outbound ones.
public struct OpenIDTransport: Sendable {
    public struct Answer: Sendable {
        public var status: Int
        public var body: [UInt8]

        public init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }
    }

    public var get: @Sendable (_ url: String) async throws -> Answer
    /// Posts a form.
    public var post:
        @Sendable (_ url: String, _ headers: [(name: String, value: String)], _ body: [UInt8]) async throws ->
            Answer
    /// ms since 1970.
    public var now: @Sendable () -> Int64

    public init(
        get: @escaping @Sendable (_ url: String) async throws -> Answer,
        post:
            @escaping @Sendable (
                _ url: String, _ headers: [(name: String, value: String)], _ body: [UInt8]
            ) async throws -> Answer,
        now: @escaping @Sendable () -> Int64
    ) {
        self.get = get
        self.post = post
        self.now = now
    }
}

/// What the configuration says about a provider.
public struct OpenIDSettings: Sendable {
    public var name: String
    /// Compared byte for byte.
    public var issuer: String
    public var clientID: String
    /// Nil for a public client.
    public var clientSecret: String?

    public init(name: String, issuer: String, clientID: String, clientSecret: String? = nil) {
        self.name = name
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
    }
}
