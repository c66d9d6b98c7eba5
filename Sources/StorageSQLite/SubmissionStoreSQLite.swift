import Foundation
import GRDB
import Judging

@Sendable func registerSubmissionMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("submissions-1") { db in
        // The source is a blob: text columns end at the first NUL.
        try db.execute(
            sql: """
                CREATE TABLE submissions (
                    id TEXT NOT NULL PRIMARY KEY,
                    user_id TEXT NOT NULL,
                    problem_id TEXT NOT NULL,
                    language TEXT NOT NULL,
                    source BLOB NOT NULL,
                    sha256 TEXT NOT NULL,
                    origin TEXT,
                    status TEXT NOT NULL,
                    judgement TEXT,
                    attempts INTEGER NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    finished_at_ms INTEGER
                ) STRICT;
                CREATE INDEX submissions_unfinished ON submissions (created_at_ms, id)
                    WHERE status <> 'finished';
                CREATE INDEX submissions_of_user ON submissions (user_id, id);
                CREATE INDEX submissions_of_problem ON submissions (problem_id, id);
                """)
    }
}

/// Submissions in `coduel.db`.
public struct SubmissionStoreSQLite: SubmissionStore, JudgementStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func insert(_ submission: Submission) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO submissions (id, user_id, problem_id, language, source, sha256, origin, status,
                        judgement, attempts, created_at_ms, finished_at_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
                    """,
                arguments: [
                    submission.id, submission.userID, submission.problemID, submission.language,
                    Data(submission.source.utf8), submission.sha256, try submission.origin.map(jsonText),
                    submission.status.rawValue, try submission.judgement.map(jsonText), submission.attempts,
                    submission.createdAtMs, submission.finishedAtMs,
                ])
            return db.changesCount == 1
        }
    }

    public func submission(_ id: String) async throws -> Submission? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM submissions WHERE id = ?", arguments: [id])
                .map(Self.submission)
        }
    }

    public func unfinished() async throws -> [Submission] {
        try await database.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM submissions WHERE status <> 'finished' ORDER BY created_at_ms, id"
            ).map(Self.submission)
        }
    }

    /// Moving to `finished` is only for `finish`, and an error here.
    public func advance(_ id: String, to status: SubmissionStatus, beginsAttempt: Bool) async throws {
        guard status != .finished else {
            throw StorageError(code: .invalidValue, message: "a submission is finished by its judgement")
        }
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE submissions SET status = ?, attempts = attempts + ?
                    WHERE id = ? AND status <> 'finished'
                    """, arguments: [status.rawValue, beginsAttempt ? 1 : 0, id])
        }
    }

    public func finish(_ id: String, _ judgement: Judgement, atMs: Int64) async throws -> Bool {
        try await database.write { db in
            try db.execute(
                sql: """
                    UPDATE submissions SET status = 'finished', judgement = ?, finished_at_ms = ?
                    WHERE id = ? AND status <> 'finished'
                    """, arguments: [try jsonText(judgement), atMs, id])
            return db.changesCount == 1
        }
    }

    public func finished(to problemID: String, limit: Int) async throws -> [Submission] {
        try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM submissions WHERE problem_id = ? AND status = 'finished'
                    ORDER BY id DESC LIMIT ?
                    """, arguments: [problemID, max(limit, 0)]
            ).map(Self.submission)
        }
    }

    public func replaceJudgement(
        _ id: String, old: Judgement, new: Judgement, atMs: Int64
    ) async throws -> Bool {
        try await database.write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM submissions WHERE id = ? AND status = 'finished'", arguments: [id])
            guard let row, try Self.submission(row).judgement == old else { return false }
            try db.execute(
                sql: "UPDATE submissions SET judgement = ?, finished_at_ms = ? WHERE id = ?",
                arguments: [try jsonText(new), atMs, id])
            return true
        }
    }

    /// Submissions of a user, of a problem, or of a user to a problem, newest first. `cursor` is the id of the last
    /// one of the page before, exclusive; ids are UUIDv7, so their order is that of their making.
    public func submissions(
        of userID: String? = nil, to problemID: String? = nil, before cursor: String? = nil, limit: Int
    ) async throws -> [Submission] {
        var conditions = ["1"]
        var arguments: StatementArguments = []
        for (column, value) in [("user_id =", userID), ("problem_id =", problemID), ("id <", cursor)] {
            guard let value else { continue }
            conditions.append("\(column) ?")
            arguments += [value]
        }
        arguments += [min(max(limit, 0), Limits.pageRows)]
        let sql = """
            SELECT * FROM submissions WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?
            """
        let bound = arguments
        return try await database.read { db in
            try Row.fetchAll(db, sql: sql, arguments: bound).map(Self.submission)
        }
    }

    private static func submission(_ row: Row) throws -> Submission {
        Submission(
            id: try row.text("id"), userID: try row.text("user_id"), problemID: try row.text("problem_id"),
            language: try row.text("language"),
            source: String(decoding: try row.bytes("source"), as: UTF8.self),
            sha256: try row.text("sha256"),
            origin: try row.optionalText("origin") == nil ? nil : row.json("origin"),
            status: try row.choice("status"),
            judgement: try row.optionalText("judgement") == nil ? nil : row.json("judgement"),
            attempts: Int(try row.integer("attempts")), createdAtMs: try row.integer("created_at_ms"),
            finishedAtMs: try row.optionalInteger("finished_at_ms"))
    }
}
