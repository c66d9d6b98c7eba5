import CRDT
import Foundation

func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.compactMap { byte -> UInt8? in
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x57
        case 0x41...0x46: byte - 0x37
        default: nil
        }
    }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

/// How much work the property tests do; 1 unless the environment asks for more.
let testScale = ProcessInfo.processInfo.environment["CODUEL_TEST_SCALE"].flatMap(Int.init) ?? 1

/// The seed of the property tests: from the environment, to repeat a failure, or a fixed one.
let testSeed = ProcessInfo.processInfo.environment["CODUEL_TEST_SEED"].flatMap(UInt64.init) ?? 20_250_101

func rerun(_ seed: UInt64, _ filter: String) -> String {
    "seed \(seed); again: CODUEL_TEST_SEED=\(seed) swift test --filter \(filter)"
}

/// SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}

/// The folder of this package.
let repositoryRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The folder of shared data: `CODUEL_SHARED`, else `shared` beside the package.
let sharedFolder: URL? = {
    if let path = ProcessInfo.processInfo.environment["CODUEL_SHARED"] { return URL(fileURLWithPath: path) }
    let folder = repositoryRoot.deletingLastPathComponent().appendingPathComponent("shared")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
}()

/// Lines of a gzip file, by the system's gzip.
func gunzippedLines(_ file: URL) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
}
