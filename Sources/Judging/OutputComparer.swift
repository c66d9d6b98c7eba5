import Problems

/// Why an output does not match the answer.
public struct OutputMismatch: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        case token = "the token differs"
        case number = "the number is not within the tolerance"
        case notANumber = "a number was expected"
        case space = "the white space differs"
        case tooLong = "there is more output than the answer has"
        case tooShort = "the output ends too early"
    }

    public var kind: Kind
    /// The token it was found at, from 1.
    public var token: Int

    public init(kind: Kind, token: Int) {
        self.kind = kind
        self.token = token
    }

    public var description: String { "token \(token): \(kind.rawValue)" }
}

/// The default output validator of the Kattis problem package format (2025-09, "Default output validator
/// specification"), fed with the output piece by piece.
///
/// Both texts are bytes, split into tokens at space, `\f`, `\n`, `\r`, `\t` and `\v`. With a tolerance, an answer token
/// that is a decimal number is compared as a number: accepted within the absolute or the relative tolerance (relative
/// to the answer). All other tokens are compared as bytes, ASCII letters in either case unless `caseSensitive`. White
/// space only separates, unless `spaceChangeSensitive`. Beyond the answer it holds at most one token of
/// `longestNumber` bytes, whatever the output is; time is linear in output and answer.
public struct OutputComparer: Sendable {
    /// Bytes of an output token that can still be a number; a longer one is none.
    private static let longestNumber = 4_096

    private let answer: [UInt8]
    private let flags: ValidatorFlags
    private let isNumeric: Bool
    /// Next byte of the answer that is not matched yet.
    private var position = 0
    private var token = 0
    private var isInToken = false
    /// End of the answer's current token.
    private var tokenEnd = 0
    /// The number the current token must be close to.
    private var expected: Double?
    private var number: [UInt8] = []
    private var mismatch: OutputMismatch?

    public init(answer: [UInt8], flags: ValidatorFlags) {
        self.answer = answer
        self.flags = flags
        isNumeric = flags.absoluteTolerance != nil || flags.relativeTolerance != nil
    }

    /// The mismatch between a whole output and the answer; nil when it is accepted.
    public static func mismatch(
        output: [UInt8], answer: [UInt8], flags: ValidatorFlags
    ) -> OutputMismatch? {
        var comparer = OutputComparer(answer: answer, flags: flags)
        output.withUnsafeBufferPointer { _ = comparer.consume($0) }
        return comparer.finish()
    }

    /// Takes the next piece of the output; false as soon as it cannot be accepted any more.
    @discardableResult
    public mutating func consume(_ piece: some Sequence<UInt8>) -> Bool {
        for byte in piece {
            guard mismatch == nil else { return false }
            if Self.isSpace(byte) {
                if isInToken { endToken() }
                if flags.spaceChangeSensitive, mismatch == nil { matchSpace(byte) }
            } else {
                if !isInToken { beginToken() }
                if mismatch == nil { matchToken(byte) }
            }
        }
        return mismatch == nil
    }

    /// The output is at its end.
    public mutating func finish() -> OutputMismatch? {
        if mismatch == nil, isInToken { endToken() }
        if mismatch == nil {
            if !flags.spaceChangeSensitive { skipSpace() }
            if position < answer.count {
                token += 1
                fail(Self.isSpace(answer[position]) ? .space : .tooShort)
            }
        }
        return mismatch
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }

    private mutating func fail(_ kind: OutputMismatch.Kind) {
        mismatch = OutputMismatch(kind: kind, token: token)
    }

    private mutating func skipSpace() {
        while position < answer.count, Self.isSpace(answer[position]) { position += 1 }
    }

    private mutating func matchSpace(_ byte: UInt8) {
        if position < answer.count, answer[position] == byte {
            position += 1
        } else {
            token += 1
            fail(.space)
        }
    }

    private mutating func beginToken() {
        isInToken = true
        token += 1
        if !flags.spaceChangeSensitive { skipSpace() }
        guard position < answer.count else { return fail(.tooLong) }
        guard !Self.isSpace(answer[position]) else { return fail(.space) }
        tokenEnd = position
        while tokenEnd < answer.count, !Self.isSpace(answer[tokenEnd]) { tokenEnd += 1 }
        expected = isNumeric ? DecimalFloat.parse(answer[position..<tokenEnd]) : nil
        number.removeAll(keepingCapacity: true)
    }

    private mutating func matchToken(_ byte: UInt8) {
        if expected != nil {
            guard number.count < Self.longestNumber else { return fail(.notANumber) }
            number.append(byte)
        } else if position < tokenEnd, isSame(answer[position], byte) {
            position += 1
        } else {
            fail(.token)
        }
    }

    private func isSame(_ first: UInt8, _ second: UInt8) -> Bool {
        first == second || (!flags.caseSensitive && Self.lowercased(first) == Self.lowercased(second))
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    }

    private mutating func endToken() {
        isInToken = false
        guard let expected else {
            if position < tokenEnd { fail(.token) }
            return
        }
        guard let value = DecimalFloat.parse(number) else { return fail(.notANumber) }
        if !isClose(value, expected), !answer[position..<tokenEnd].elementsEqual(number) { fail(.number) }
        position = tokenEnd
    }

    /// Whether a value is within either tolerance. Numbers too large for a Double are infinite and close to nothing.
    private func isClose(_ value: Double, _ expected: Double) -> Bool {
        let difference = (value - expected).magnitude
        guard difference.isFinite else { return false }
        if let absolute = flags.absoluteTolerance, difference <= absolute { return true }
        if let relative = flags.relativeTolerance, difference <= relative * expected.magnitude { return true }
        return false
    }
}
