import Problems

/// Gathers the files of one package under the bounds of `Limits`, and the faults on the way: all or nothing.
struct PackageContents {
    private(set) var files: [String: [UInt8]] = [:]
    private(set) var faults: [PackageFault] = []
    private var leftOut = 0
    private var entries = 0
    private(set) var totalBytes = 0
    /// Lower-cased paths of files and folders, to see what a file system would mix up.
    private var filesByKey: [String: String] = [:]
    private var foldersByKey: [String: String] = [:]
    /// Reading on is pointless once a bound is passed.
    private(set) var isOverfull = false

    mutating func fault(_ path: String, _ message: String) {
        guard faults.count < Limits.faults else {
            leftOut += 1
            return
        }
        faults.append(PackageFault(path: path, message: message))
    }

    /// Counts one more file or folder.
    mutating func countEntry() {
        entries += 1
        if entries > Limits.entries, !isOverfull {
            isOverfull = true
            fault("", "holds more than \(Limits.entries) files and folders")
        }
    }

    /// Bytes the next file may have; a longer one is a fault.
    var room: Int { min(Limits.fileBytes, Limits.totalBytes - totalBytes) }

    mutating func tooLarge(_ path: String) {
        if room < Limits.fileBytes {
            isOverfull = true
            fault("", "unpacks to more than \(Limits.totalBytes) bytes")
        } else {
            fault(path, "is larger than \(Limits.fileBytes) bytes")
        }
    }

    /// Notes a folder; false when its path meets a file's or another spelling of it.
    mutating func addFolder(_ path: String) -> Bool {
        var prefix = ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty ? String(part) : "/\(part)"
            let key = prefix.lowercased()
            if let other = foldersByKey[key], other != prefix {
                fault(prefix, "differs from \(other) in case only")
                return false
            }
            if filesByKey[key] != nil {
                fault(prefix, "is a file and a folder")
                return false
            }
            foldersByKey[key] = prefix
        }
        return true
    }

    mutating func addFile(_ path: String, _ bytes: [UInt8]) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        guard addFolder(folder) else { return }
        let key = path.lowercased()
        if let other = filesByKey[key] {
            fault(path, other == path ? "is there twice" : "differs from \(other) in case only")
            return
        }
        if foldersByKey[key] != nil {
            fault(path, "is a file and a folder")
            return
        }
        filesByKey[key] = path
        totalBytes += bytes.count
        files[path] = bytes
    }

    /// The tree, or an error that lists every fault.
    func tree(shortName: String) throws(ProblemsError) -> PackageTree {
        guard faults.isEmpty else {
            let more = leftOut == 0 ? [] : [PackageFault(path: "", message: "\(leftOut) more faults")]
            throw ProblemsError(
                code: .unreadablePackage, message: "\(printable(shortName)) cannot be read as a package",
                faults: faults + more)
        }
        return PackageTree(shortName: shortName, files: files)
    }
}

/// How a path inside a package is taken.
enum PathKind: Equatable {
    case regular
    /// Names the format allows but ignores: beginning with a dot or dash, or with other characters than letters,
    /// digits, `_`, `.` and `-`.
    case ignored
    /// Refused: why.
    case refused(String)
}

/// Judges a relative path. `.timelimit` at the package's root is the one hidden file that counts.
func pathKind(_ path: String) -> PathKind {
    guard path.utf8.count <= Limits.pathBytes else {
        return .refused("has a path of more than \(Limits.pathBytes) bytes")
    }
    guard !path.isEmpty, path.utf8.first != 0x2f else { return .refused("has an absolute or empty path") }
    guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0x5c }),
        path.utf8.dropFirst().first != 0x3a
    else { return .refused("has a name with control characters, a backslash or a drive letter") }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= Limits.depth + 1 else {
        return .refused("is nested deeper than \(Limits.depth) folders")
    }
    var isIgnored = false
    for part in parts {
        if part.isEmpty || part == "." || part == ".." {
            return .refused("has an empty, . or .. part in its path")
        }
        if part.utf8.count > Limits.nameBytes {
            return .refused("has a name of more than \(Limits.nameBytes) bytes")
        }
        if !isPackageName(part) { isIgnored = true }
    }
    return isIgnored && path != ".timelimit" ? .ignored : .regular
}

/// `[a-zA-Z0-9_][a-zA-Z0-9_.-]*`, as the package format defines names.
private func isPackageName(_ name: Substring) -> Bool {
    func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
        default: false
        }
    }
    guard let first = name.utf8.first, isWord(first) else { return false }
    return name.utf8.allSatisfy { isWord($0) || $0 == 0x2e || $0 == 0x2d }
}

/// Text from outside for a message: control characters replaced, at most 100 characters.
func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(100).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) })
}
