import Foundation
import Sandbox
import Testing

/// How the helper may run on this machine.
enum Mode: String, CaseIterable, CustomTestStringConvertible {
    /// As whoever runs the tests: root has everything, others what they are given.
    case asIs = "as is"
    /// As root on a machine without control groups.
    case withoutGroups = "without control groups"
    /// As a user without rights.
    case unprivileged

    var testDescription: String { rawValue }

    /// The modes that can be had here and isolate. Others are said to be left out.
    static let available: [Mode] = allCases.filter { mode in
        if mode != .asIs && getuid() != 0 {
            print("SKIPPED: the sandbox is not tested in the mode \"\(mode.rawValue)\": that takes root")
            return false
        }
        guard let sandbox = try? Machine.sandbox(mode), sandbox.refusal == nil else {
            print("SKIPPED: the sandbox does not isolate here in the mode \"\(mode.rawValue)\"")
            return false
        }
        return true
    }

    /// The helper, or a script that becomes the helper after giving something up.
    func helper() throws -> String {
        switch self {
        case .asIs: return Machine.helperPath
        case .withoutGroups:
            let hide = "mount -t tmpfs -o size=64k none /sys/fs/cgroup && exec \"$0\" \"$@\""
            return try wrapper("exec /usr/bin/unshare --mount /bin/sh -c '\(hide)'")
        case .unprivileged:
            return try wrapper("exec /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups")
        }
    }

    /// Gone with the process.
    private static let folder: URL = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sandbox-\(getpid())")
        atexit { try? FileManager.default.removeItem(at: Mode.folder) }
        return folder
    }()

    /// The build folder may be closed to others: the helper is copied.
    private func wrapper(_ start: String) throws -> String {
        let folder = Self.folder.appendingPathComponent("\(self)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let helper = folder.appendingPathComponent("sandbox-helper").path
        if !FileManager.default.fileExists(atPath: helper) {
            try FileManager.default.copyItem(atPath: Machine.helperPath, toPath: helper)
        }
        let script = folder.appendingPathComponent("start").path
        try Data("#!/bin/sh\n\(start) \(helper) \"$@\"\n".utf8).write(to: URL(fileURLWithPath: script))
        for path in [folder.path, helper, script] { chmod(path, 0o755) }
        return script
    }
}
