import Foundation
import GRDB
import Problems

@Sendable func registerProblemMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("problems-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE problems (
                    id TEXT NOT NULL PRIMARY KEY,
                    title TEXT NOT NULL,
                    search_key TEXT NOT NULL,
                    difficulty INTEGER NOT NULL,
                    topics TEXT NOT NULL,
                    published INTEGER NOT NULL,
                    updated_at_ms INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE problem_topics (
                    topic TEXT NOT NULL,
                    problem_id TEXT NOT NULL REFERENCES problems (id) ON DELETE CASCADE,
                    PRIMARY KEY (topic, problem_id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX topics_of_problem ON problem_topics (problem_id);
                CREATE TABLE problem_files (
                    problem_id TEXT NOT NULL REFERENCES problems (id) ON DELETE CASCADE,
                    path TEXT NOT NULL,
                    content BLOB NOT NULL,
                    PRIMARY KEY (problem_id, path)
                ) STRICT;
                """)
    }
}

/// Problems and the files of their packages in `coduel.db`.
public struct ProblemStoreSQLite: ProblemStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func save(_ summary: ProblemSummary, tree: PackageTree) async throws {
        try await database.write { db in
            try Self.save(db, summary)
            try db.execute(sql: "DELETE FROM problem_files WHERE problem_id = ?", arguments: [summary.id])
            let insert = try db.makeStatement(
                sql: "INSERT INTO problem_files (problem_id, path, content) VALUES (?, ?, ?)")
            for (path, content) in tree.files {
                try insert.execute(arguments: [summary.id, path, Data(content)])
            }
        }
    }

    public func setPublished(
        _ published: Bool, of id: String, atMs: Int64
    ) async throws -> ProblemSummary? {
        try await database.write { db in
            try db.execute(
                sql: "UPDATE problems SET published = ?, updated_at_ms = ? WHERE id = ? AND published <> ?",
                arguments: [published, atMs, id, published])
            return try Self.problem(db, id)
        }
    }

    public func problem(_ id: String) async throws -> ProblemSummary? {
        try await database.read { db in try Self.problem(db, id) }
    }

    private static func problem(_ db: Database, _ id: String) throws -> ProblemSummary? {
        try Row.fetchOne(db, sql: "SELECT * FROM problems WHERE id = ?", arguments: [id]).map(summary)
    }

    public func problems(matching query: ProblemQuery) async throws -> [ProblemSummary] {
        var conditions = ["id > ?"]
        var arguments: StatementArguments = [query.cursor ?? ""]
        if query.publishedOnly { conditions.append("published = 1") }
        if let topic = query.topic {
            conditions.append(
                "EXISTS (SELECT 1 FROM problem_topics WHERE topic = ? AND problem_id = problems.id)")
            arguments += [topic]
        }
        if let difficulty = query.difficulty {
            conditions.append("difficulty = ?")
            arguments += [difficulty]
        }
        if let text = query.text, !text.isEmpty {
            conditions.append("instr(search_key, ?) > 0")
            arguments += [String(decoding: text.utf8.prefix(Limits.searchBytes), as: UTF8.self).lowercased()]
        }
        arguments += [min(max(query.limit, 0), Limits.pageRows)]
        let sql = "SELECT * FROM problems WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT ?"
        let bound = arguments
        return try await database.read { db in
            try Row.fetchAll(db, sql: sql, arguments: bound).map(Self.summary)
        }
    }

    public func tree(_ id: String) async throws -> PackageTree? {
        try await database.read { db in
            let exists = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM problems WHERE id = ?)", arguments: [id])
            guard exists == true else { return nil }
            var files: [String: [UInt8]] = [:]
            let rows = try Row.fetchCursor(
                db, sql: "SELECT path, content FROM problem_files WHERE problem_id = ?", arguments: [id])
            while let row = try rows.next() { files[try row.text("path")] = try row.bytes("content") }
            return PackageTree(shortName: id, files: files)
        }
    }

    /// Changes with every change of the catalogue, whoever made it.
    public func version() async throws -> String? {
        try await database.read { db in
            try String.fetchOne(
                db, sql: "SELECT count(*) || ':' || coalesce(max(updated_at_ms), 0) FROM problems")
        }
    }

    public func count() async throws -> Int {
        try await database.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM problems") ?? 0 }
    }

    private static func save(_ db: Database, _ summary: ProblemSummary) throws {
        try db.execute(
            sql: """
                INSERT INTO problems (id, title, search_key, difficulty, topics, published, updated_at_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET title = excluded.title, search_key = excluded.search_key,
                    difficulty = excluded.difficulty, topics = excluded.topics,
                    published = excluded.published, updated_at_ms = excluded.updated_at_ms
                """,
            arguments: [
                summary.id, summary.title, "\(summary.id)\n\(summary.title)".lowercased(), summary.difficulty,
                try jsonText(summary.topics), summary.published, summary.updatedAtMs,
            ])
        try db.execute(sql: "DELETE FROM problem_topics WHERE problem_id = ?", arguments: [summary.id])
        for topic in Set(summary.topics) {
            try db.execute(
                sql: "INSERT INTO problem_topics (topic, problem_id) VALUES (?, ?)",
                arguments: [topic, summary.id])
        }
    }

    private static func summary(_ row: Row) throws -> ProblemSummary {
        ProblemSummary(
            id: try row.text("id"), title: try row.text("title"),
            difficulty: Int(try row.integer("difficulty")),
            topics: try row.json("topics"), published: try row.flag("published"),
            updatedAtMs: try row.integer("updated_at_ms"))
    }
}
