import Foundation
import Sandbox

/// What guests could have left on the host.
enum Host {
    /// Everything found, as sentences; empty when the host is clean. `sandbox` runs nothing at this time: its boxes
    /// may stand by, each with its warden alone in it.
    static func traces(of sandbox: Sandbox) -> [String] {
        let helper = sandbox.helperProcessID
        return processes(below: helper) + guestProcesses(of: helper) + runGroups(of: helper)
            + ipcObjects(of: helper) + mounts()
    }

    private static func children(of process: Substring) -> [Substring] {
        let path = "/proc/\(process)/task/\(process)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ")
    }

    /// Live processes below the helper beside its janitor and the wardens of its boxes.
    private static func processes(below helper: Int32) -> [String] {
        children(of: "\(helper)").flatMap { child -> [String] in
            let name = (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) ?? ""
            if name.isEmpty || name.hasPrefix("sandbox-janit") { return [] }
            // A box that is being built has its name not yet.
            guard name == "box\n" || name == "sandbox-helper\n" else {
                return ["process \(child) (\(name.dropLast())) is left"]
            }
            return children(of: child).map { "process \($0) is left in a box" }
        }
    }

    /// Mounts of the host's namespace that were not there when the first test looked.
    private static func mounts() -> [String] {
        mountPoints().subtracting(firstMounts).map { "mount \($0) is left" }.sorted()
    }

    private static let firstMounts = mountPoints()

    private static func mountPoints() -> Set<Substring> {
        let table = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        return Set(table.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(4).first })
    }

    /// Processes under the ids that this helper gives to guests; other helpers may be at work.
    private static func guestProcesses(of helper: Int32) -> [String] {
        let first = 1_900_000_000 + Int(helper) % 65_536 * 128
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { entry in
            guard Int(entry) != nil,
                let attributes = try? FileManager.default.attributesOfItem(atPath: "/proc/\(entry)"),
                let owner = attributes[.ownerAccountID] as? Int, (first..<first + 64).contains(owner)
            else { return nil }
            return "process \(entry) of guest \(owner) is left"
        }
    }

    private static func runGroups(of helper: Int32) -> [String] {
        let files = FileManager.default
        let root = "/sys/fs/cgroup"
        var found: [String] = []
        for hierarchy in [root]
            + ((try? files.contentsOfDirectory(atPath: root)) ?? []).map({ "\(root)/\($0)" })
        {
            let groups = (try? files.contentsOfDirectory(atPath: hierarchy)) ?? []
            for group in groups where group.hasPrefix("coduel-") && group.hasSuffix("-\(helper)") {
                let runs = (try? files.contentsOfDirectory(atPath: "\(hierarchy)/\(group)")) ?? []
                for run in runs where run.hasPrefix("slot") && run != "slot-boxes" {
                    let path = "\(hierarchy)/\(group)/\(run)"
                    let text = (try? String(contentsOfFile: path + "/cgroup.procs", encoding: .utf8)) ?? ""
                    let wardens = children(of: "\(helper)")
                    let members = text.split(separator: "\n").filter { !wardens.contains($0) }
                    if !members.isEmpty {
                        found.append("group \(path) holds \(members)")
                    }
                }
            }
        }
        return found
    }

    /// System V objects of the host's own IPC namespace that belong to guests.
    private static func ipcObjects(of helper: Int32) -> [String] {
        let owners = Set((0..<128).map { Substring(String(1_900_000_000 + Int(helper) % 65_536 * 128 + $0)) })
        return ["shm", "sem", "msg"].flatMap { kind in
            let table = (try? String(contentsOfFile: "/proc/sysvipc/\(kind)", encoding: .utf8)) ?? ""
            return table.split(separator: "\n").dropFirst()
                .filter { line in line.split(separator: " ").contains { owners.contains($0) } }
                .map { "\(kind) \($0) is left" }
        }
    }
}
