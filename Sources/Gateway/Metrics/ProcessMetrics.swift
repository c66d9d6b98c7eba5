import Foundation

extension Metric {
    package static let residentMemory = Metric(
        "process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM.")
    package static let virtualMemory = Metric(
        "process_virtual_memory_bytes", .gauge, "Address space of the process.")
    package static let processorTime = Metric(
        "process_cpu_seconds_total", .counter, "User and system CPU time of the process.")
    package static let openDescriptors = Metric(
        "process_open_fds", .gauge, "Open file descriptors.")
    package static let descriptorLimit = Metric(
        "process_max_fds", .gauge, "File descriptors the process may open.")
    package static let startTime = Metric(
        "process_start_time_seconds", .gauge, "When the process began, since 1970.")
    package static let threads = Metric("process_threads", .gauge, "Threads of the process.")
    package static let diskFree = Metric(
        "coduel_data_disk_free_bytes", .gauge, "Space for the server's user on the disk of the data folder.")
    package static let diskSize = Metric(
        "coduel_data_disk_size_bytes", .gauge, "Size of the disk of the data folder.")
}

extension Metrics {
    /// Registers what the kernel says of this process (proc(5)) and of the disk that the data folder is on.
    package func registerProcess(dataFolder: String) {
        gauge(.residentMemory) { ProcessReadings.memory(field: 1) }
        gauge(.virtualMemory) { ProcessReadings.memory(field: 0) }
        gauge(.processorTime) { ProcessReadings.processorSeconds() }
        gauge(.openDescriptors) { ProcessReadings.openDescriptors() }
        gauge(.descriptorLimit) { ProcessReadings.descriptorLimit() }
        gauge(.threads) { ProcessReadings.processField(19) ?? .nan }
        let start = ProcessReadings.startTime() ?? .nan
        gauge(.startTime) { start }
        gauge(.diskFree) { ProcessReadings.disk(dataFolder)?.free ?? .nan }
        gauge(.diskSize) { ProcessReadings.disk(dataFolder)?.size ?? .nan }
    }
}

/// Readings of this process. They work after root was given up, too, when the process may not list its own descriptors.
private enum ProcessReadings {
    /// A field of `/proc/self/statm`, in bytes: 0 the address space, 1 what is in RAM.
    static func memory(field: Int) -> Double {
        let fields = text("/proc/self/statm").split(separator: " ")
        guard fields.indices.contains(field), let pages = Double(fields[field]) else { return .nan }
        return pages * Double(sysconf(CInt(_SC_PAGESIZE)))
    }

    static func processorSeconds() -> Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .nan }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// Since Linux 6.2 the size of the folder is the number of descriptors; older kernels are asked for a list, which a
    /// process that gave up root may not read.
    static func openDescriptors() -> Double {
        var status = Foundation.stat()
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Double(status.st_size) }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else {
            return .nan
        }
        return Double(names.count)
    }

    static func descriptorLimit() -> Double {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .nan }
        return Double(limit.rlim_cur)
    }

    /// Seconds since 1970.
    static func startTime() -> Double? {
        guard let ticks = processField(21),
            let line = text("/proc/stat").split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst(6))
        else { return nil }
        return boot + ticks / Double(sysconf(CInt(_SC_CLK_TCK)))
    }

    /// A number of `/proc/self/stat`, counted from 0; the process's name, which may hold anything, is field 1.
    static func processField(_ field: Int) -> Double? {
        let line = text("/proc/self/stat")
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        return fields.indices.contains(field - 2) ? Double(fields[field - 2]) : nil
    }

    static func disk(_ folder: String) -> (free: Double, size: Double)? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let block = Double(status.f_frsize)
        return (Double(status.f_bavail) * block, Double(status.f_blocks) * block)
    }

    private static func text(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
