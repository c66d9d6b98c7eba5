import ArgumentParser

@main
struct Coduel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "coduel")
}
