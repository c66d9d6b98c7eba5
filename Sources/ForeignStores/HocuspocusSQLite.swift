import Foundation
import GRDB

/// The database of Hocuspocus's SQLite extension: the table `documents`, a name and the whole state as an update.
public enum HocuspocusSQLite {
    /// All documents of a file, by name.
    public static func documents(in path: String) throws(ForeignStoreError) -> [ForeignDocument] {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            return try queue.read { db in
                try Row.fetchAll(db, sql: "SELECT name, data FROM documents ORDER BY name").map { row in
                    guard let name = String.fromDatabaseValue(row["name"]),
                        let data = Data.fromDatabaseValue(row["data"])
                    else { throw ForeignStoreError("\(path) has a document without a name or data") }
                    return ForeignDocument(name: name, updates: [Array(data)])
                }
            }
        } catch let error as ForeignStoreError {
            throw error
        } catch {
            throw ForeignStoreError("\(path) cannot be read: \(error)")
        }
    }

    /// Writes documents into a file, which may be one of Hocuspocus's: of a name that is there it takes the place.
    public static func write(
        to path: String, _ documents: () throws -> ForeignDocument?
    ) throws(ForeignStoreError) {
        do {
            let queue = try DatabaseQueue(path: path)
            try queue.write { db in
                try db.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS "documents" (
                          "name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))
                        """)
                while let document = try documents() {
                    guard let state = document.updates.first, document.updates.count == 1 else { continue }
                    try db.execute(
                        sql: """
                            INSERT INTO "documents" ("name", "data") VALUES (?, ?)
                            ON CONFLICT (name) DO UPDATE SET data = excluded.data
                            """, arguments: [document.name, Data(state)])
                }
            }
            try queue.close()
        } catch {
            throw ForeignStoreError("\(path) cannot be written: \(error)")
        }
    }
}
