import ArgumentParser
import CRDT
import Identity
import StorageSQLite

/// `coduel service-accounts …`: keys for programs of somebody else's product.
struct ServiceAccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-accounts", abstract: "Manage service accounts and their keys.",
        subcommands: [Create.self, List.self, AddKey.self, RevokeKey.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a service account with its first key.",
            discussion: """
                Prints one JSON object; the key in it is never shown again. Works beside a running server.

                  coduel service-accounts create --name editor --scope sync-tokens --scope documents:read
                """)

        @Option(help: "A name of 1 to 64 bytes, unique.")
        var name: String

        @Option(
            help: "documents:read, documents:write, sync-tokens or webhooks; repeat it for more. Default all."
        )
        var scope: [String] = []

        @Option(help: "Documents the account may have.")
        var maxDocuments = ServiceQuotas().documents

        @Option(help: "Sync tokens it may mint in a minute.")
        var tokensPerMinute = ServiceQuotas().tokensPerMinute

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await ServiceAccountsCommand.with(data) { services in
                let made = try await services.create(
                    name: name, scopes: try ServiceAccountsCommand.scopes(scope),
                    quotas: ServiceQuotas(documents: maxDocuments, tokensPerMinute: tokensPerMinute))
                let answer: Value = [
                    "id": .string(made.account.id), "name": .string(made.account.name),
                    "key_id": .string(made.key.id), "key": .string(made.text),
                    "scopes": .array(made.key.scopes.map(\.rawValue).sorted().map(Value.string)),
                ]
                print(answer.json)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List service accounts and their keys, one JSON object a line.")

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await ServiceAccountsCommand.with(data) { services in
                var last: String?
                while true {
                    let page = try await services.accounts(after: last, limit: 100)
                    for account in page {
                        let keys = try await services.keys(of: account.id)
                        let line: Value = [
                            "id": .string(account.id), "name": .string(account.name),
                            "keys": .array(keys.map(ServiceAccountsCommand.value)),
                        ]
                        print(line.json)
                    }
                    guard page.count == 100, let end = page.last else { return }
                    last = end.id
                }
            }
        }
    }

    struct AddKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add-key", abstract: "Make another key of a service account.")

        @Option(help: "The account's name.")
        var name: String

        @Option(help: "As for create.")
        var scope: [String] = []

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await ServiceAccountsCommand.with(data) { services in
                let account = try await ServiceAccountsCommand.account(name, services)
                let made = try await services.addKey(
                    to: account.id, scopes: try ServiceAccountsCommand.scopes(scope))
                let answer: Value = ["key_id": .string(made.key.id), "key": .string(made.text)]
                print(answer.json)
            }
        }
    }

    struct RevokeKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke-key",
            abstract: "Revoke a key: it and the sync tokens made with it are refused.",
            discussion: """
                Takes effect at once for what is asked of a running server; sockets that are open stay, which the same \
                call by HTTP closes.
                """)

        @Option(help: "The account's name.")
        var name: String

        @Option(help: "The key's id.")
        var key: String

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await ServiceAccountsCommand.with(data) { services in
                let account = try await ServiceAccountsCommand.account(name, services)
                try await services.revokeKey(key, of: account.id)
            }
        }
    }

    private static func scopes(_ names: [String]) throws -> Set<ServiceScope> {
        guard !names.isEmpty else { return Set(ServiceScope.allCases) }
        return Set(
            try names.map { name in
                guard let scope = ServiceScope(rawValue: name) else {
                    let known = ServiceScope.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandFailure(["\(name) is no scope; there are \(known)"])
                }
                return scope
            })
    }

    private static func value(_ key: ServiceKey) -> Value {
        [
            "id": .string(key.id), "revoked": .bool(key.revokedAtMs != nil),
            "scopes": .array(key.scopes.map(\.rawValue).sorted().map(Value.string)),
        ]
    }

    private static func account(
        _ name: String, _ services: ServiceAccountService
    ) async throws -> ServiceAccount {
        guard let account = try await services.account(named: name) else {
            throw CommandFailure(["there is no service account \(name)"])
        }
        return account
    }

    private static func with(
        _ data: String, _ body: (ServiceAccountService) async throws -> Void
    ) async throws {
        do {
            let database = try CoduelDatabase.open(folder: data)
            let identity = try await IdentityService.start(
                accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database),
                keys: SigningKeyStoreSQLite(database), environment: .system)
            try await body(
                ServiceAccountService(
                    store: ServiceAccountStoreSQLite(database), identity: identity, environment: .system))
            try database.close()
        } catch let error as IdentityError {
            let faults = error.fieldErrors.map { "\($0.field): \($0.message)" }
            throw CommandFailure(faults.isEmpty ? [error.message] : faults)
        } catch let error as StorageError {
            throw CommandFailure([error.message])
        }
    }
}
