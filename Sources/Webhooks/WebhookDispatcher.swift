/// Stores deliveries and sends them until somebody has them. Deliveries are kept in the store, so that a restart goes
/// on where the process ended; what was being sent then is sent again, with the same id.
public actor WebhookDispatcher {
    private let store: any WebhookStore
    private let inbox: WebhookInbox
    private let ports: WebhookPorts
    private var webhooks: [String: Webhook] = [:]
    private var loadedAtMs: Int64 = .min
    private var prunedAtMs: Int64 = .min
    /// Webhooks that are being sent something.
    private var busy: Set<String> = []

    public init(store: any WebhookStore, inbox: WebhookInbox, ports: WebhookPorts) {
        self.store = store
        self.inbox = inbox
        self.ports = ports
    }

    // MARK: Webhooks

    /// False when the owner has as many as it may have.
    public func add(_ webhook: Webhook) async throws -> Bool {
        guard try await store.insert(webhook, atMost: Limits.webhooks) else { return false }
        try await reload()
        return true
    }

    public func remove(_ id: String) async throws -> Bool {
        let existed = try await store.deleteWebhook(id)
        try await reload()
        return existed
    }

    /// Sends a delivery again, as a new one with the same event; nil when there is none.
    public func redeliver(_ id: String, of webhookID: String) async throws -> WebhookDelivery? {
        guard let old = try await store.delivery(id, of: webhookID) else { return nil }
        let atMs = ports.now()
        let delivery = WebhookDelivery(
            id: ports.newID(), webhookID: webhookID, eventID: old.eventID, type: old.type, body: old.body,
            nextAttemptAtMs: atMs, createdAtMs: atMs)
        try await store.add([delivery])
        return delivery
    }

    private func reload() async throws {
        let all = try await store.allWebhooks()
        webhooks = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        inbox.setWanted(!all.isEmpty)
        loadedAtMs = ports.now()
    }

    // MARK: The loop

    /// Stores and sends until it is cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    for delivery in try await step() {
                        group.addTask { await self.attempt(delivery) }
                    }
                    try await ports.pause(Limits.tickMs)
                } catch is CancellationError {
                    break
                } catch {
                    ports.alarm("webhooks: \(error)")
                    try? await ports.pause(Limits.reloadMs)
                }
            }
            group.cancelAll()
        }
    }

    /// Stores what waits; for the end of the process. It is sent after the next start.
    public func stop() async {
        do { try await storeEvents(all: true) } catch { ports.alarm("webhooks: \(error)") }
    }

    /// Stores what happened; the deliveries to send now.
    private func step() async throws -> [WebhookDelivery] {
        let atMs = ports.now()
        if atMs >= loadedAtMs + Limits.reloadMs { try await reload() }
        try await storeEvents(all: false)
        guard !webhooks.isEmpty else { return [] }
        if prunedAtMs == .min || atMs >= prunedAtMs + Limits.pruneIntervalMs {
            try await store.prune(
                finishedBeforeMs: atMs - Limits.deliveryMemoryMs, keeping: Limits.deliveriesKept)
            prunedAtMs = atMs
        }
        let free = Limits.concurrentDeliveries - busy.count
        guard free > 0 else { return [] }
        let due = try await store.dueDeliveries(atMs: atMs, limit: Limits.concurrentDeliveries)
            .filter { !busy.contains($0.webhookID) }.prefix(free)
        for delivery in due { busy.insert(delivery.webhookID) }
        return Array(due)
    }

    private func storeEvents(all: Bool) async throws {
        let (events, dropped) = inbox.take(all: all)
        if dropped > 0 { ports.alarm("webhooks: \(dropped) events were dropped") }
        let deliveries = events.flatMap { event in
            webhooks.values.filter { $0.wants(event) }.map { delivery(of: event, to: $0) }
        }
        if !deliveries.isEmpty { try await store.add(deliveries) }
    }

    private func delivery(of event: WebhookEvent, to webhook: Webhook) -> WebhookDelivery {
        let body =
            "{\"id\":\(JSONText.quoted(event.id)),\"type\":\(JSONText.quoted(event.type.rawValue)),"
            + "\"at\":\(JSONText.quoted(ports.timestamp(event.atMs))),\"data\":\(event.data)}"
        return WebhookDelivery(
            id: ports.newID(), webhookID: webhook.id, eventID: event.id, type: event.type, body: body,
            nextAttemptAtMs: event.atMs, createdAtMs: event.atMs)
    }

    // MARK: One attempt

    /// Sends a delivery, and then what else is due to the same webhook, one after the other.
    private func attempt(_ first: WebhookDelivery) async {
        defer { busy.remove(first.webhookID) }
        var next: WebhookDelivery? = first
        while let delivery = next {
            guard let webhook = webhooks[delivery.webhookID] else { return }
            let answer = await ports.send(request(for: delivery, to: webhook))
            // At the end of the process nothing is known of it: it is sent again.
            guard !Task.isCancelled else { return }
            let outcome = Self.outcome(of: delivery, answer, atMs: ports.now(), random: ports.random())
            do {
                try await store.update(outcome)
                next = try await store.dueDelivery(of: delivery.webhookID, atMs: ports.now())
            } catch {
                ports.alarm("webhooks: \(error)")
                return
            }
        }
    }

    private func request(for delivery: WebhookDelivery, to webhook: Webhook) -> WebhookRequest {
        let seconds = ports.now() / 1_000
        let body = Array(delivery.body.utf8)
        let signature = ports.sign(webhook.secret, Array("\(seconds).".utf8) + body)
        return WebhookRequest(
            url: webhook.url,
            headers: [
                ("Content-Type", "application/json"), ("Coduel-Event", delivery.type.rawValue),
                ("Coduel-Delivery", delivery.id), ("Coduel-Timestamp", String(seconds)),
                ("Coduel-Signature", "v1=\(signature)"),
            ], body: body)
    }

    /// What an attempt makes of a delivery: done with any 2xx, else tried again or given up.
    static func outcome(
        of delivery: WebhookDelivery, _ answer: WebhookAnswer, atMs: Int64, random: UInt64
    ) -> WebhookDelivery {
        var delivery = delivery
        delivery.attempts += 1
        (delivery.lastStatus, delivery.lastError) = (nil, nil)
        switch answer {
        case .status(let status):
            delivery.lastStatus = status
            if (200..<300).contains(status) {
                delivery.status = .delivered
                delivery.nextAttemptAtMs = nil
                delivery.finishedAtMs = atMs
                return delivery
            }
        case .failed(let reason): delivery.lastError = String(reason.prefix(Limits.errorLength))
        }
        delivery.nextAttemptAtMs = RetrySchedule.pauseMs(afterAttempts: delivery.attempts, random: random)
            .map { atMs + $0 }
        if delivery.nextAttemptAtMs == nil {
            delivery.status = .failed
            delivery.finishedAtMs = atMs
        }
        return delivery
    }
}
