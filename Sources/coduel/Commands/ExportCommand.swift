import ArgumentParser
import Foundation
import PackageFiles
import Problems
import StorageSQLite

/// `coduel problems export`: a problem of the catalogue as a package again.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a problem's package as a zip file.",
        discussion: """
            Import reads it back as the same package.

            Example:
              coduel problems export radar --out radar.zip --data ./data
            """)

    @Argument(help: ArgumentHelp("The problem.", valueName: "id"))
    var problem: String

    @Option(help: ArgumentHelp("Where to write; the problem's name with .zip.", valueName: "file"))
    var out: String?

    @Option(help: "The data folder.")
    var data = "./data"

    func run() async throws {
        do {
            let database = try CoduelDatabase.open(folder: data)
            guard let tree = try await ProblemCatalogue(store: ProblemStoreSQLite(database)).tree(problem)
            else {
                throw CommandFailure(["there is no problem \(problem)"])
            }
            let path = out ?? "\(tree.shortName).zip"
            try Data(PackageExport.zip(tree)).write(to: URL(fileURLWithPath: path), options: .atomic)
            print("\(path): \(tree.files.count) files")
            try database.close()
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(["\(error)"])
        }
    }
}
