import GRDB
import Rooms

@Sendable func registerChatMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("chat-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE chat_archive (
                    room_id TEXT NOT NULL,
                    document TEXT NOT NULL,
                    position INTEGER NOT NULL,
                    id TEXT NOT NULL,
                    line TEXT NOT NULL,
                    PRIMARY KEY (room_id, document, position),
                    UNIQUE (room_id, document, id)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE blocks (
                    user_id TEXT NOT NULL,
                    blocked_id TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    PRIMARY KEY (user_id, blocked_id)
                ) STRICT, WITHOUT ROWID;
                """)
    }
}

/// Chat lines for which their document has no room any more, in `coduel.db`.
public struct ChatArchiveSQLite: ChatArchive {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func store(_ lines: [ChatLine], document: String, room: String) async throws {
        try await database.write { db in
            var position =
                try Int64.fetchOne(
                    db, sql: "SELECT max(position) FROM chat_archive WHERE room_id = ? AND document = ?",
                    arguments: [room, document]) ?? 0
            for line in lines {
                position += 1
                try db.execute(
                    sql: """
                        INSERT INTO chat_archive (room_id, document, position, id, line) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (room_id, document, id) DO UPDATE SET line = excluded.line
                        """, arguments: [room, document, position, line.id, line.json])
            }
        }
    }

    public func lines(
        room: String, document: String, before: String?, limit: Int
    ) async throws -> [ChatLine] {
        try await database.read { db in
            let position = try before.flatMap { id in
                try Int64.fetchOne(
                    db,
                    sql: "SELECT position FROM chat_archive WHERE room_id = ? AND document = ? AND id = ?",
                    arguments: [room, document, id])
            }
            let texts = try String.fetchAll(
                db,
                sql: """
                    SELECT line FROM chat_archive WHERE room_id = ? AND document = ? AND position < ?
                    ORDER BY position DESC LIMIT ?
                    """,
                arguments: [room, document, position ?? Int64.max, min(limit, Limits.pageRows)])
            return try texts.map(Self.line)
        }
    }

    public func line(_ id: String, room: String, document: String) async throws -> ChatLine? {
        try await database.read { db in
            try String.fetchOne(
                db, sql: "SELECT line FROM chat_archive WHERE room_id = ? AND document = ? AND id = ?",
                arguments: [room, document, id]
            ).map(Self.line)
        }
    }

    public func replace(_ line: ChatLine, room: String, document: String) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE chat_archive SET line = ? WHERE room_id = ? AND document = ? AND id = ?",
                arguments: [line.json, room, document, line.id])
            return db.changesCount == 1
        }
    }

    private static func line(_ json: String) throws -> ChatLine {
        guard let line = ChatLine(json: json) else {
            throw StorageError(code: .corrupt, message: "chat_archive holds a line that is none")
        }
        return line
    }
}

/// Whom users do not want to hear, in `coduel.db`.
public struct BlockStoreSQLite: BlockStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func block(_ blockedID: String, by userID: String, limit: Int, atMs: Int64) async throws -> Bool {
        try await database.write { db in
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM blocks WHERE user_id = ? AND blocked_id <> ?",
                arguments: [userID, blockedID])
            guard (count ?? 0) < limit else { return false }
            try db.execute(
                sql: """
                    INSERT INTO blocks (user_id, blocked_id, created_at_ms) VALUES (?, ?, ?)
                    ON CONFLICT DO NOTHING
                    """, arguments: [userID, blockedID, atMs])
            return true
        }
    }

    public func unblock(_ blockedID: String, by userID: String) async throws {
        try await database.write { db in
            try db.execute(
                sql: "DELETE FROM blocks WHERE user_id = ? AND blocked_id = ?",
                arguments: [userID, blockedID])
        }
    }

    public func blocked(by userID: String) async throws -> [BlockedUser] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT blocked_id, created_at_ms FROM blocks WHERE user_id = ?
                    ORDER BY created_at_ms DESC, blocked_id
                    """, arguments: [userID]
            ).map { BlockedUser(userID: try $0.text("blocked_id"), sinceMs: try $0.integer("created_at_ms")) }
        }
    }

    public func isBlocked(_ otherID: String, by userID: String) async throws -> Bool {
        try await database.read { db in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM blocks WHERE user_id = ? AND blocked_id = ?)",
                arguments: [userID, otherID]) ?? false
        }
    }
}
