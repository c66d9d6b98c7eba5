import GRDB

/// The schema, one list of steps a domain, each in the file of its store. A step that was released is never
/// changed; a new one is added below it.
enum DomainMigrations {
    static let all: [@Sendable (inout DatabaseMigrator) -> Void] = [
        registerAccountMigrations,
        registerSessionMigrations,
        registerProblemMigrations,
        registerSubmissionMigrations,
        registerMatchmakingMigrations,
        registerIdempotencyMigrations,
        registerRoomMigrations,
        registerChatMigrations,
        registerBanMigrations,
        registerVersionMigrations,
        registerServiceAccountMigrations,
        registerWebhookMigrations,
        registerPeopleMigrations,
    ]
}
