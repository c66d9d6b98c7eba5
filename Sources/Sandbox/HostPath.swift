import Glibc

/// Checks of files and folders of the host that guests come near to.
enum HostPath {
    /// What guests see of the host in any case.
    private static let systemFolders = ["/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin"]
    /// Below which nothing is the machine's own.
    private static let personalFolders = ["/home", "/root"]

    /// Why this path, or what it leads to, is not to be trusted with commands or shown to guests; nil when it is:
    /// it belongs to root, or to who runs this process, and nobody else may write it.
    static func fault(of path: String) -> String? {
        guard let resolved = resolve(path) else { return "\(path) is not there" }
        if isBelow(resolved, personalFolders) { return "\(path) lies in a home folder" }
        var status = stat()
        guard stat(resolved, &status) == 0 else { return "\(path) is not there" }
        guard status.st_uid == 0 || (geteuid() != 0 && status.st_uid == geteuid()) else {
            return "\(path) belongs to another user"
        }
        guard status.st_mode & 0o022 == 0 else { return "\(path) may be written by others" }
        return nil
    }

    static func faultOfTool(_ tool: String, mounts: [String]) -> String? {
        if let fault = fault(of: tool) { return fault }
        for path in [tool, resolve(tool) ?? tool] where !isBelow(path, systemFolders + mounts) {
            return "\(path) lies where guests cannot see it"
        }
        return nil
    }

    private static func isBelow(_ path: String, _ folders: [String]) -> Bool {
        folders.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
