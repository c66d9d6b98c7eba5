import Judging
import Problems
import TestSupport
import Testing

/// A case of the specification: an output, an answer, and whether the first is accepted for the second.
struct ComparisonCase: Sendable, CustomTestStringConvertible {
    var output: String
    var answer: String
    var isAccepted: Bool
    var flags = ValidatorFlags()

    init(_ output: String, _ answer: String, _ isAccepted: Bool, _ flags: ValidatorFlags = .init()) {
        self.output = output
        self.answer = answer
        self.isAccepted = isAccepted
        self.flags = flags
    }

    var testDescription: String { "\(output.debugDescription) for \(answer.debugDescription)" }
}

private let caseSensitive = ValidatorFlags(caseSensitive: true)
private let spaces = ValidatorFlags(spaceChangeSensitive: true)
private func tolerance(_ both: Double) -> ValidatorFlags {
    ValidatorFlags(relativeTolerance: both, absoluteTolerance: both)
}
private func absolute(_ value: Double) -> ValidatorFlags { ValidatorFlags(absoluteTolerance: value) }
private func relative(_ value: Double) -> ValidatorFlags { ValidatorFlags(relativeTolerance: value) }

@Suite struct OutputComparerTests {
    static let table: [ComparisonCase] = [
        // Tokens and white space.
        .init("3\n", "3\n", true), .init("3", "3\n", true), .init("  3 \t\r\n\u{b}\u{c}", "3", true),
        .init("1 2\n3", "1\n2 3\n", true), .init("12", "1 2", false), .init("1 2", "12", false),
        .init("", "", true), .init(" \n", "", true), .init("", "3", false), .init("3", "", false),
        .init("3 4", "3", false), .init("3", "3 4", false), .init("3 4\n\n\n", "3 4", true),
        .init("1\u{a0}2", "1 2", false), .init("1\u{0}", "1", false), .init("1\u{0}2", "1 2", false),
        // Letters in either case, ASCII only.
        .init("YES", "yes", true), .init("Yes", "yes", false, caseSensitive),
        .init("yes", "yes", true, caseSensitive),
        .init("É", "é", false), .init("é", "é", true), .init("[", "{", false), .init("@", "`", false),
        // White space that counts.
        .init("1 2\n", "1 2\n", true, spaces), .init("1  2\n", "1 2\n", false, spaces),
        .init("1\t2\n", "1 2\n", false, spaces), .init("1 2", "1 2\n", false, spaces),
        .init(" 1 2\n", "1 2\n", false, spaces), .init("1 2\n\n", "1 2\n", false, spaces),
        .init("A b\n", "a B\n", true, spaces), .init("", "\n", false, spaces), .init("\n", "", false, spaces),
        .init("1 ", "1", false, spaces), .init("1 2", "1", false, spaces), .init("12", "1 2", false, spaces),
        .init("1 2", "12", false, spaces),
        // Numbers are text without a tolerance.
        .init("1.0", "1", false), .init("1e0", "1", false), .init("01", "1", false),
        // Either tolerance suffices.
        .init("3.14000000e-2", "0.0314", true, tolerance(1e-9)),
        .init("1000001", "1000000", true, relative(1e-6)),
        .init("1000002", "1000000", false, relative(1e-6)),
        .init("1000000.5", "1000000", true, absolute(0.5)),
        .init("0.6", "0", false, absolute(0.5)), .init("1e-7", "0", true, tolerance(1e-6)),
        .init("1e-7", "0", false, relative(1e-6)), .init("-1", "1", false, tolerance(0.5)),
        .init("1000000.5", "1000000", true, tolerance(1e-6)),
        .init("0.0000005", "0.000001", true, tolerance(1e-6)),
        // Integers of the answer are numbers, too, and words stay words.
        .init("5.0", "5", true, tolerance(1e-6)), .init("YES 1.0", "yes 1", true, tolerance(1e-6)),
        .init("x", "5", false, tolerance(1e-6)), .init("5", "x", false, tolerance(1e-6)),
        .init("5.0x", "5", false, tolerance(1e-6)), .init("", "5", false, tolerance(1)),
        .init("+5", "5", true, tolerance(0)), .init("5.", ".5e1", true, tolerance(0)),
        // What is no number of the format.
        .init("nan", "1", false, tolerance(1e9)), .init("inf", "1", false, tolerance(1e9)),
        .init("0x1p3", "8", false, tolerance(1e-6)), .init("-inf", "-1", false, tolerance(1e300)),
        .init("nan", "NaN", true, tolerance(1e-6)), .init("inf", "inf", true, tolerance(1e-6)),
        .init("1_0", "10", false, tolerance(1e-6)), .init("1,0", "1.0", false, tolerance(1e-6)),
        .init("1e999", "1", false, tolerance(1e9)), .init("1e999", "1e999", true, tolerance(1e-6)),
        .init("1e998", "1e999", false, tolerance(1e-6)), .init("1", "1e999", false, tolerance(1e-6)),
        // Tolerance beside the other flags.
        .init("1.0  2", "1 2", false, ValidatorFlags(spaceChangeSensitive: true, absoluteTolerance: 0.1)),
        .init("1.0 2", "1 2", true, ValidatorFlags(spaceChangeSensitive: true, absoluteTolerance: 0.1)),
        .init("A 1.0", "a 1", false, ValidatorFlags(caseSensitive: true, absoluteTolerance: 0.1)),
        .init("1E1", "1e1", true, ValidatorFlags(caseSensitive: true, absoluteTolerance: 0.1)),
    ]

    @Test(arguments: table) func followsTheSpecification(_ example: ComparisonCase) {
        let mismatch = OutputComparer.mismatch(
            output: Array(example.output.utf8), answer: Array(example.answer.utf8), flags: example.flags)
        #expect((mismatch == nil) == example.isAccepted, "\(mismatch.map(\.description) ?? "accepted")")
    }

    @Test func takesAnyBytes() {
        let answer: [UInt8] = [0xff, 0xfe, 0x20, 0x00, 0x80]
        #expect(OutputComparer.mismatch(output: answer, answer: answer, flags: .init()) == nil)
        #expect(OutputComparer.mismatch(output: [0xff, 0xff], answer: answer, flags: .init()) != nil)
    }

    @Test func saysWhere() {
        func mismatch(_ output: String, _ answer: String) -> OutputMismatch? {
            OutputComparer.mismatch(output: Array(output.utf8), answer: Array(answer.utf8), flags: .init())
        }
        #expect(mismatch("1 2 4", "1 2 3") == OutputMismatch(kind: .token, token: 3))
        #expect(mismatch("1 2", "1 2 3") == OutputMismatch(kind: .tooShort, token: 3))
        #expect(mismatch("1 2 3 4", "1 2 3") == OutputMismatch(kind: .tooLong, token: 4))
    }

    @Test func holdsLittleOfHostileOutput() {
        let flags = ValidatorFlags(absoluteTolerance: 1e-6)
        let answer = Array("1 2".utf8)
        let whiteSpace = [UInt8](repeating: 0x20, count: 10_000_000)
        #expect(
            OutputComparer.mismatch(output: whiteSpace + answer + whiteSpace, answer: answer, flags: flags)
                == nil)
        let token = [UInt8](repeating: 0x31, count: 64 << 20)
        #expect(OutputComparer.mismatch(output: token, answer: answer, flags: flags)?.kind == .notANumber)
        #expect(OutputComparer.mismatch(output: token, answer: answer, flags: .init())?.kind == .token)
        var comparer = OutputComparer(answer: answer, flags: flags)
        let digits = [UInt8](repeating: 0x39, count: 5_000)
        let goesOn = comparer.consume(digits)
        #expect(!goesOn)
        #expect(MemoryLayout<OutputComparer>.size < 256)
    }

    // MARK: Against a plain reference

    /// The specification written down plainly, over whole texts.
    private func reference(_ output: [UInt8], _ answer: [UInt8], _ flags: ValidatorFlags) -> Bool {
        func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d].contains(byte) }
        func tokens(_ text: [UInt8]) -> [[UInt8]] { text.split(whereSeparator: isSpace).map(Array.init) }
        func gaps(_ text: [UInt8]) -> [[UInt8]] {
            text.split(omittingEmptySubsequences: false, whereSeparator: { !isSpace($0) }).map(Array.init)
                .filter { !$0.isEmpty }
        }
        func startsWithSpace(_ text: [UInt8]) -> Bool { text.first.map(isSpace) ?? false }
        let outputs = tokens(output)
        let answers = tokens(answer)
        guard outputs.count == answers.count else { return false }
        if flags.spaceChangeSensitive,
            gaps(output) != gaps(answer) || startsWithSpace(output) != startsWithSpace(answer)
        {
            return false
        }
        return zip(outputs, answers).allSatisfy { token, expected in
            let hasTolerance = flags.absoluteTolerance != nil || flags.relativeTolerance != nil
            if hasTolerance, let number = DecimalFloat.parse(expected) {
                guard let value = DecimalFloat.parse(token) else { return false }
                // Beyond the range of numbers only the same text is the same number.
                guard value.isFinite, number.isFinite else { return token == expected }
                let difference = abs(value - number)
                return difference <= flags.absoluteTolerance ?? -1
                    || difference <= (flags.relativeTolerance ?? -1) * abs(number)
            }
            func folded(_ text: [UInt8]) -> [UInt8] {
                flags.caseSensitive ? text : text.map { (0x41...0x5a).contains($0) ? $0 + 32 : $0 }
            }
            return folded(token) == folded(expected)
        }
    }

    @Test func agreesWithAPlainReference() {
        var random = SeededGenerator()
        let again = random.description
        let parts = [
            " ", "  ", "\n", "\t", "a", "A", "b", "1", "1.0", "2", "0.5", "1e1", "-", ".", "x9", "\u{b}",
        ]
        func text() -> [UInt8] {
            (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in
                Array(parts[Int.random(in: 0..<parts.count, using: &random)].utf8)
            }
        }
        var accepted = 0
        for _ in 0..<40_000 * testScale {
            let flags = ValidatorFlags(
                caseSensitive: Bool.random(using: &random), spaceChangeSensitive: Bool.random(using: &random),
                relativeTolerance: Bool.random(using: &random) ? 0.5 : nil,
                absoluteTolerance: Bool.random(using: &random) ? 0.6 : nil)
            let answer = text()
            var output = Bool.random(using: &random) ? answer : text()
            if Bool.random(using: &random), !output.isEmpty {
                let piece = Array(parts[Int.random(in: 0..<parts.count, using: &random)].utf8)
                output.insert(contentsOf: piece, at: Int.random(in: 0...output.count, using: &random))
            }
            let expected = reference(output, answer, flags)
            // In pieces of any size the result is the same.
            var comparer = OutputComparer(answer: answer, flags: flags)
            var rest = output[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...rest.count, using: &random)
                comparer.consume(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            let isAccepted = comparer.finish() == nil
            let texts =
                "\(String(decoding: output, as: UTF8.self).debugDescription) for"
                + " \(String(decoding: answer, as: UTF8.self).debugDescription)"
            #expect(isAccepted == expected, "\(again): \(texts), \(flags)")
            if isAccepted { accepted += 1 }
        }
        #expect(accepted > 2_000 * testScale)
    }
}
