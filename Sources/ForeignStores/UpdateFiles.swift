import Foundation

/// Documents as files, one a document: the whole state as an update of Yjs. The name of the file is that of the
/// document, with `%` and two digits for what a file name cannot hold.
public enum UpdateFiles {
    public static let ending = "yjs"
    private static let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~ ".utf8)
    private static let nameBytes = 240

    /// A file, or the files of a folder, with the names of their documents; contents as they are.
    public static func documents(at path: String) throws(ForeignStoreError) -> [ForeignDocument] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw ForeignStoreError("\(path) does not exist")
        }
        guard isFolder.boolValue else { return [try document(at: path)] }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw ForeignStoreError("\(path) cannot be read")
        }
        var documents: [ForeignDocument] = []
        for name in names.sorted() where !name.hasPrefix(".") {
            documents.append(try document(at: path + "/" + name))
        }
        return documents
    }

    private static func document(at path: String) throws(ForeignStoreError) -> ForeignDocument {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ForeignStoreError("\(path) cannot be read")
        }
        var name = URL(fileURLWithPath: path).lastPathComponent
        if let dot = name.lastIndex(of: "."), dot > name.startIndex { name = String(name[..<dot]) }
        return ForeignDocument(name: name.removingPercentEncoding ?? name, updates: [Array(data)])
    }

    /// Writes a document; an older file of the same name is replaced.
    public static func write(_ document: ForeignDocument, to folder: String) throws(ForeignStoreError) {
        guard let state = document.updates.first, document.updates.count == 1 else { return }
        let name = fileName(of: document.name)
        guard name.utf8.count <= nameBytes else {
            throw ForeignStoreError("the name of \(document.name.prefix(80))… is too long for a file")
        }
        let path = "\(folder)/\(name).\(ending)"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(state).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ForeignStoreError("\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    private static func fileName(of name: String) -> String {
        var out = ""
        for (index, byte) in name.utf8.enumerated() {
            if plain.contains(byte), index > 0 || byte != UInt8(ascii: ".") {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                out += "%" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        return out
    }
}
