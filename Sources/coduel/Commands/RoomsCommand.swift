import ArgumentParser
import CRDT
import ForeignStores
import Gateway
import Identity
import Rooms
import StorageSQLite
import SyncServer

/// `coduel rooms …`: documents moved in from other servers, and out again.
struct RoomsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rooms", abstract: "Move documents in from other servers, and out.",
        subcommands: [Import.self, Export.self])

    enum Source: String, ExpressibleByArgument, CaseIterable {
        case updates
        case updatesV2 = "updates-v2"
        case yLevelDB = "y-leveldb"
        case hocuspocus
        case ySweet = "y-sweet"
    }

    enum Target: String, ExpressibleByArgument, CaseIterable {
        case updates, hocuspocus
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Take documents over from another server's store.",
            discussion: """
                Documents become open rooms (serve --open-rooms) or, with --service-account, documents of that account. \
                What a room has already is merged with what comes; importing twice changes nothing. The server that \
                uses the data folder must be stopped, and so must the one that the store belongs to.
                Prints one JSON object a document; exits 1 when one could not be taken.

                  coduel rooms import --from updates notes.bin plans.bin
                  coduel rooms import --from y-leveldb ./yjs-persistence
                  coduel rooms import --from hocuspocus db.sqlite --service-account editor
                  coduel rooms import --from y-sweet ./store
                """)

        @Option(help: "updates (files, Yjs v1), updates-v2, y-leveldb, hocuspocus or y-sweet.")
        var from: Source

        @Argument(help: "Files or folders.")
        var paths: [String]

        @Option(help: "The service account whose documents they become. Default: open rooms.")
        var serviceAccount: String?

        @Option(help: "The name of the one document; by default the store's, or the file's.")
        var name: String?

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await RoomsCommand.telling {
                var documents: [ForeignDocument] = []
                for path in paths { documents += try RoomsCommand.documents(from, path) }
                if let name {
                    guard documents.count == 1 else {
                        throw CommandFailure(["--name is for one document; there are \(documents.count)"])
                    }
                    documents[0].name = name
                }
                let transfer = try await RoomTransfer(data: data, serviceAccount: serviceAccount)
                var failures = 0
                for document in documents {
                    let outcome = try await transfer.take(
                        document, isV2: from == .updatesV2)
                    print(outcome.json.json)
                    if !outcome.isTaken { failures += 1 }
                }
                try await transfer.close()
                guard failures == 0 else { throw ExitCode.failure }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write documents for another server.",
            discussion: """
                updates writes one file a document (NAME.yjs, the whole state as a Yjs update v1) into a folder, \
                hocuspocus a SQLite file of Hocuspocus. Documents of open rooms and of service accounts go by their \
                own names, those of other rooms by ROOM/DOCUMENT. Works beside a running server.

                  coduel rooms export --to updates ./out
                  coduel rooms export --to hocuspocus db.sqlite --service-account editor
                """)

        @Option(help: "updates or hocuspocus.")
        var to: Target

        @Argument(help: "The folder, or the file.")
        var path: String

        @Option(help: "Only the documents of this service account.")
        var serviceAccount: String?

        @Option(help: "Only this room; repeat it for more. An open room is open/NAME.")
        var room: [String] = []

        @Option(help: "The data folder.")
        var data = "./data"

        func run() async throws {
            try await RoomsCommand.telling {
                let rooms = try await RoomExport(data: data, serviceAccount: serviceAccount, rooms: room)
                var documents: [ForeignDocument] = []
                for id in try await rooms.ids() {
                    for document in try await rooms.documents(of: id) {
                        switch to {
                        case .updates: try UpdateFiles.write(document, to: path)
                        case .hocuspocus: documents.append(document)
                        }
                        print(Value.object(["name": .string(document.name)]).json)
                    }
                }
                if to == .hocuspocus {
                    var left = documents[...]
                    try HocuspocusSQLite.write(to: path) { left.popFirst() }
                }
                try rooms.close()
            }
        }
    }

    private static func documents(
        _ source: Source, _ path: String
    ) throws(ForeignStoreError) -> [ForeignDocument] {
        switch source {
        case .updates, .updatesV2: try UpdateFiles.documents(at: path)
        case .yLevelDB: try YLevelDB.documents(in: path)
        case .hocuspocus: try HocuspocusSQLite.documents(in: path)
        case .ySweet: try YSweetStore.documents(in: path)
        }
    }

    /// Turns what the stores throw into what the command says.
    private static func telling(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as ForeignStoreError {
            throw CommandFailure([error.description])
        } catch let error as StorageError {
            throw CommandFailure([error.message])
        } catch let error as SettingsError {
            throw CommandFailure([error.description])
        } catch let error as RoomLoadError {
            throw CommandFailure(["record \(error.sequence): \(error.message)"])
        }
    }
}
