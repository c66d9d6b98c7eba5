import CPrivileges
import Foundation
import Glibc

/// The folder that holds everything a server keeps, and the one process that may use it.
struct DataFolder {
    /// As this process reaches it from now on.
    let path: String
    private let lock: FolderLock

    /// Makes the folder when it is missing, locks it, hands it to the unprivileged user and gives up root.
    ///
    /// - Throws: `SettingsError` when another server uses the folder, or the user cannot be had.
    static func claim(_ path: String, user wanted: String?) throws -> DataFolder {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw SettingsError("the data folder \(path) cannot be made: \(error.localizedDescription)")
        }
        let lock = try FolderLock(path)
        guard geteuid() == 0 else {
            guard wanted == nil else { throw SettingsError("--user needs the server to be started as root") }
            try check(privileges_harden(), "privileges cannot be given up")
            return DataFolder(path: path, lock: lock)
        }
        let user = try account(wanted, owning: path)
        try handOver(path, to: user)
        var reached = path
        if !isReachable(path, by: user) {
            // Some folder above is closed to that user: show this one where it is not.
            reached = place
            try check(
                privileges_expose(path, placeRoot, place),
                "the data folder \(path) cannot be shown to its user")
        }
        try check(privileges_drop(user.id, user.group), "root cannot be given up")
        return DataFolder(path: reached, lock: lock)
    }

    private static let placeRoot = "/mnt"
    private static let place = "/mnt/coduel-data"

    private struct User {
        var id: uid_t
        var group: gid_t
    }

    private static func account(_ wanted: String?, owning path: String) throws -> User {
        if let wanted {
            guard let entry = getpwnam(wanted) else { throw SettingsError("there is no user \(wanted)") }
            guard entry.pointee.pw_uid != 0 else {
                throw SettingsError("--user \(wanted) is root; name another")
            }
            return User(id: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        }
        var status = stat()
        if stat(path, &status) == 0, status.st_uid != 0 {
            // A folder of group root: its owner's own group then.
            let group = status.st_gid != 0 ? status.st_gid : getpwuid(status.st_uid)?.pointee.pw_gid ?? 0
            if group != 0 { return User(id: status.st_uid, group: group) }
        }
        guard let nobody = getpwnam("nobody"), nobody.pointee.pw_uid != 0 else {
            throw SettingsError("there is no user \"nobody\"; name one with --user")
        }
        return User(id: nobody.pointee.pw_uid, group: nobody.pointee.pw_gid)
    }

    /// What this server and its commands keep in the folder. Nothing else in it is touched: whoever owned the folder
    /// before may have put there what is not theirs, and root must not give it to them.
    private static let databases = ["coduel.db", "log.db"]
    private static let files =
        ["lock"] + databases.flatMap { name in ["", "-journal", "-wal", "-shm"].map { name + $0 } }

    /// Gives the folder and its files to the user. Works on open files: a name that is exchanged meanwhile changes
    /// nothing.
    private static func handOver(_ path: String, to user: User) throws {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0, fchown(folder, user.id, user.group) == 0 else { throw notGiven(path) }
        defer { close(folder) }
        for name in files {
            let item = path + "/" + name
            let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else {
                if errno == ENOENT { continue }
                throw notGiven(item)
            }
            defer { close(file) }
            var status = stat()
            guard fstat(file, &status) == 0 else { throw notGiven(item) }
            guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
                throw SettingsError("\(item) is no plain file of its own; take it away")
            }
            guard fchown(file, user.id, user.group) == 0 else { throw notGiven(item) }
        }
    }

    private static func notGiven(_ item: String) -> SettingsError {
        SettingsError("\(item) cannot be given to its user: \(String(cString: strerror(errno)))")
    }

    /// Whether every folder above lets the user pass.
    private static func isReachable(_ path: String, by user: User) -> Bool {
        guard let real = realpath(path, nil) else { return false }
        defer { free(real) }
        var folder = URL(fileURLWithPath: String(cString: real)).deletingLastPathComponent()
        while true {
            var status = stat()
            guard stat(folder.path, &status) == 0 else { return false }
            let bit: mode_t =
                status.st_uid == user.id ? 0o100 : status.st_gid == user.group ? 0o010 : 0o001
            guard status.st_mode & bit != 0 else { return false }
            if folder.path == "/" { return true }
            folder.deleteLastPathComponent()
        }
    }

    private static func check(_ code: Int32, _ what: String) throws {
        guard code == 0 else { throw SettingsError("\(what): \(String(cString: strerror(code)))") }
    }
}
