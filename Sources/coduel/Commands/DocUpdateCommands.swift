import ArgumentParser
import CRDT
import Foundation

/// The functions of Yjs on updates as bytes, without a document.
struct DocMerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Merge updates into one, as Y.mergeUpdates does.",
        discussion: "Example: coduel doc merge a.bin b.bin --out ab.bin")

    @Argument(help: "Update files.")
    var files: [String]

    @Option(help: "Format of all files.")
    var from: DocCommand.Version = .v1

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    func validate() throws {
        if files.isEmpty { throw ValidationError("Name at least one update.") }
    }

    func run() throws {
        // A single update is given back as it is.
        if files.count == 1 {
            _ = try DocCommand.update(files[0], from)
            return try DocCommand.write(try DocCommand.read(files[0]), to: out)
        }
        let merged = Update.merge(try files.map { try DocCommand.update($0, from) })
        try DocCommand.write(from == .v1 ? merged.bytes : merged.encodedV2(), to: out)
    }
}

struct DocDiff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "What of an update a state vector lacks, as Y.diffUpdate gives it.",
        discussion: """
            The state vector is a file as Y.encodeStateVector writes it.

            Example: coduel doc diff all.bin --state-vector have.bin --out missing.bin
            """)

    @Argument(help: "The update.")
    var file: String

    @Option(help: ArgumentHelp("The state vector.", valueName: "file"))
    var stateVector: String

    @Option(help: "Format of the update.")
    var from: DocCommand.Version = .v1

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    func run() throws {
        let update = try DocCommand.update(file, from)
        let vector: StateVector
        do throws(UpdateError) {
            vector = try StateVector(decoding: try DocCommand.read(stateVector))
        } catch {
            DocCommand.complain("\(stateVector): \(error)")
            throw ExitCode.failure
        }
        let difference = update.difference(since: vector)
        try DocCommand.write(from == .v1 ? difference.bytes : difference.encodedV2(), to: out)
    }
}

struct DocConvert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Convert an update between the formats, as Yjs does.",
        discussion: "Example: coduel doc convert a.v1 --from v1 --to v2 --out a.v2")

    @Argument(help: "The update.")
    var file: String

    @Option(help: "Format of the update.")
    var from: DocCommand.Version = .v1

    @Option(help: "Format to write.")
    var to: DocCommand.Version

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    func run() throws {
        let update = try DocCommand.update(file, from)
        try DocCommand.write(to == .v1 ? update.withoutSubFlags().bytes : update.encodedV2(), to: out)
    }
}

struct DocInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "List the structs and deletions of an update, one JSON object a line.",
        discussion: "Example: coduel doc inspect a.bin")

    @Argument(help: "The update.")
    var file: String

    @Option(help: "Format of the update.")
    var from: DocCommand.Version = .v1

    func run() throws {
        let update = try DocCommand.update(file, from)
        update.forEachStruct { print($0.json) }
        for range in update.deletes {
            let deletion: Value = [
                "delete": .string("\(range.client):\(range.from)"),
                "length": .integer(Int(range.to - range.from)),
            ]
            print(deletion.json)
        }
    }
}
