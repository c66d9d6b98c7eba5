/// Keeps webhooks and their delivery log. Every answer means "on disk".
public protocol WebhookStore: Sendable {
    /// False when the owner has as many as it may have.
    func insert(_ webhook: Webhook, atMost limit: Int) async throws -> Bool
    func webhook(_ id: String) async throws -> Webhook?
    /// Of one owner, oldest first, after the one with that id.
    func webhooks(of ownerID: String?, after id: String?, limit: Int) async throws -> [Webhook]
    func allWebhooks() async throws -> [Webhook]
    /// With its deliveries; false when there is none.
    func deleteWebhook(_ id: String) async throws -> Bool

    func add(_ deliveries: [WebhookDelivery]) async throws
    func delivery(_ id: String, of webhookID: String) async throws -> WebhookDelivery?
    /// Newest first, older than the one with that id.
    func deliveries(of webhookID: String, before id: String?, limit: Int) async throws -> [WebhookDelivery]
    /// Pending ones whose time has come, oldest first; at most one a webhook, so that one that answers slowly holds
    /// up nobody else.
    func dueDeliveries(atMs: Int64, limit: Int) async throws -> [WebhookDelivery]
    /// The next of one webhook whose time has come.
    func dueDelivery(of webhookID: String, atMs: Int64) async throws -> WebhookDelivery?
    /// Replaces status, attempts, times and outcome of a delivery that is still there.
    func update(_ delivery: WebhookDelivery) async throws
    /// Removes finished deliveries older than that, and the oldest beyond `limit` a webhook.
    func prune(finishedBeforeMs: Int64, keeping limit: Int) async throws
}
