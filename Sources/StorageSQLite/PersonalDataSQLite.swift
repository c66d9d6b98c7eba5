import Foundation
import GRDB
import Identity

/// Everything in `coduel.db` that is about one person, told by one list: what is in it is exported, and erased as it
/// says. A test checks that every table with a column for a person is in it.
public struct PersonalDataSQLite: PersonalDataStore {
    package enum Erasure: Sendable {
        /// The rows go.
        case delete
        /// The rows stay, these columns are emptied or get the new handle.
        case keep([String: Replacement])
    }

    package enum Replacement: Sendable {
        case empty
        case null
        case handle
    }

    package struct Table: Sendable {
        package var name: String
        /// The column with the person's id.
        package var owner: String
        /// What is exported, expressions of SQL; nothing where a row holds a secret only.
        package var columns: [String]
        package var erasure: Erasure
    }

    /// What a validator says of secret tests to those who manage the problem is not the contestant's to read.
    private static let judgementWithoutJudgeMessages = """
        json_set(judgement, '$.tests', (
            SELECT json_group_array(json_remove(value, '$.judgeMessage', '$.judgeMessageBytes'))
            FROM json_each(judgement, '$.tests'))) AS judgement
        """

    /// In the order of the export.
    package static let tables: [Table] = [
        Table(
            name: "accounts", owner: "id",
            columns: ["id", "handle", "email", "email_verified_at_ms", "roles", "created_at_ms"],
            // By `AccountStore.erase`, together with the password.
            erasure: .keep([:])),
        Table(
            name: "profiles", owner: "user_id",
            columns: ["display_name", "country", "languages", "time_zone", "bio"], erasure: .delete),
        Table(
            name: "avatars", owner: "user_id", columns: ["media_type", "bytes", "set_at_ms"],
            erasure: .delete),
        Table(
            name: "sessions", owner: "user_id",
            columns: [
                "id", "created_at_ms", "used_at_ms", "expires_at_ms", "ended_at_ms", "agent", "address",
            ],
            erasure: .keep(["agent": .empty, "address": .empty])),
        Table(
            name: "personal_tokens", owner: "user_id",
            columns: ["id", "name", "scopes", "created_at_ms", "expires_at_ms", "used_at_ms"],
            erasure: .delete),
        Table(
            name: "linked_identities", owner: "user_id",
            columns: ["provider", "issuer", "subject", "label", "created_at_ms"], erasure: .delete),
        Table(
            name: "one_time_codes", owner: "user_id", columns: ["purpose", "expires_at_ms"], erasure: .delete),
        Table(
            name: "bans", owner: "user_id",
            columns: ["reason", "created_at_ms", "expires_at_ms", "lifted_at_ms"], erasure: .keep([:])),
        Table(name: "bans", owner: "banned_by", columns: [], erasure: .keep([:])),
        Table(name: "blocks", owner: "user_id", columns: ["blocked_id", "created_at_ms"], erasure: .delete),
        Table(name: "blocks", owner: "blocked_id", columns: [], erasure: .delete),
        Table(
            name: "submissions", owner: "user_id",
            columns: [
                "id", "problem_id", "language", "source", "sha256", "origin", "status",
                judgementWithoutJudgeMessages, "created_at_ms", "finished_at_ms",
            ],
            erasure: .keep([:])),
        Table(
            name: "ratings", owner: "user_id",
            columns: ["mode", "rating", "deviation", "volatility", "updated_at_ms"], erasure: .keep([:])),
        Table(
            name: "tickets", owner: "user_id",
            columns: [
                "id", "mode", "languages", "topics", "rated", "watch", "created_at_ms", "status", "room_id",
            ],
            erasure: .keep(["handle": .handle])),
        Table(
            name: "rooms", owner: "owner_id", columns: ["id", "kind", "created_at_ms"], erasure: .keep([:])),
        Table(
            name: "invites", owner: "created_by", columns: ["code", "room_id", "expires_at_ms", "used_by"],
            erasure: .delete),
        Table(name: "invites", owner: "used_by", columns: [], erasure: .keep(["used_by": .null])),
        Table(
            name: "room_versions", owner: "created_by", columns: ["room_id", "name", "created_at_ms"],
            erasure: .keep([:])),
        Table(
            name: "audit_log", owner: "actor_id", columns: ["at_ms", "action", "subject"], erasure: .keep([:])
        ),
        Table(
            name: "announcements", owner: "created_by", columns: ["text", "created_at_ms"],
            erasure: .keep([:])),
        Table(name: "second_factors", owner: "user_id", columns: ["confirmed_at_ms"], erasure: .delete),
        Table(name: "recovery_codes", owner: "user_id", columns: [], erasure: .delete),
        Table(name: "idempotency_keys", owner: "user_id", columns: [], erasure: .delete),
        // Those of service accounts; a person owns none.
        Table(name: "webhooks", owner: "owner_id", columns: [], erasure: .keep([:])),
    ]

    /// `TABLE.COLUMN` of every column in the schema that names a person, by the names that such columns have.
    package static func columnsOfPeople(_ database: CoduelDatabase) async throws -> Set<String> {
        try await database.read { db in
            let names = [
                "user_id", "owner_id", "created_by", "used_by", "banned_by", "blocked_id", "author_id",
                "actor_id",
            ]
            let found = try String.fetchAll(
                db,
                sql: """
                    SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c
                    WHERE t.type = 'table' AND c.name IN (\(placeholders(names.count)))
                    """, arguments: StatementArguments(names))
            return Set(found).union(["accounts.id"])
        }
    }

    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    /// Byte columns are base64. Chat lines are those of the archive. O(rows of the person).
    public func export(of userID: String) async throws -> String {
        try await database.read { db in
            var parts: [String] = []
            for table in Self.tables where !table.columns.isEmpty {
                let rows = try Row.fetchAll(
                    db,
                    sql:
                        "SELECT \(table.columns.joined(separator: ", ")) FROM \(table.name) WHERE \(table.owner) = ?",
                    arguments: [userID])
                parts.append("\"\(table.name)\":[\(try rows.map(Self.json).joined(separator: ","))]")
            }
            let lines = try String.fetchAll(
                db, sql: "SELECT line FROM chat_archive WHERE json_extract(line, '$.author.id') = ?",
                arguments: [userID])
            parts.append("\"chat\":[\(lines.joined(separator: ","))]")
            return "{\(parts.joined(separator: ","))}"
        }
    }

    public func erase(_ userID: String, handle: String) async throws {
        try await database.write { db in
            for table in Self.tables {
                switch table.erasure {
                case .delete:
                    try db.execute(
                        sql: "DELETE FROM \(table.name) WHERE \(table.owner) = ?", arguments: [userID])
                case .keep(let replacements):
                    for (column, replacement) in replacements {
                        let value: String? =
                            switch replacement {
                            case .empty: ""
                            case .null: nil
                            case .handle: handle
                            }
                        try db.execute(
                            sql: "UPDATE \(table.name) SET \(column) = ? WHERE \(table.owner) = ?",
                            arguments: [value, userID])
                    }
                }
            }
            try db.execute(
                sql: """
                    UPDATE chat_archive
                    SET line = json_set(line, '$.text', '', '$.author.handle', ?, '$.deleted', json('true'))
                    WHERE json_extract(line, '$.author.id') = ?
                    """, arguments: [handle, userID])
        }
    }

    private static func json(_ row: Row) throws -> String {
        var members: [String: DatabaseValue] = [:]
        for (name, value) in row { members[name] = value }
        let fields = try members.sorted { $0.key < $1.key }.map { name, value in
            "\"\(name)\":\(try json(value))"
        }
        return "{\(fields.joined(separator: ","))}"
    }

    private static func json(_ value: DatabaseValue) throws -> String {
        switch value.storage {
        case .null: "null"
        case .int64(let number): String(number)
        case .double(let number): number.isFinite ? String(number) : "null"
        case .string(let text): try jsonText(text)
        case .blob(let data): try jsonText(data.base64EncodedString())
        }
    }
}
