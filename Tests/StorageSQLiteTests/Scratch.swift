import Foundation
import Identity
import StorageSQLite
import Synchronization

/// A folder of its own for one test, removed at its end.
final class Scratch: Sendable {
    let folder: String

    init() {
        folder =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("coduel-test-\(UUID().uuidString)").path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func open() throws -> CoduelDatabase { try CoduelDatabase.open(folder: folder) }

    func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }
}

/// How often something happened, from many tasks.
func successes(of count: Int, _ body: @escaping @Sendable (Int) async throws -> Bool) async throws -> Int {
    try await withThrowingTaskGroup(of: Bool.self) { group in
        for index in 0..<count { group.addTask { try await body(index) } }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
}

/// The code of the error that a call throws.
func code(_ body: () async throws -> some Any) async -> StorageError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? StorageError)?.code
    }
}
