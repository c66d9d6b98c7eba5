import GRDB

/// What accounts have besides their log-in: codes, tokens, profiles.
@Sendable func registerPeopleMigrations(_ migrator: inout DatabaseMigrator) {
    migrator.registerMigration("people-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE one_time_codes (
                    hash BLOB NOT NULL PRIMARY KEY,
                    user_id TEXT NOT NULL,
                    purpose TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    expires_at_ms INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX one_time_codes_of_user ON one_time_codes (user_id, purpose, expires_at_ms);
                CREATE INDEX one_time_codes_by_expiry ON one_time_codes (expires_at_ms);

                CREATE TABLE personal_tokens (
                    id TEXT NOT NULL PRIMARY KEY,
                    user_id TEXT NOT NULL,
                    name TEXT NOT NULL,
                    scopes TEXT NOT NULL,
                    secret_hash BLOB NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    expires_at_ms INTEGER,
                    used_at_ms INTEGER
                ) STRICT;
                CREATE INDEX personal_tokens_of_user ON personal_tokens (user_id, created_at_ms);

                CREATE TABLE profiles (
                    user_id TEXT NOT NULL PRIMARY KEY,
                    display_name TEXT,
                    country TEXT,
                    languages TEXT NOT NULL,
                    time_zone TEXT,
                    bio TEXT
                ) STRICT;
                CREATE TABLE avatars (
                    user_id TEXT NOT NULL PRIMARY KEY,
                    media_type TEXT NOT NULL,
                    bytes BLOB NOT NULL,
                    set_at_ms INTEGER NOT NULL
                ) STRICT;
                """)
    }
}
