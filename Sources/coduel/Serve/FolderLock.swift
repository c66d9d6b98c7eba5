import Glibc

/// Keeps a data folder for one process: two servers would both believe that they own the rooms.
struct FolderLock {
    private let descriptor: Int32

    /// - Throws: `SettingsError` when another process has it.
    init(_ path: String) throws(SettingsError) {
        descriptor = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SettingsError("the data folder \(path) cannot be written to") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw SettingsError("another coduel runs on the data folder \(path)")
        }
    }

    func release() { close(descriptor) }
}
