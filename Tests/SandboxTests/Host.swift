import Foundation
import Sandbox

/// What guests could have left on the host.
enum Host {
    /// Everything found, as sentences; empty when the host is clean. `sandbox` runs nothing at this time.
    static func traces(of sandbox: Sandbox) -> [String] {
        processes(below: sandbox.helperProcessID) + guestProcesses(of: sandbox.helperProcessID)
            + runGroups(of: sandbox.helperProcessID)
            + sharedMemory(of: sandbox.helperProcessID)
    }

    /// Live processes below the helper; its janitor is its own.
    private static func processes(below helper: Int32) -> [String] {
        let path = "/proc/\(helper)/task/\(helper)/children"
        let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return children.split(separator: " ").compactMap { child in
            let name = (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) ?? ""
            guard !name.isEmpty, !name.hasPrefix("sandbox-janit") else { return nil }
            return "process \(child) (\(name.dropLast())) is left"
        }
    }

    /// Processes under the ids that this helper gives to guests; other helpers may be at work.
    private static func guestProcesses(of helper: Int32) -> [String] {
        let first = 1_900_000_000 + Int(helper) % 65_536 * 64
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
                found += runs.filter { $0.hasPrefix("slot") }.map {
                    "group \(hierarchy)/\(group)/\($0) is left"
                }
            }
        }
        return found
    }

    private static func sharedMemory(of helper: Int32) -> [String] {
        let owners = Set((0..<64).map { Substring(String(1_900_000_000 + Int(helper) % 65_536 * 64 + $0)) })
        let table = (try? String(contentsOfFile: "/proc/sysvipc/shm", encoding: .utf8)) ?? ""
        return table.split(separator: "\n").dropFirst()
            .filter { line in line.split(separator: " ").contains { owners.contains($0) } }
            .map { "segment \($0) is left" }
    }
}
