import ArgumentParser

/// All commands of the executable, in the order of `--help`.
enum Commands {
    static let all: [any ParsableCommand.Type] = [
        ServeCommand.self, UsersCommand.self, KeysCommand.self, SecretsCommand.self,
        ServiceAccountsCommand.self,
        SandboxCommand.self,
        DoctorCommand.self, DocCommand.self,
        BenchCommand.self, RoomsCommand.self, ProblemsCommand.self,
    ]
}
