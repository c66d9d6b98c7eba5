import GRDB
import Matchmaking

@Sendable func registerMatchmakingMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("matchmaking-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE tickets (
                    id TEXT NOT NULL PRIMARY KEY,
                    user_id TEXT NOT NULL,
                    handle TEXT NOT NULL,
                    mode TEXT NOT NULL,
                    languages TEXT NOT NULL,
                    topics TEXT NOT NULL,
                    rated INTEGER NOT NULL,
                    watch TEXT NOT NULL,
                    rating TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    status TEXT NOT NULL,
                    room_id TEXT
                ) STRICT;
                CREATE INDEX tickets_waiting ON tickets (created_at_ms, id) WHERE status = 'waiting';
                CREATE INDEX tickets_of_user ON tickets (user_id, id);

                CREATE TABLE ratings (
                    user_id TEXT NOT NULL,
                    mode TEXT NOT NULL,
                    rating REAL NOT NULL,
                    deviation REAL NOT NULL,
                    volatility REAL NOT NULL,
                    updated_at_ms INTEGER,
                    PRIMARY KEY (user_id, mode)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX ratings_by_mode ON ratings (mode, rating);

                CREATE TABLE settled_battles (
                    battle_id TEXT NOT NULL PRIMARY KEY,
                    mode TEXT NOT NULL
                ) STRICT, WITHOUT ROWID;
                """)
    }
}

/// Tickets and ratings in `coduel.db`.
public struct MatchmakingStoreSQLite: MatchmakingStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func save(_ ticket: Ticket) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO tickets (id, user_id, handle, mode, languages, topics, rated, watch, rating,
                        created_at_ms, status, room_id)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, languages = excluded.languages,
                        topics = excluded.topics, rated = excluded.rated, watch = excluded.watch,
                        rating = excluded.rating, status = excluded.status, room_id = excluded.room_id
                    """,
                arguments: [
                    ticket.id, ticket.userID, ticket.handle, ticket.mode.rawValue,
                    try jsonText(ticket.languages),
                    try jsonText(ticket.topics), ticket.rated, ticket.watch.rawValue,
                    try jsonText(ticket.rating),
                    ticket.createdAtMs, ticket.status.rawValue, ticket.roomID,
                ])
        }
    }

    public func ticket(_ id: String) async throws -> Ticket? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM tickets WHERE id = ?", arguments: [id]).map(Self.ticket)
        }
    }

    public func waitingTickets() async throws -> [Ticket] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM tickets WHERE status = 'waiting' ORDER BY created_at_ms, id"
            ).map(Self.ticket)
        }
    }

    public func markMatched(_ ticketIDs: [String], roomID: String) async throws -> Bool {
        let ids = Set(ticketIDs)
        return try await database.write { db in
            for id in ids {
                let status = try String.fetchOne(
                    db, sql: "SELECT status FROM tickets WHERE id = ?", arguments: [id])
                guard status == TicketStatus.waiting.rawValue else { return false }
            }
            for id in ids {
                try db.execute(
                    sql: "UPDATE tickets SET status = 'matched', room_id = ? WHERE id = ?",
                    arguments: [roomID, id])
            }
            return true
        }
    }

    public func end(_ ticketID: String, as status: TicketStatus) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE tickets SET status = ? WHERE id = ? AND status = 'waiting'",
                arguments: [status.rawValue, ticketID])
            return db.changesCount == 1
        }
    }

    public func rating(of userID: String, mode: MatchMode) async throws -> Rating? {
        try await database.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM ratings WHERE user_id = ? AND mode = ?",
                arguments: [userID, mode.rawValue])
            return try row.map {
                Rating(
                    rating: try $0.real("rating"), deviation: try $0.real("deviation"),
                    volatility: try $0.real("volatility"),
                    updatedAtMs: try $0.optionalInteger("updated_at_ms"))
            }
        }
    }

    public func settle(battleID: String, mode: MatchMode, ratings: [String: Rating]) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO settled_battles (battle_id, mode) VALUES (?, ?)
                    ON CONFLICT (battle_id) DO NOTHING
                    """, arguments: [battleID, mode.rawValue])
            guard db.changesCount == 1 else { return false }
            for (userID, rating) in ratings {
                try db.execute(
                    sql: """
                        INSERT INTO ratings (user_id, mode, rating, deviation, volatility, updated_at_ms)
                        VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (user_id, mode) DO UPDATE SET rating = excluded.rating,
                            deviation = excluded.deviation, volatility = excluded.volatility,
                            updated_at_ms = excluded.updated_at_ms
                        """,
                    arguments: [
                        userID, mode.rawValue, rating.rating, rating.deviation, rating.volatility,
                        rating.updatedAtMs,
                    ])
            }
            return true
        }
    }

    private static func ticket(_ row: Row) throws -> Ticket {
        Ticket(
            id: try row.text("id"), userID: try row.text("user_id"), handle: try row.text("handle"),
            mode: try row.choice("mode"), languages: try row.json("languages"),
            topics: try row.json("topics"),
            rated: try row.flag("rated"), watch: try row.choice("watch"), rating: try row.json("rating"),
            createdAtMs: try row.integer("created_at_ms"), status: try row.choice("status"),
            roomID: try row.optionalText("room_id"))
    }
}
