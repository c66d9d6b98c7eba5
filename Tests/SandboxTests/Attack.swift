import Foundation
import Judging
import Testing

/// A program of `fixtures/attacks` with what it must come to, told by comments at its head.
struct Attack: Sendable, CustomTestStringConvertible {
    var path: String
    var language: String
    var expected: Set<String> = []
    /// Verdicts that are also right where layers are missing.
    var expectedWeak: Set<String> = []
    var limits = ExecutionLimits(cpuTimeMs: 1_000, wallTimeMs: 3_000, memoryBytes: 256 << 20)
    var says: [String] = []
    var lacks: [String] = []
    var exitCode: Int32?
    var signal: Int32?
    var truncatesError = false

    var testDescription: String { path }

    static func all(in folder: String) -> [Attack] {
        let names =
            (try? FileManager.default.contentsOfDirectory(
                atPath: Machine.attackFolder.appendingPathComponent(folder).path)) ?? []
        return names.sorted().compactMap { Attack(path: "\(folder)/\($0)") }
    }

    init?(path: String) {
        self.path = path
        guard let language = try? Machine.languages().table.ofFile(path)?.id,
            let bytes = try? Machine.source(path)
        else {
            return nil
        }
        self.language = language
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix(8) {
            let comment = line.drop { "/# ".contains($0) }
            let parts = comment.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if comment == "error-truncated" { truncatesError = true }
            if parts.count == 2 { take(parts[0], parts[1]) }
        }
        guard !expected.isEmpty else { return nil }
    }

    private mutating func take(_ key: String, _ value: String) {
        switch key {
        case "expect": expected = Set(value.split(separator: " ").map(String.init))
        case "weak": expectedWeak = Set(value.split(separator: " ").map(String.init))
        case "says": says.append(value)
        case "lacks": lacks.append(value)
        case "exit": exitCode = Int32(value)
        case "signal": signal = Int32(value)
        case "limits":
            for pair in value.split(separator: " ") {
                let parts = pair.split(separator: "=")
                if parts.count == 2, let number = Int(parts[1]) { setLimit(parts[0], number) }
            }
        default: break
        }
    }

    private mutating func setLimit(_ name: Substring, _ number: Int) {
        switch name {
        case "cpu": limits.cpuTimeMs = number
        case "wall": limits.wallTimeMs = number
        case "memory": limits.memoryBytes = Int64(number) << 20
        case "output": limits.outputBytes = number << 20
        case "processes": limits.processes = number
        default: break
        }
    }
}
