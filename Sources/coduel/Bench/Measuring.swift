import CRDT
import Foundation

/// Clocks and memory of this process.
enum Measuring {
    struct Elapsed {
        var wall: Double
        var cpu: Double
    }

    /// Runs `body`; wall and CPU time in ms.
    static func timed<Result>(_ body: () -> Result) -> (result: Result, time: Elapsed) {
        let cpu = cpuMs()
        let start = ContinuousClock.now
        let result = body()
        let wall = start.duration(to: .now) / .milliseconds(1)
        return (result, Elapsed(wall: wall, cpu: cpuMs() - cpu))
    }

    /// Runs `body` several times; wall times in ms. `prepare` comes before each and is not measured.
    static func repeated(_ count: Int, prepare: () -> Void = {}, _ body: () -> Void) -> [Double] {
        (0..<count).map { _ in
            prepare()
            return timed(body).time.wall
        }
    }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }

    private static func cpuMs() -> Double {
        let usage = usage()
        func ms(_ time: timeval) -> Double { Double(time.tv_sec) * 1000 + Double(time.tv_usec) / 1000 }
        return ms(usage.ru_utime) + ms(usage.ru_stime)
    }

    static func peakMB() -> Double { Double(usage().ru_maxrss) / 1024 }

    static func residentMB() -> Double {
        let pages = (FileManager.default.contents(atPath: "/proc/self/statm"))
            .flatMap { String(decoding: $0, as: UTF8.self).split(separator: " ").dropFirst().first }
            .flatMap { Double($0) }
        return (pages ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }

    /// Gives memory that was freed back to the system, so that what is allocated next shows in `residentMB`. The
    /// function is glibc's alone and in none of the headers that Swift imports.
    static func returnFreeMemory() {
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
    }

    /// A figure with three decimal places.
    static func value(_ figure: Double) -> Value { .number((figure * 1000).rounded() / 1000) }

    static func median(_ figures: [Double]) -> Double { figures.sorted()[figures.count / 2] }
}
