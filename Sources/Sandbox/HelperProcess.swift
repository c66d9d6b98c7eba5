import Glibc
import Synchronization

/// The helper as a child process: started once, waited for once.
final class HelperProcess: Sendable {
    let pid: pid_t
    private let isReaped = Mutex(false)

    private init(pid: pid_t) { self.pid = pid }

    /// Starts the helper with `socket` as its descriptor 3, `languages` as descriptor 4, an empty environment and a session of its own (a
    /// terminal's interrupt is not for it). All else but standard error it closes itself, first thing.
    /// `posix_spawn(3)`: no copy of this process's memory is made, and no thread is needed.
    static func start(
        path: String, slots: Int, socket: Descriptor, languages: Descriptor
    ) throws(SandboxError) -> HelperProcess {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard posix_spawn_file_actions_init(&actions) == 0 else { throw failure("posix_spawn", errno) }
        defer { posix_spawn_file_actions_destroy(&actions) }
        guard posix_spawnattr_init(&attributes) == 0 else { throw failure("posix_spawn", errno) }
        defer { posix_spawnattr_destroy(&attributes) }
        // The numbers wanted may be taken by each other: the second is lifted out of the way first.
        posix_spawn_file_actions_adddup2(&actions, languages.number, 5)
        posix_spawn_file_actions_adddup2(&actions, socket.number, 3)
        posix_spawn_file_actions_adddup2(&actions, 5, 4)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        let setSession: Int32 = 0x80
        let flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK) | setSession
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var pid: pid_t = 0
        let result = withCStrings([path, String(slots)]) { arguments in
            withCStrings([]) { environment in
                posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
        guard result == 0 else { throw failure(path, result) }
        return HelperProcess(pid: pid)
    }

    /// Waits at most that long for its end; true when it has ended.
    func waitForEnd(atMostMs limit: Int) -> Bool {
        for _ in 0...max(0, limit) {
            if reapIfEnded() { return true }
            usleep(1_000)
        }
        return false
    }

    /// True when the process has ended.
    func reapIfEnded() -> Bool {
        isReaped.withLock { reaped in
            if reaped { return true }
            let result = waitpid(pid, nil, WNOHANG)
            reaped = result == pid || (result < 0 && errno == ECHILD)
            return reaped
        }
    }

    /// Ends it by force; without effect where this process has given up the right to.
    func kill() {
        isReaped.withLock { reaped in
            if !reaped { _ = Glibc.kill(pid, SIGKILL) }
        }
    }

    private static func failure(_ what: String, _ error: Int32) -> SandboxError {
        SandboxError(.helperFailed, "\(what): \(String(cString: strerror(error)))")
    }
}

/// Calls with a null-ended array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
}
