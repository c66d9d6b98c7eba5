import GRDB
import Identity
import Webhooks

@Sendable func registerWebhookMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("webhooks-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE webhooks (
                    id TEXT NOT NULL PRIMARY KEY,
                    owner_id TEXT,
                    url TEXT NOT NULL,
                    events TEXT NOT NULL,
                    secret TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX webhooks_of_owner ON webhooks (owner_id, id);
                CREATE TABLE webhook_deliveries (
                    id TEXT NOT NULL PRIMARY KEY,
                    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
                    event_id TEXT NOT NULL,
                    type TEXT NOT NULL,
                    body TEXT NOT NULL,
                    status TEXT NOT NULL,
                    attempts INTEGER NOT NULL,
                    next_attempt_at_ms INTEGER,
                    last_status INTEGER,
                    last_error TEXT,
                    created_at_ms INTEGER NOT NULL,
                    finished_at_ms INTEGER
                ) STRICT;
                CREATE INDEX deliveries_of_webhook ON webhook_deliveries (webhook_id, id);
                CREATE INDEX deliveries_pending ON webhook_deliveries (webhook_id, next_attempt_at_ms)
                    WHERE status = 'pending';
                CREATE INDEX deliveries_finished ON webhook_deliveries (finished_at_ms)
                    WHERE status <> 'pending';
                """)
    }
}

/// Webhooks and their delivery log in `coduel.db`.
public struct WebhookStoreSQLite: WebhookStore {
    private let database: CoduelDatabase
    private let box: SecretBox?

    /// - Parameter box: seals the secrets; nil leaves them open.
    public init(_ database: CoduelDatabase, box: SecretBox? = nil) {
        self.database = database
        self.box = box
    }

    // MARK: Webhooks

    public func insert(_ webhook: Webhook, atMost limit: Int) async throws -> Bool {
        let secret = try box?.seal(webhook.secret, for: Self.purpose(webhook.id)) ?? webhook.secret
        return try await database.write { db in
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM webhooks WHERE owner_id IS ?", arguments: [webhook.ownerID])
            guard (count ?? 0) < limit else { return false }
            try db.execute(
                sql: """
                    INSERT INTO webhooks (id, owner_id, url, events, secret, created_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    webhook.id, webhook.ownerID, webhook.url,
                    webhook.events.map(\.rawValue).sorted().joined(separator: " "), secret,
                    webhook.createdAtMs,
                ])
            return true
        }
    }

    public func webhook(_ id: String) async throws -> Webhook? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM webhooks WHERE id = ?", arguments: [id])
                .map(webhook)
        }
    }

    public func webhooks(of ownerID: String?, after id: String?, limit: Int) async throws -> [Webhook] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM webhooks WHERE owner_id IS ? AND id > ? ORDER BY id LIMIT ?",
                arguments: [ownerID, id ?? "", min(limit, Limits.pageRows)]
            ).map(webhook)
        }
    }

    public func allWebhooks() async throws -> [Webhook] {
        try await database.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM webhooks").map(webhook)
        }
    }

    public func deleteWebhook(_ id: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(sql: "DELETE FROM webhooks WHERE id = ?", arguments: [id])
            return db.changesCount == 1
        }
    }

    private func webhook(_ row: Row) throws -> Webhook {
        let id = try row.text("id")
        var secret = try row.text("secret")
        // One that was stored before there was a key stands as it is.
        if secret.hasPrefix(SecretBox.prefix), let box {
            secret = try box.open(secret, for: Self.purpose(id))
        }
        return Webhook(
            id: id, ownerID: try row.optionalText("owner_id"), url: try row.text("url"),
            events: Set(
                try row.text("events").split(separator: " ").compactMap {
                    WebhookEventType(rawValue: String($0))
                }), secret: secret, createdAtMs: try row.integer("created_at_ms"))
    }

    private static func purpose(_ id: String) -> String { "webhook \(id)" }

    /// Brings all secrets under the first key of the box, those that stood open too; answers how many were changed.
    public func rewrap(with box: SecretBox) async throws -> Int {
        try await database.write { db in
            var changed = 0
            for row in try Row.fetchAll(db, sql: "SELECT id, secret FROM webhooks") {
                let (id, secret) = (try row.text("id"), try row.text("secret"))
                let sealed =
                    secret.hasPrefix(SecretBox.prefix)
                    ? try box.rewrap(secret) : try box.seal(secret, for: Self.purpose(id))
                guard let sealed else { continue }
                try db.execute(sql: "UPDATE webhooks SET secret = ? WHERE id = ?", arguments: [sealed, id])
                changed += 1
            }
            return changed
        }
    }

    // MARK: Deliveries

    public func add(_ deliveries: [WebhookDelivery]) async throws {
        try await database.write { db in
            for delivery in deliveries {
                // Of a webhook that was removed meanwhile there is nothing to deliver.
                try db.execute(
                    sql: """
                        INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, body, status, attempts,
                            next_attempt_at_ms, last_status, last_error, created_at_ms, finished_at_ms)
                        SELECT ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM webhooks WHERE id = ?
                        """,
                    arguments: [
                        delivery.id, delivery.eventID, delivery.type.rawValue, delivery.body,
                        delivery.status.rawValue, delivery.attempts, delivery.nextAttemptAtMs,
                        delivery.lastStatus, delivery.lastError, delivery.createdAtMs, delivery.finishedAtMs,
                        delivery.webhookID,
                    ])
            }
        }
    }

    public func delivery(_ id: String, of webhookID: String) async throws -> WebhookDelivery? {
        try await database.read { db in
            try Row.fetchOne(
                db, sql: "SELECT * FROM webhook_deliveries WHERE id = ? AND webhook_id = ?",
                arguments: [id, webhookID]
            ).map(Self.delivery)
        }
    }

    public func deliveries(
        of webhookID: String, before id: String?, limit: Int
    ) async throws -> [WebhookDelivery] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM webhook_deliveries
                    WHERE webhook_id = ? AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?
                    """, arguments: [webhookID, id, id, min(limit, Limits.pageRows)]
            ).map(Self.delivery)
        }
    }

    public func dueDeliveries(atMs: Int64, limit: Int) async throws -> [WebhookDelivery] {
        try await database.read { db in
            // Beside a minimum, SQLite takes the other columns from the row that has it.
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT *, min(next_attempt_at_ms) FROM webhook_deliveries
                    WHERE status = 'pending' AND next_attempt_at_ms <= ?
                    GROUP BY webhook_id ORDER BY next_attempt_at_ms LIMIT ?
                    """, arguments: [atMs, limit])
            return try rows.map(Self.delivery)
        }
    }

    public func dueDelivery(of webhookID: String, atMs: Int64) async throws -> WebhookDelivery? {
        try await database.read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM webhook_deliveries
                    WHERE status = 'pending' AND webhook_id = ? AND next_attempt_at_ms <= ?
                    ORDER BY next_attempt_at_ms, id LIMIT 1
                    """, arguments: [webhookID, atMs]
            ).map(Self.delivery)
        }
    }

    public func update(_ delivery: WebhookDelivery) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE webhook_deliveries SET status = ?, attempts = ?, next_attempt_at_ms = ?,
                        last_status = ?, last_error = ?, finished_at_ms = ? WHERE id = ?
                    """,
                arguments: [
                    delivery.status.rawValue, delivery.attempts, delivery.nextAttemptAtMs,
                    delivery.lastStatus, delivery.lastError, delivery.finishedAtMs, delivery.id,
                ])
        }
    }

    public func prune(finishedBeforeMs: Int64, keeping limit: Int) async throws {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM webhook_deliveries WHERE status <> 'pending' AND finished_at_ms < ?",
                arguments: [finishedBeforeMs])
            try db.execute(
                sql: """
                    DELETE FROM webhook_deliveries WHERE status <> 'pending' AND id IN (
                        SELECT id FROM (
                            SELECT id, row_number() OVER (PARTITION BY webhook_id ORDER BY id DESC) AS place
                            FROM webhook_deliveries) WHERE place > ?)
                    """, arguments: [limit])
        }
    }

    private static func delivery(_ row: Row) throws -> WebhookDelivery {
        guard let type = WebhookEventType(rawValue: try row.text("type")) else {
            throw StorageError(code: .corrupt, message: "a webhook delivery has an unknown type")
        }
        return WebhookDelivery(
            id: try row.text("id"), webhookID: try row.text("webhook_id"), eventID: try row.text("event_id"),
            type: type, body: try row.text("body"), status: try row.choice("status"),
            attempts: Int(try row.integer("attempts")),
            nextAttemptAtMs: try row.optionalInteger("next_attempt_at_ms"),
            lastStatus: try row.optionalInteger("last_status").map { Int($0) },
            lastError: try row.optionalText("last_error"), createdAtMs: try row.integer("created_at_ms"),
            finishedAtMs: try row.optionalInteger("finished_at_ms"))
    }
}
