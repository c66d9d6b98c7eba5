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
    migrator.registerMigration("people-2") { db in
        try db.execute(
            sql: """
                CREATE TABLE linked_identities (
                    id TEXT NOT NULL PRIMARY KEY,
                    issuer TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    user_id TEXT NOT NULL,
                    provider TEXT NOT NULL,
                    label TEXT,
                    created_at_ms INTEGER NOT NULL,
                    UNIQUE (issuer, subject)
                ) STRICT;
                CREATE INDEX linked_identities_of_user ON linked_identities (user_id, created_at_ms);
                """)
    }
    migrator.registerMigration("administration-1") { db in
        // The log only grows: the database itself refuses to change or remove an entry.
        try db.execute(
            sql: """
                CREATE TABLE audit_log (
                    id TEXT NOT NULL PRIMARY KEY,
                    at_ms INTEGER NOT NULL,
                    actor_id TEXT NOT NULL,
                    actor TEXT NOT NULL,
                    action TEXT NOT NULL,
                    subject TEXT NOT NULL,
                    detail TEXT NOT NULL,
                    address TEXT NOT NULL,
                    request_id TEXT NOT NULL
                ) STRICT;
                CREATE INDEX audit_log_of_actor ON audit_log (actor_id, id);
                CREATE INDEX audit_log_of_subject ON audit_log (subject, id);
                CREATE TABLE audit_ends (
                    id TEXT NOT NULL PRIMARY KEY,
                    status INTEGER NOT NULL
                ) STRICT;
                CREATE TRIGGER audit_log_is_kept BEFORE UPDATE ON audit_log
                    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
                CREATE TRIGGER audit_log_only_grows BEFORE DELETE ON audit_log
                    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
                CREATE TRIGGER audit_ends_are_kept BEFORE UPDATE ON audit_ends
                    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
                CREATE TRIGGER audit_ends_only_grow BEFORE DELETE ON audit_ends
                    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;

                CREATE TABLE announcements (
                    id TEXT NOT NULL PRIMARY KEY,
                    kind TEXT NOT NULL,
                    text TEXT NOT NULL,
                    created_by TEXT NOT NULL,
                    created_at_ms INTEGER NOT NULL,
                    expires_at_ms INTEGER
                ) STRICT;
                CREATE TABLE door_settings (
                    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
                    settings TEXT NOT NULL
                ) STRICT;
                """)
    }
    migrator.registerMigration("second-factors-1") { db in
        try db.execute(
            sql: """
                CREATE TABLE second_factors (
                    user_id TEXT NOT NULL PRIMARY KEY,
                    sealed_secret TEXT NOT NULL,
                    confirmed_at_ms INTEGER,
                    last_step INTEGER
                ) STRICT;
                CREATE TABLE recovery_codes (
                    user_id TEXT NOT NULL,
                    hash BLOB NOT NULL,
                    PRIMARY KEY (user_id, hash)
                ) STRICT, WITHOUT ROWID;
                """)
    }
}
