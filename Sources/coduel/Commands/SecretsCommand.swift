import ArgumentParser
import Foundation
import Identity
import StorageSQLite

/// `coduel secrets …`: the key that seals what is secret in the data base.
struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "Manage the key that seals secrets in the data base.",
        subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Bring all sealed secrets under a new key.",
            discussion: """
                Seeds of second factors and secrets of webhooks are sealed; this needs the server stopped.

                With the key in DATA/encryption.key a new one is made and takes its place. With CODUEL_ENCRYPTION_KEY
                put the new key in front of the old one (NEW,OLD), run this, and drop the old one.
                """)

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            do {
                let lock = try FolderLock(data)
                defer { lock.release() }
                var known = try EncryptionKeys(
                    dataFolder: data, environment: ProcessInfo.processInfo.environment)
                if let path = known.path {
                    let new = IdentityEnvironment.system.randomBytes(SecretBox.keyBytes)
                    // Both, until every secret is under the new one: a crash in between loses nothing.
                    try EncryptionKeys.write([new] + known.keys, to: path)
                    known = try EncryptionKeys(dataFolder: data, environment: [:])
                }
                let box = try known.box()
                let database = try CoduelDatabase.open(folder: data)
                let changed =
                    try await SecondFactorStoreSQLite(database).rewrap(with: box)
                    + WebhookStoreSQLite(database, box: box).rewrap(with: box)
                try await AuditLogSQLite(database).note(
                    "coduel secrets rotate", subject: "", detail: "\(changed) secrets")
                try database.close()
                if let path = known.path { try EncryptionKeys.write(Array(known.keys.prefix(1)), to: path) }
                print(#"{"changed":\#(changed)}"#)
            } catch let error as IdentityError {
                throw CommandFailure([error.message])
            } catch let error as StorageError {
                throw CommandFailure([error.message])
            } catch let error as SettingsError {
                throw CommandFailure([error.description])
            }
        }
    }
}
