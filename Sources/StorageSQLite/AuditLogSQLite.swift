import GRDB
import Identity

/// The audit log in `coduel.db`.
public struct AuditLogSQLite: AuditLog {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func begin(_ entry: AuditEntry) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO audit_log
                        (id, at_ms, actor_id, actor, action, subject, detail, address, request_id)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    entry.id, entry.atMs, entry.actorID, entry.actor, entry.action, entry.subject,
                    entry.detail, entry.address, entry.requestID,
                ])
        }
    }

    public func end(_ id: String, status: Int) async throws {
        try await database.write { db in
            try db.execute(
                sql: "INSERT INTO audit_ends (id, status) VALUES (?, ?)", arguments: [id, status])
        }
    }

    public func entries(_ query: AuditQuery) async throws -> [AuditEntry] {
        var conditions = ["1"]
        var values: [(any DatabaseValueConvertible)?] = []
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            values.append(value)
        }
        add("l.id < ?", query.before)
        add("actor_id = ?", query.actorID)
        add("subject = ?", query.subject)
        add("substr(action, 1, length(?)) = ?", query.action)
        if let action = query.action { values.append(action) }
        add("at_ms >= ?", query.fromMs)
        add("at_ms < ?", query.untilMs)
        values.append(min(max(1, query.limit), Limits.pageRows))
        let sql = """
            SELECT l.*, e.status FROM audit_log l LEFT JOIN audit_ends e ON e.id = l.id
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY l.id DESC LIMIT ?
            """
        let arguments = StatementArguments(values)
        return try await database.read { db in
            try Row.fetchAll(db, sql: sql, arguments: arguments).map { row in
                AuditEntry(
                    id: try row.text("id"), atMs: try row.integer("at_ms"), actorID: try row.text("actor_id"),
                    actor: try row.text("actor"), action: try row.text("action"),
                    subject: try row.text("subject"), detail: try row.text("detail"),
                    address: try row.text("address"), requestID: try row.text("request_id"),
                    status: try row.optionalInteger("status").map { Int($0) })
            }
        }
    }
}
