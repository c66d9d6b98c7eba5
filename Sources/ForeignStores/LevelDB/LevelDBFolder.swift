import Foundation

/// The newest values of all keys of a LevelDB folder that nobody writes to meanwhile. Reads only; the whole content is
/// in memory.
struct LevelDBFolder {
    private struct Entry {
        var sequence: UInt64
        /// Nil: deleted.
        var value: [UInt8]?
    }

    private let path: String
    private var entries: [[UInt8]: Entry] = [:]

    /// - Throws: where a file is missing, damaged, or none of LevelDB's.
    init(path: String) throws(ForeignStoreError) {
        self.path = path
        let current = String(decoding: try bytes(of: "CURRENT"), as: UTF8.self)
        let manifest = String(current.prefix { $0 != "\n" })
        guard manifest.hasPrefix("MANIFEST-"), !manifest.contains("/") else {
            throw ForeignStoreError("\(path)/CURRENT names no manifest")
        }
        var version = Version()
        for record in try LogRecords.all(in: bytes(of: manifest)) { try version.apply(record) }
        for table in version.tables.sorted() { try readTable(table) }
        for log in try logs() where log >= version.logNumber || log == version.previousLog {
            try readLog(log)
        }
    }

    /// Keys with their values, in the order of their bytes.
    var values: [(key: [UInt8], value: [UInt8])] {
        entries.compactMap { key, entry in entry.value.map { (key, $0) } }
            .sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }

    private func bytes(of name: String) throws(ForeignStoreError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path + "/" + name) else {
            throw ForeignStoreError("\(path)/\(name) cannot be read")
        }
        return Array(data)
    }

    private static func name(_ number: UInt64, _ ending: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "." + ending
    }

    private func logs() throws(ForeignStoreError) -> [UInt64] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw ForeignStoreError("\(path) cannot be read")
        }
        return names.filter { $0.hasSuffix(".log") }.compactMap { UInt64($0.dropLast(4)) }.sorted()
    }

    private mutating func readTable(_ number: UInt64) throws(ForeignStoreError) {
        // Old versions called them .sst.
        let names = [Self.name(number, "ldb"), Self.name(number, "sst")]
        let name = names.first { FileManager.default.fileExists(atPath: path + "/" + $0) } ?? names[0]
        var found: [(key: [UInt8], sequence: UInt64, value: [UInt8]?)] = []
        try SortedTable.forEach(in: bytes(of: name)) { (key, value) throws(ForeignStoreError) in
            guard key.count >= 8 else { throw ForeignStoreError("\(name) has a key without a number") }
            var cursor = ByteCursor(key[(key.count - 8)...])
            let tag = try cursor.littleEndian(8)
            found.append((Array(key.dropLast(8)), tag >> 8, tag & 0xFF == 1 ? Array(value) : nil))
        }
        for entry in found { keep(entry.key, entry.sequence, entry.value) }
    }

    private mutating func readLog(_ number: UInt64) throws(ForeignStoreError) {
        for record in try LogRecords.all(in: bytes(of: Self.name(number, "log"))) {
            var cursor = ByteCursor(record[...])
            var sequence = try cursor.littleEndian(8)
            let count = try cursor.littleEndian(4)
            for _ in 0..<count {
                let type = try cursor.byte()
                let key = Array(try cursor.prefixed())
                keep(key, sequence, type == 1 ? Array(try cursor.prefixed()) : nil)
                sequence &+= 1
            }
        }
    }

    private mutating func keep(_ key: [UInt8], _ sequence: UInt64, _ value: [UInt8]?) {
        if let known = entries[key], known.sequence >= sequence { return }
        entries[key] = Entry(sequence: sequence, value: value)
    }

    /// The files that the manifest's edits leave.
    private struct Version {
        var tables: Set<UInt64> = []
        var logNumber: UInt64 = 0
        var previousLog: UInt64 = 0

        mutating func apply(_ record: [UInt8]) throws(ForeignStoreError) {
            var cursor = ByteCursor(record[...])
            while !cursor.isAtEnd {
                switch try cursor.varint() {
                case 1:
                    let comparator = String(decoding: try cursor.prefixed(), as: UTF8.self)
                    guard comparator == "leveldb.BytewiseComparator" else {
                        throw ForeignStoreError("the database has an order of its own: \(comparator)")
                    }
                case 2: logNumber = try cursor.varint()
                case 3, 4: _ = try cursor.varint()
                case 5:
                    _ = try cursor.varint()
                    _ = try cursor.prefixed()
                case 6:
                    _ = try cursor.varint()
                    tables.remove(try cursor.varint())
                case 7:
                    _ = try cursor.varint()
                    tables.insert(try cursor.varint())
                    _ = try cursor.varint()
                    _ = try cursor.prefixed()
                    _ = try cursor.prefixed()
                case 9: previousLog = try cursor.varint()
                default: throw ForeignStoreError("the manifest has an entry of an unknown kind")
                }
            }
        }
    }
}
