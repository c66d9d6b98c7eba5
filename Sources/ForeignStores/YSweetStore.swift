import Foundation

/// The file store of y-sweet: `DOCUMENT/data.ysweet`, a map of keys to values as bincode writes it (a count, then each
/// with its length, eight bytes little-endian). Keys are those of yrs-kvstore: `00 01`, four bytes, then `00` for the
/// state and `02`, four bytes of a number, `00` for an update after it.
public enum YSweetStore {
    private static let fileName = "data.ysweet"

    /// All documents of a folder, by name; a folder that is one document is that.
    public static func documents(in folder: String) throws(ForeignStoreError) -> [ForeignDocument] {
        if FileManager.default.fileExists(atPath: folder + "/" + fileName) {
            return [try document(in: folder, name: URL(fileURLWithPath: folder).lastPathComponent)]
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw ForeignStoreError("\(folder) cannot be read")
        }
        var documents: [ForeignDocument] = []
        for name in names.sorted() {
            let path = folder + "/" + name
            guard FileManager.default.fileExists(atPath: path + "/" + fileName) else { continue }
            documents.append(try document(in: path, name: name))
        }
        guard !documents.isEmpty else { throw ForeignStoreError("\(folder) holds no DOCUMENT/\(fileName)") }
        return documents
    }

    private static func document(in folder: String, name: String) throws(ForeignStoreError) -> ForeignDocument
    {
        guard let data = FileManager.default.contents(atPath: folder + "/" + fileName) else {
            throw ForeignStoreError("\(folder)/\(fileName) cannot be read")
        }
        var cursor = ByteCursor(Array(data)[...])
        var state: [[UInt8]] = []
        var updates: [[UInt8]] = []
        let count = try cursor.littleEndian(8)
        for _ in 0..<count {
            let key = Array(try field(&cursor))
            let value = Array(try field(&cursor))
            guard key.count >= 7, key.starts(with: [0, 1]) else { continue }
            switch (key[6], key.count) {
            case (0, 7): state.append(value)
            case (2, 12): updates.append(value)
            default: break
            }
        }
        guard cursor.isAtEnd else {
            throw ForeignStoreError("\(folder)/\(fileName) has something behind its end")
        }
        return ForeignDocument(name: name, updates: state + updates)
    }

    private static func field(_ cursor: inout ByteCursor) throws(ForeignStoreError) -> ArraySlice<UInt8> {
        guard let length = Int(exactly: try cursor.littleEndian(8)) else { throw ByteCursor.tooShort }
        return try cursor.take(length)
    }
}
