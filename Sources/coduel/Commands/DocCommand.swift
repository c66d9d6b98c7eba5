import ArgumentParser
import CRDT
import Foundation

/// `coduel doc …`: Yjs updates as files.
struct DocCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doc", abstract: "Work on Yjs update files.",
        subcommands: [
            Apply.self, DocMerge.self, DocDiff.self, DocConvert.self, DocInspect.self, DocReplica.self,
        ])

    enum Version: String, ExpressibleByArgument, CaseIterable {
        case v1
        case v2
    }

    enum RootKind: String {
        case text
        case map
        case array
        case xml
    }

    /// `NAME:KIND`; a name may hold colons.
    struct Root: ExpressibleByArgument {
        var name: String
        var kind: RootKind

        init?(argument: String) {
            guard let colon = argument.lastIndex(of: ":"),
                let kind = RootKind(rawValue: String(argument[argument.index(after: colon)...]))
            else { return nil }
            name = String(argument[..<colon])
            self.kind = kind
        }
    }

    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply updates in order to one document; prints one JSON object.",
            discussion: """
                {"state_vector":{"<client>":clock},"pending":bool,"roots":{NAME:value}}; a refused update exits 1.

                Examples:
                  coduel doc apply a.bin b.bin --root text:text --root files:map
                  coduel doc apply a.bin --root notes:text --delta --out state.bin
                """)

        @Argument(help: "Update files.")
        var files: [String]

        @Option(help: "Format of the files.")
        var from: Version = .v1

        @Option(help: ArgumentHelp("A root type to print: text, map, array or xml.", valueName: "name:kind"))
        var root: [Root] = []

        @Flag(help: "Print texts as deltas.")
        var delta = false

        @Option(help: ArgumentHelp("Write the document's state as one update.", valueName: "file"))
        var out: String?

        @Option(help: "Format of the written file.")
        var to: Version = .v1

        func run() throws {
            let document = Document(clientID: 0)
            for file in files {
                do throws(UpdateError) {
                    let bytes = try DocCommand.read(file)
                    if from == .v1 {
                        try document.applyUpdate(bytes)
                    } else {
                        try document.applyUpdateV2(bytes)
                    }
                } catch {
                    DocCommand.complain("\(file): \(error)")
                    throw ExitCode.failure
                }
            }
            if let out {
                let state = to == .v1 ? document.encodeStateAsUpdate() : document.encodeStateAsUpdateV2()
                try DocCommand.write(state, to: out)
            }
            print(report(document).json)
        }

        private func report(_ document: Document) -> Value {
            let clocks = document.stateVector.clients.sorted { $0.key < $1.key }
                .map { Value.Entry(String($0.key), .number(Double($0.value))) }
            let roots = root.map { root in
                let value: Value
                switch root.kind {
                case .text:
                    value = delta ? .array(document.delta(root.name)) : .string(document.text(root.name))
                case .map: value = .object(document.mapEntries(root.name))
                case .array: value = .array(document.array(root.name))
                case .xml: value = .string(document.xml(root.name))
                }
                return Value.Entry(root.name, value)
            }
            return [
                "state_vector": .object(clocks), "pending": .bool(document.hasPending),
                "roots": .object(roots),
            ]
        }
    }

    /// Decodes a file, or complains and ends with exit code 1.
    static func update(_ file: String, _ version: Version) throws -> Update {
        do throws(UpdateError) {
            let bytes = try read(file)
            return version == .v1 ? try Update(decodingV1: bytes) : try Update(decodingV2: bytes)
        } catch {
            complain("\(file): \(error)")
            throw ExitCode.failure
        }
    }

    static func read(_ file: String) throws(UpdateError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw UpdateError(code: .malformed, offset: 0, message: "the file cannot be read")
        }
        return Array(data)
    }

    static func write(_ bytes: [UInt8], to file: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file))
    }

    static func complain(_ message: String) {
        FileHandle.standardError.write(Data("coduel doc: \(message)\n".utf8))
    }
}
