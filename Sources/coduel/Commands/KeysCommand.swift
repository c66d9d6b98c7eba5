import ArgumentParser
import Identity
import Rooms
import StorageSQLite

/// `coduel keys …`: the keys that sign tokens.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Manage the keys that sign tokens.",
        subcommands: [List.self, Rotate.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the keys, one JSON object a line; never the secrets.")

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await KeysCommand.with(data) { _, store, _ in
                KeysCommand.show(try await store.signingKeys())
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Make a new key.",
            discussion: """
                The new key is published at once and signs after 10 minutes; tokens of the old one stay good until
                they expire. A running server takes it up within 30 s.

                With --at-once, for a key that somebody else may have: the new key signs now, the old ones are removed,
                and every access and sync token is refused from then on. Refresh tokens stay good.
                """)

        @Flag(help: "Remove the old keys now.")
        var atOnce = false

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await KeysCommand.with(data) { identity, _, log in
                let keys = try await identity.rotateKeys(atOnce: atOnce)
                try await log.note(
                    "coduel keys rotate", subject: keys.last?.id ?? "", detail: atOnce ? "at once" : "")
                KeysCommand.show(keys)
            }
        }
    }

    private static func with(
        _ folder: String,
        _ body: (IdentityService, SigningKeyStoreSQLite, AuditLogSQLite) async throws -> Void
    ) async throws {
        do {
            let database = try CoduelDatabase.open(folder: folder)
            let store = SigningKeyStoreSQLite(database)
            let identity = try await IdentityService.start(
                accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database), keys: store,
                environment: .system)
            try await body(identity, store, AuditLogSQLite(database))
            try database.close()
        } catch let error as IdentityError {
            throw CommandFailure([error.message])
        } catch let error as StorageError {
            throw CommandFailure([error.message])
        }
    }

    private static func show(_ keys: [SigningKey]) {
        let signing = SigningKeyRule.signing(keys, atMs: IdentityEnvironment.system.now())
        for key in keys {
            print(
                #"{"kid":"\#(key.id)","created_at":"\#(timestamp(key.createdAtMs))","#
                    + #""active_from":"\#(timestamp(key.activeFromMs))","signs":\#(key == signing)}"#)
        }
    }
}
