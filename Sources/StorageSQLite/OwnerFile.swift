import Glibc

/// Files and folders that only their owner may read.
enum OwnerFile {
    static func makeFolder(_ path: String) throws(StorageError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix.hasSuffix("/") ? String(part) : "/" + part
            guard mkdir(prefix, 0o700) != 0, errno != EEXIST else { continue }
            let reason = String(cString: strerror(errno))
            // A folder above ours may refuse `mkdir` (read-only, no rights) and yet be there.
            guard access(prefix, F_OK) == 0 else {
                throw StorageError(code: .openFailed, message: "cannot make the folder \(prefix): \(reason)")
            }
        }
    }

    /// Makes the file when it is missing. An existing one is never opened here: closing any descriptor of a
    /// database drops the locks that this process holds on it.
    static func make(_ path: String, in folder: String) throws(StorageError) {
        let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            Glibc.close(descriptor)
            try sync(folder: folder)
        } else if errno != EEXIST {
            throw StorageError(
                code: .openFailed, message: "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        guard chmod(path, 0o600) == 0 else {
            throw StorageError(
                code: .openFailed,
                message: "cannot set the mode of \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Makes the entry of a new file durable.
    private static func sync(folder: String) throws(StorageError) {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StorageError(code: .openFailed, message: "cannot open the folder \(folder)")
        }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StorageError(code: .inputOutput, message: "cannot sync the folder \(folder)")
        }
    }
}
