import Foundation
import Judging
import Problems
import TestSupport
import Testing

/// The default validator against one that was written independently (`reference_validator.py`, from the specification,
/// with exact rationals), and against Kattis's own where `CODUEL_KATTIS_VALIDATOR` names its executable. Random cases,
/// `CODUEL_TEST_SCALE` times 5,000 (50 for the executable, which is started for each).
@Suite struct ValidatorFuzzTests {
    private struct Case: Encodable {
        var answer: [UInt8]
        var output: [UInt8]
        var flags: [String]

        enum CodingKeys: CodingKey { case answer, output, flags }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(hexadecimal(answer), forKey: .answer)
            try container.encode(hexadecimal(output), forKey: .output)
            try container.encode(flags, forKey: .flags)
        }

        private func hexadecimal(_ bytes: [UInt8]) -> String {
            bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }

        var isAccepted: Bool {
            var parsed = ValidatorFlags(
                caseSensitive: flags.contains("case_sensitive"),
                spaceChangeSensitive: flags.contains("space_change_sensitive"))
            for (name, value) in zip(flags, flags.dropFirst()) {
                guard let tolerance = Double(value) else { continue }
                if name != "float_absolute_tolerance" { parsed.relativeTolerance = tolerance }
                if name != "float_relative_tolerance" { parsed.absoluteTolerance = tolerance }
            }
            return OutputComparer.mismatch(output: output, answer: answer, flags: parsed) == nil
        }

        var description: String {
            let texts = [answer, output].map { String(decoding: $0, as: UTF8.self).debugDescription }
            return "answer \(texts[0]), output \(texts[1]), flags \(flags)"
        }
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "there is no python3"))
    func agreesWithTheReference() throws {
        var random = SeededGenerator()
        var maker = CaseMaker()
        let cases = (0..<5_000 * testScale).map { _ in maker.next(using: &random) }.map {
            Case(answer: $0.answer, output: $0.output, flags: $0.flags)
        }
        let lines = try cases.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) + "\n" }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("reference_validator.py")
        let answers = try run("/usr/bin/python3", [script.path], input: Data(lines.joined().utf8))
        let expected = String(decoding: answers.output, as: UTF8.self).split(separator: "\n")
        try #require(expected.count == cases.count)
        #expect(expected.contains("42") && expected.contains("43"))
        for (index, one) in cases.enumerated() where one.isAccepted != (expected[index] == "42") {
            Issue.record(
                "\(one.description): ours \(one.isAccepted), reference \(expected[index]); \(random)")
            return
        }
    }

    @Test(.enabled(if: kattis != nil, "CODUEL_KATTIS_VALIDATOR names no executable"))
    func agreesWithKattis() throws {
        let path = try #require(Self.kattis)
        var random = SeededGenerator()
        var maker = CaseMaker()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let answer = folder.appendingPathComponent("test.ans")
        let feedback = folder.appendingPathComponent("feedback")
        try FileManager.default.createDirectory(at: feedback, withIntermediateDirectories: true)
        for _ in 0..<50 * testScale {
            let made = maker.next(using: &random)
            let one = Case(answer: made.answer, output: made.output, flags: made.flags)
            try Data(one.answer).write(to: answer)
            let judged = try run(
                path, [answer.path, answer.path, feedback.path + "/"] + one.flags, input: Data(one.output))
            #expect(
                one.isAccepted == (judged.status == 42), "\(one.description): \(judged.status); \(random)")
        }
    }

    private static let kattis = ProcessInfo.processInfo.environment["CODUEL_KATTIS_VALIDATOR"]

    private func run(_ path: String, _ arguments: [String], input: Data) throws -> (
        status: Int32, output: Data
    ) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        // By file: a pipe would have to be written and read at the same time.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, bytes)
    }
}

/// Makes an answer, and an output that is it, or nearly. Numbers keep away from the edge of a tolerance, where rational
/// and floating-point arithmetic may differ.
private struct CaseMaker {
    private static let spaces: [[UInt8]] = [
        [0x20], [0x0a], [0x09], [0x0d, 0x0a], [0x0b], [0x0c], [0x20, 0x20], [0x0a, 0x0a],
    ]
    private static let odd = [
        "inf", "nan", "-inf", "0x10", "1,5", "1e", "e5", ".", "-", "+", "1.2.3", "--1", "1e5.0", "1_000",
        "\u{e4}", "NaN",
        "1e+", "İ", "ß", "\u{0}", "1\u{0}",
    ]

    mutating func next(using random: inout SeededGenerator) -> (
        answer: [UInt8], output: [UInt8], flags: [String]
    ) {
        var flags: [String] = []
        var tolerance = 0.0
        if Bool.random(using: &random) { flags.append("case_sensitive") }
        if Int.random(in: 0..<4, using: &random) == 0 { flags.append("space_change_sensitive") }
        let kind = Int.random(in: 0..<5, using: &random)
        if kind > 0 {
            let exponent = Int.random(in: 1...6, using: &random)
            tolerance = Double("1e-\(exponent)") ?? 0
            let names = [
                "float_tolerance", "float_relative_tolerance", "float_absolute_tolerance", "float_tolerance",
            ]
            flags += [names[kind - 1], "1e-\(exponent)"]
        }
        var answer: [UInt8] = space(using: &random, mayBeEmpty: true)
        var output =
            Int.random(in: 0..<8, using: &random) == 0 ? space(using: &random, mayBeEmpty: true) : answer
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let (token, shown) = pair(tolerance, using: &random)
            let between = space(using: &random, mayBeEmpty: false)
            answer += token + between
            switch Int.random(in: 0..<40, using: &random) {
            case 0: output += between
            case 1: output += shown + between + Array("extra".utf8) + between
            case 2: output += shown + space(using: &random, mayBeEmpty: false)
            default: output += shown + between
            }
        }
        return (answer, output, flags)
    }

    private func space(using random: inout SeededGenerator, mayBeEmpty: Bool) -> [UInt8] {
        if mayBeEmpty, Bool.random(using: &random) { return [] }
        return Self.spaces.randomElement(using: &random) ?? [0x20]
    }

    private func pair(_ tolerance: Double, using random: inout SeededGenerator) -> ([UInt8], [UInt8]) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...4:
            let value = Double(Int.random(in: -100_000...100_000, using: &random)) / 64
            // Of the wider tolerance, never near it.
            let reach = tolerance * max(1, value.magnitude)
            let factors: [Double] = [0, 0, 0.25, 8, 100]
            let factor = factors.randomElement(using: &random) ?? 0
            return (text(value, using: &random), text(value + factor * reach, using: &random))
        case 5:
            let word = Self.odd.randomElement(using: &random) ?? ""
            let other = Bool.random(using: &random) ? word : Self.odd.randomElement(using: &random) ?? ""
            return (Array(word.utf8), Array(other.utf8))
        case 6:
            return (Array("1.5".utf8), Array((Self.odd.randomElement(using: &random) ?? "").utf8))
        default:
            let letters = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                UInt8.random(in: 0x41...0x5a, using: &random) | (Bool.random(using: &random) ? 0x20 : 0)
            }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: return (letters, letters.map { $0 ^ 0x20 })
            case 1: return (letters, Array(letters.dropLast()) + [0x5f])
            default: return (letters, letters)
            }
        }
    }

    private func text(_ value: Double, using random: inout SeededGenerator) -> [UInt8] {
        let plain = String(format: "%.12f", value)
        let forms = [
            plain, String(format: "%.14e", value), String(format: "%.14E", value),
            (value < 0 ? "" : "+") + plain,
            String(value),
        ]
        return Array((forms.randomElement(using: &random) ?? plain).utf8)
    }
}
