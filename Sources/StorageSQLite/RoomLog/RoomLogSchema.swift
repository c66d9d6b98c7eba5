import GRDB

/// The tables of `log.db`.
enum RoomLogSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("log-1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE log (
                        room TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL,
                        document TEXT NOT NULL, author TEXT NOT NULL, committed_at INTEGER NOT NULL,
                        payload BLOB NOT NULL, note TEXT,
                        PRIMARY KEY (room, sequence)
                    ) WITHOUT ROWID;
                    CREATE TABLE snapshots (
                        room TEXT PRIMARY KEY NOT NULL, sequence INTEGER NOT NULL, committed_at INTEGER NOT NULL
                    );
                    CREATE TABLE snapshot_documents (
                        room TEXT NOT NULL REFERENCES snapshots(room) ON DELETE CASCADE,
                        document TEXT NOT NULL, state BLOB NOT NULL, owners TEXT NOT NULL,
                        PRIMARY KEY (room, document)
                    ) WITHOUT ROWID;
                    """)
        }
        // Loading reads what was written beside the documents without reading the documents' history.
        migrator.registerMigration("log-2") { db in
            try db.execute(
                sql: """
                    CREATE INDEX log_story ON log (room, sequence) WHERE kind <> 0;
                    CREATE INDEX log_notes ON log (room, committed_at) WHERE note IS NOT NULL;
                    """)
        }
        migrator.registerMigration("log-checksums", migrate: addChecksums)
        // What commits add, in the order of commits, until it is settled into `log`; see `JournalRow`.
        migrator.registerMigration("log-journal") { db in
            try db.execute(
                sql: "CREATE TABLE journal (position INTEGER PRIMARY KEY, records BLOB NOT NULL)")
        }
        // How much a room has written is read without reading what: the payloads lie in the table's own tree.
        migrator.registerMigration("log-sizes") { db in
            try db.execute(
                sql: """
                    ALTER TABLE log ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (length(payload)) VIRTUAL;
                    CREATE INDEX log_sizes ON log (room, bytes);
                    """)
        }
        return migrator
    }

    /// Records and snapshots carry a checksum (null: written before there were any), the newest two snapshots of a room
    /// are kept, and what recovery takes out of the log is kept aside as it was found.
    private static func addChecksums(_ db: Database) throws {
        try db.execute(
            sql: """
                ALTER TABLE log ADD COLUMN checksum INTEGER;

                CREATE TABLE room_snapshots (
                    room TEXT NOT NULL, sequence INTEGER NOT NULL, committed_at INTEGER NOT NULL,
                    checksum INTEGER,
                    PRIMARY KEY (room, sequence)
                ) WITHOUT ROWID;
                CREATE TABLE room_snapshot_documents (
                    room TEXT NOT NULL, sequence INTEGER NOT NULL, document TEXT NOT NULL,
                    state BLOB NOT NULL, owners TEXT NOT NULL,
                    PRIMARY KEY (room, sequence, document),
                    FOREIGN KEY (room, sequence) REFERENCES room_snapshots (room, sequence) ON DELETE CASCADE
                ) WITHOUT ROWID;
                INSERT INTO room_snapshots SELECT room, sequence, committed_at, NULL FROM snapshots;
                INSERT INTO room_snapshot_documents
                    SELECT room, sequence, document, state, owners FROM snapshot_documents JOIN snapshots USING (room);
                DROP TABLE snapshot_documents;
                DROP TABLE snapshots;

                CREATE TABLE lost_records (
                    room TEXT NOT NULL, sequence INTEGER NOT NULL, found_at INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    kind, document, author, committed_at, payload, note, checksum
                );
                CREATE INDEX lost_records_of_room ON lost_records (room, sequence);
                """)
    }
}
