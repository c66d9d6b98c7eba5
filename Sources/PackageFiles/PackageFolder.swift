import Glibc
import Problems

/// Reads a problem package from a path: a folder, or a zip file by its suffix.
public enum PackageFiles {
    /// The package at `path`. Blocks while it reads.
    public static func read(path: String) throws(ProblemsError) -> PackageTree {
        let name = baseName(path)
        guard let real = realPath(path) else {
            throw ProblemsError(code: .notFound, message: "\(printable(path)) does not exist")
        }
        switch fileType(real) {
        case S_IFDIR: return try PackageFolder.read(real)
        case S_IFREG:
            guard let bytes = readRegularFile(real, atMost: Limits.archiveBytes) else {
                throw ProblemsError(
                    code: .unreadablePackage,
                    message:
                        "\(printable(path)) is larger than \(Limits.archiveBytes) bytes or cannot be read")
            }
            return try PackageArchive.read(bytes, name: archiveName(name))
        default:
            throw ProblemsError(
                code: .unreadablePackage, message: "\(printable(path)) is neither a folder nor a file")
        }
    }

    /// A file's name without `.zip` or `.kpp`: what a package is called whose archive has no folder around it.
    public static func archiveName(_ fileName: String) -> String {
        for suffix in [".zip", ".kpp"] where fileName.lowercased().hasSuffix(suffix) {
            return String(fileName.dropLast(suffix.count))
        }
        return fileName
    }

    static func baseName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Type bits of what the path names, links not followed.
    static func fileType(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    /// Content of a regular file of at most `maximum` bytes; nil for anything else. Never waits on a pipe or device,
    /// and follows no link in the last step.
    static func readRegularFile(_ path: String, atMost maximum: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            Int(status.st_size) <= maximum
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= maximum else { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}

/// Reads a package's folder. Symbolic links are followed as long as they stay inside the package and do not lead back
/// to a folder they lie in; devices, pipes and sockets are faults. Hidden and oddly named files are left out, as the
/// format asks.
enum PackageFolder {
    static func read(_ root: String) throws(ProblemsError) -> PackageTree {
        var walk = FolderWalk(root: root)
        walk.visit(root, path: "", ancestors: [root])
        return try walk.contents.tree(shortName: PackageFiles.baseName(root))
    }
}

private struct FolderWalk {
    let root: String
    var contents = PackageContents()

    init(root: String) { self.root = root }

    /// Takes what lies in the folder `real`, which the package knows as `path`. `ancestors` are the real paths of the
    /// folders on the way.
    mutating func visit(_ real: String, path: String, ancestors: [String]) {
        guard let names = names(in: real) else { return contents.fault(path, "cannot be read") }
        for name in names where !contents.isOverfull {
            contents.countEntry()
            let childPath = path.isEmpty ? name : "\(path)/\(name)"
            switch pathKind(childPath) {
            case .refused(let why): contents.fault(printable(childPath), why)
            case .ignored: continue
            case .regular: take("\(real)/\(name)", path: childPath, ancestors: ancestors)
            }
        }
    }

    private mutating func take(_ child: String, path: String, ancestors: [String]) {
        var real = child
        if PackageFiles.fileType(child) == S_IFLNK {
            guard let target = PackageFiles.realPath(child) else {
                return contents.fault(path, "is a symbolic link to nothing")
            }
            guard target.hasPrefix(root + "/") else {
                return contents.fault(path, "is a symbolic link out of the package")
            }
            real = target
        }
        switch PackageFiles.fileType(real) {
        case S_IFDIR:
            guard !ancestors.contains(real) else {
                return contents.fault(path, "is a symbolic link in a circle")
            }
            if contents.addFolder(path) { visit(real, path: path, ancestors: ancestors + [real]) }
        case S_IFREG:
            let room = contents.room
            if let bytes = PackageFiles.readRegularFile(real, atMost: room) {
                contents.addFile(path, bytes)
            } else if size(real) > room {
                contents.tooLarge(path)
            } else {
                contents.fault(path, "cannot be read")
            }
        default: contents.fault(path, "is a device, pipe or socket")
        }
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Names in a folder, sorted; nil when it cannot be read.
    private func names(in folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            guard names.count <= Limits.entries else { break }
        }
        return names.sorted()
    }
}
