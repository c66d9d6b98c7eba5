import HTTPTypes
import Hummingbird
import Identity
import Rooms
import Webhooks

/// Webhooks of the installation (administrators) and of service accounts, and what became of their deliveries.
package struct WebhookRoutes: Sendable {
    private let dispatcher: WebhookDispatcher
    private let store: any WebhookStore
    /// Why a URL may not be called; nil when it may.
    private let refusal: @Sendable (_ url: String) -> String?
    private let environment: IdentityEnvironment

    package init(
        dispatcher: WebhookDispatcher, store: any WebhookStore,
        refusal: @escaping @Sendable (_ url: String) -> String?, environment: IdentityEnvironment
    ) {
        self.dispatcher = dispatcher
        self.store = store
        self.refusal = refusal
        self.environment = environment
    }

    package var routes: [Route] {
        let json = Route.Body.json(limit: GatewayLimits.jsonBody)
        return [
            Route(
                .post, "/api/v1/webhooks", body: json, limits: [.writes], idempotent: true, scope: .webhooks
            ) { _, context in try await create(context) },
            Route(.get, "/api/v1/webhooks", scope: .webhooks) { request, context in
                try await list(request, context)
            },
            Route(.get, "/api/v1/webhooks/{id}", scope: .webhooks) { _, context in
                .json(WebhookReply(try await webhook(context), secret: nil))
            },
            Route(.delete, "/api/v1/webhooks/{id}", limits: [.writes], scope: .webhooks) { _, context in
                _ = try await dispatcher.remove(webhook(context).id)
                return Response(status: .noContent)
            },
            Route(.get, "/api/v1/webhooks/{id}/deliveries", scope: .webhooks) { request, context in
                try await deliveries(request, context)
            },
            Route(
                .post, "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", body: json, limits: [.writes],
                scope: .webhooks
            ) { _, context in try await redeliver(context) },
        ]
    }

    /// Whose webhooks the caller has to do with: a service account's own, or the installation's.
    private static func owner(_ context: GatewayContext) throws(HTTPProblem) -> String? {
        let caller = try context.requireCaller()
        if caller.scopes != nil { return caller.userID }
        guard caller.roles.contains(.admin) else {
            throw .forbidden("This call needs another role.", code: "role_missing")
        }
        return nil
    }

    private func webhook(_ context: GatewayContext) async throws -> Webhook {
        let owner = try Self.owner(context)
        guard let found = try await store.webhook(context.parameter("id")), found.ownerID == owner else {
            throw HTTPProblem.notFound("There is no such webhook.")
        }
        return found
    }

    private struct Wish: Decodable {
        var url: String
        var events: [WebhookEventType]
        var secret: String?
    }

    private func create(_ context: GatewayContext) async throws -> Response {
        let owner = try Self.owner(context)
        let wish = try context.decode(Wish.self)
        if let reason = refusal(wish.url) { throw HTTPProblem.invalid("url", reason, code: "value") }
        guard !wish.events.isEmpty else {
            throw HTTPProblem.invalid("events", "names at least one event", code: "length")
        }
        if let secret = wish.secret, !Webhooks.Limits.secretBytes.contains(secret.utf8.count) {
            throw HTTPProblem.invalid("secret", "has 16 to 128 bytes", code: "length")
        }
        let secret = wish.secret ?? "whsec_" + Hashing.sha256Hex(environment.randomBytes(32)).prefix(48)
        let webhook = Webhook(
            id: environment.newID(), ownerID: owner, url: wish.url, events: Set(wish.events), secret: secret,
            createdAtMs: environment.now())
        guard try await dispatcher.add(webhook) else {
            throw HTTPProblem.conflict("too_many_webhooks", "There are as many webhooks as there may be.")
        }
        return .json(
            WebhookReply(webhook, secret: secret), status: .created,
            headers: [.location: "/api/v1/webhooks/\(webhook.id)"])
    }

    private func list(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let page = try PageRequest(request)
        let found = try await store.webhooks(
            of: Self.owner(context), after: page.cursor, limit: page.fetched)
        return .json(PageReply(found, of: page, cursor: \.id) { WebhookReply($0, secret: nil) })
    }

    private func deliveries(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let page = try PageRequest(request)
        let found = try await store.deliveries(
            of: webhook(context).id, before: page.cursor, limit: page.fetched)
        return .json(PageReply(found, of: page, cursor: \.id, item: DeliveryReply.init))
    }

    private func redeliver(_ context: GatewayContext) async throws -> Response {
        let id = try context.parameter("delivery")
        guard let delivery = try await dispatcher.redeliver(id, of: webhook(context).id) else {
            throw HTTPProblem.notFound("There is no such delivery.")
        }
        return .json(DeliveryReply(delivery), status: .accepted)
    }
}

private struct WebhookReply: Encodable {
    var id: String
    var url: String
    var events: [String]
    var createdAt: String
    /// Told once.
    var secret: String?

    init(_ webhook: Webhook, secret: String?) {
        id = webhook.id
        url = webhook.url
        events = webhook.events.map(\.rawValue).sorted()
        createdAt = timestamp(webhook.createdAtMs)
        self.secret = secret
    }
}

private struct DeliveryReply: Encodable {
    var id: String
    var eventId: String
    var type: String
    var status: String
    var attempts: Int
    @Nullable var nextAttemptAt: String?
    @Nullable var lastStatus: Int?
    @Nullable var lastError: String?
    var createdAt: String
    @Nullable var finishedAt: String?
    /// As it is sent.
    var body: String

    init(_ delivery: WebhookDelivery) {
        id = delivery.id
        eventId = delivery.eventID
        type = delivery.type.rawValue
        status = delivery.status.rawValue
        attempts = delivery.attempts
        nextAttemptAt = delivery.nextAttemptAtMs.map(timestamp)
        lastStatus = delivery.lastStatus
        lastError = delivery.lastError
        createdAt = timestamp(delivery.createdAtMs)
        finishedAt = delivery.finishedAtMs.map(timestamp)
        body = delivery.body
    }
}
