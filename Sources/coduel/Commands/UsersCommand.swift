import ArgumentParser
import Glibc
import Identity
import StorageSQLite

/// `coduel users …`: accounts made where the data is, for the first administrator and for scripts.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Manage accounts.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make an account; its password is read from standard input.",
            discussion: """
                Prints one JSON object. Works beside a running server.

                  coduel users create --handle ada --role admin --password-stdin < password.txt
                """)

        /// The roles that can be given; a guest has no password.
        enum AssignableRole: String, ExpressibleByArgument, CaseIterable {
            case user, author, moderator, admin
        }

        @Option(help: "3 to 20 of A-Z a-z 0-9 _ -, unique without regard to case.")
        var handle: String

        @Option(help: "user, author, moderator or admin.")
        var role: AssignableRole

        @Flag(help: "Read the password from standard input; a line break at its end is no part of it.")
        var passwordStdin = false

        @Option(help: "The data folder.")
        var data = "./data"

        func validate() throws {
            guard passwordStdin else {
                throw ValidationError("The password comes from standard input: add --password-stdin.")
            }
        }

        func run() async throws {
            do {
                let password = try StandardInput.secret(limit: Identity.Limits.passwordBytes)
                guard let role = Role(rawValue: role.rawValue) else { throw ExitCode.validationFailure }
                let database = try CoduelDatabase.open(folder: data)
                let identity = try await IdentityService.start(
                    accounts: AccountStoreSQLite(database), sessions: SessionStoreSQLite(database),
                    keys: SigningKeyStoreSQLite(database), environment: .system)
                let account = try await identity.createUser(handle: handle, role: role, password: password)
                try await AuditLogSQLite(database).note(
                    "coduel users create", subject: account.id, detail: "role \(role.rawValue)")
                try database.close()
                let roles = account.roles.map { #""\#($0.rawValue)""# }.sorted().joined(separator: ",")
                print(#"{"id":"\#(account.id)","handle":"\#(account.handle)","roles":[\#(roles)]}"#)
            } catch let error as IdentityError {
                let faults = error.fieldErrors.map { "\($0.field): \($0.message)" }
                throw CommandFailure(
                    faults.isEmpty ? [error.message] : faults.map { "\(handle): \($0)" })
            } catch let error as StorageError {
                throw CommandFailure([error.message])
            }
        }
    }
}

extension IdentityEnvironment {
    /// The machine's clock and its secure generator.
    static let system = IdentityEnvironment(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        },
        randomBytes: { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        })
}

/// A fault that is told on standard error, every reason on a line, with exit code 1.
struct CommandFailure: Error, CustomStringConvertible {
    var reasons: [String]

    init(_ reasons: [String]) {
        self.reasons = reasons
    }

    var description: String { reasons.joined(separator: "\n") }
}

enum StandardInput {
    /// A secret from standard input, to its end, without one line break there. Throws when it is longer than
    /// `limit` bytes, or no UTF-8.
    static func secret(limit: Int) throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= limit + 2 {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure(["Standard input cannot be read."]) }
            if count == 0 { break }
            bytes.append(contentsOf: buffer.prefix(count))
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard bytes.count <= limit else { throw CommandFailure(["The password is too long."]) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(["The password is no UTF-8 text."])
        }
        return text
    }
}
