/// The persistence of y-websocket's server: y-leveldb. Keys are lists of texts (`00`, then lib0's `varString`) and
/// numbers (`01`, then four bytes, most significant first); `["v1", name, "update", n]` holds an update.
public enum YLevelDB {
    /// All documents of a folder, by name.
    ///
    /// - Throws: where the folder is none of LevelDB's, or damaged.
    public static func documents(in folder: String) throws(ForeignStoreError) -> [ForeignDocument] {
        var found: [String: [[UInt8]]] = [:]
        // In the order of the keys, which is that of the numbers.
        for (key, value) in try LevelDBFolder(path: folder).values {
            guard let name = try documentName(ofUpdate: key) else { continue }
            found[name, default: []].append(value)
        }
        return found.sorted { $0.key < $1.key }.map { ForeignDocument(name: $0.key, updates: $0.value) }
    }

    /// The document that the key of an update belongs to; nil for other keys.
    private static func documentName(ofUpdate key: [UInt8]) throws(ForeignStoreError) -> String? {
        var cursor = ByteCursor(key[...])
        var texts: [String] = []
        while !cursor.isAtEnd {
            switch try cursor.byte() {
            case 0:
                guard let text = String(validating: try cursor.prefixed(), as: UTF8.self) else { return nil }
                texts.append(text)
            case 1: _ = try cursor.take(4)
            default: return nil
            }
        }
        return texts.count == 3 && texts[0] == "v1" && texts[2] == "update" ? texts[1] : nil
    }
}
