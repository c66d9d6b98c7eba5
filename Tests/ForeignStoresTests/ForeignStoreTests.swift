import ForeignStores
import Foundation
import TestSupport
import Testing

/// Stores of other servers: what is read back, and that damage is told and never a trap. Folders that real servers
/// wrote are read by the acceptance tests.
@Suite struct ForeignStoreTests {
    private static func scratch() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "foreign-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func namesOfDocumentsSurviveAsFiles() throws {
        let folder = try Self.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let names = ["notes", "a/b/c", "..", ".hidden", "50% \u{1F600}", "x.y.z", "trailing "]
        for (index, name) in names.enumerated() {
            try UpdateFiles.write(
                ForeignDocument(name: name, updates: [[UInt8(index)]]), to: folder.path)
        }
        let read = try UpdateFiles.documents(at: folder.path)
        #expect(Set(read.map(\.name)) == Set(names))
        for document in read {
            #expect(document.updates == [[UInt8(names.firstIndex(of: document.name) ?? 99)]])
        }
    }

    @Test func hocuspocusFilesAreReadBack() throws {
        let folder = try Self.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "hocuspocus.sqlite").path
        var left = [
            ForeignDocument(name: "two", updates: [[2, 2]]), ForeignDocument(name: "one", updates: [[1]]),
            ForeignDocument(name: "one", updates: [[3]]),
        ]
        try HocuspocusSQLite.write(to: path) { left.isEmpty ? nil : left.removeFirst() }
        #expect(
            try HocuspocusSQLite.documents(in: path) == [
                ForeignDocument(name: "one", updates: [[3]]),
                ForeignDocument(name: "two", updates: [[2, 2]]),
            ])
        #expect(throws: ForeignStoreError.self) { try HocuspocusSQLite.documents(in: folder.path + "/none") }
    }

    /// `data.ysweet` as bincode writes a map.
    private static func ysweet(_ entries: [([UInt8], [UInt8])]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        return entries.reduce(number(entries.count)) { bytes, entry in
            bytes + number(entry.0.count) + entry.0 + number(entry.1.count) + entry.1
        }
    }

    @Test func ySweetFilesAreRead() throws {
        let folder = try Self.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        let document = folder.appending(path: "my-doc")
        try FileManager.default.createDirectory(at: document, withIntermediateDirectories: true)
        let bytes = Self.ysweet([
            ([0, 0] + Array("doc".utf8) + [0], [0, 0, 0, 1]), ([0, 1, 0, 0, 0, 1, 0], [10, 11]),
            ([0, 1, 0, 0, 0, 1, 1], [0]), ([0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0], [12]),
        ])
        let path = document.appending(path: "data.ysweet")
        try Data(bytes).write(to: path)
        let expected = [ForeignDocument(name: "my-doc", updates: [[10, 11], [12]])]
        #expect(try YSweetStore.documents(in: folder.path) == expected)
        #expect(try YSweetStore.documents(in: document.path) == expected)
        for length in 0..<bytes.count {
            try Data(bytes.prefix(length)).write(to: path)
            #expect(throws: ForeignStoreError.self) { try YSweetStore.documents(in: folder.path) }
        }
        try Data(repeating: 0xFF, count: 64).write(to: path)
        #expect(throws: ForeignStoreError.self) { try YSweetStore.documents(in: folder.path) }
    }

    @Test func whatIsNoLevelDBIsTold() throws {
        let folder = try Self.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: ForeignStoreError.self) { try YLevelDB.documents(in: folder.path) }
        try Data("MANIFEST-000001\n".utf8).write(to: folder.appending(path: "CURRENT"))
        #expect(throws: ForeignStoreError.self) { try YLevelDB.documents(in: folder.path) }
        var random = SplitMix64(seed: 5)
        for _ in 0..<200 {
            let bytes = (0..<Int(random.next() % 400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            try Data(bytes).write(to: folder.appending(path: "MANIFEST-000001"))
            _ = try? YLevelDB.documents(in: folder.path)
        }
    }
}
