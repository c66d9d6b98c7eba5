import Problems

/// What a validator's run means (2025-09, "Reporting a judgement", "Multi-pass validation", "Scoring test cases").
struct ValidatorOutcome: Sendable, Equatable {
    enum Decision: Sendable, Equatable {
        case accepted
        case rejected
        /// A judge error: why.
        case failed(String)
    }

    var decision: Decision
    /// Nil where the group scores the test.
    var score: Double?
    /// The input of the next pass.
    var nextInput: [UInt8]?
    var teamMessage: FeedbackMessage?
    var judgeMessage: FeedbackMessage?

    /// - Parameters:
    ///   - rule: what a score is worth in the test.
    ///   - mayContinue: whether the problem has several passes.
    init(_ result: ValidatorResult, rule: ScoreRule, mayContinue: Bool) {
        teamMessage = FeedbackMessage(result.feedback["teammessage.txt"])
        judgeMessage = FeedbackMessage(result.feedback["judgemessage.txt"])
        decision = Self.decision(result)
        if mayContinue { nextInput = result.feedback["nextpass.in"] }
        switch decision {
        case .failed: nextInput = nil
        case .rejected:
            if nextInput != nil { decision = .failed("the validator rejects and asks for another pass") }
            nextInput = nil
            if !Self.mayBeScored(rejectedBy: result, rule) {
                decision = .failed("the validator rejects and gives a score")
            }
            if rule == .optional { readScore(result, rule) }
        case .accepted: if nextInput == nil { readScore(result, rule) }
        }
    }

    private static func decision(_ result: ValidatorResult) -> Decision {
        if result.execution.end == .sandboxError { return .failed(result.execution.detail) }
        switch result.exitCode {
        case _ where result.feedback["judgeerror"] != nil:
            return .failed("the validator left a judgeerror file")
        case 42?: return .accepted
        case 43?: return .rejected
        case let code?: return .failed("the validator exited with \(code)")
        case nil: return .failed("the validator \(reason(result.execution))")
        }
    }

    private static func reason(_ execution: ExecutionResult) -> String {
        switch execution.end {
        case .cpuTimeLimit, .wallTimeLimit: "ran out of time"
        case .memoryLimit: "ran out of memory"
        case .outputLimit: "wrote too much"
        default: "crashed, or left more feedback than it may"
        }
    }

    private static func mayBeScored(rejectedBy result: ValidatorResult, _ rule: ScoreRule) -> Bool {
        rule == .ignored || rule == .optional
            || (result.feedback["score.txt"] == nil && result.feedback["score_multiplier.txt"] == nil)
    }

    private mutating func readScore(_ result: ValidatorResult, _ rule: ScoreRule) {
        let score = result.feedback["score.txt"]
        let multiplier = result.feedback["score_multiplier.txt"]
        switch rule {
        case .ignored: return
        case .optional:
            if let score { take(Self.number(score), atMost: .infinity, atLeast: -.infinity) }
        case .forbidden:
            if score != nil || multiplier != nil {
                decision = .failed("the validator scores a pass-fail group")
            }
        case .required:
            guard multiplier == nil, let score else {
                decision = .failed("the validator must give a score")
                return
            }
            take(Self.number(score), atMost: .infinity)
        case .upTo(let maximum):
            if score != nil, multiplier != nil { decision = .failed("the validator gives two scores") }
            if let score { take(Self.number(score), atMost: maximum + 1e-9) }
            if let multiplier {
                take(Self.number(multiplier), atMost: 1)
                self.score = self.score.map { $0 * maximum }
            }
        }
    }

    private mutating func take(_ value: Double?, atMost maximum: Double, atLeast minimum: Double = 0) {
        if let value, value.isFinite, value >= minimum, value <= maximum {
            score = value
        } else {
            decision = .failed("the validator's score is no number that it may give")
        }
    }

    private static func number(_ bytes: [UInt8]) -> Double? {
        let text = bytes.drop { isSpace($0) }.prefix { !isSpace($0) }
        let rest = bytes.drop { isSpace($0) }.dropFirst(text.count)
        return rest.allSatisfy(isSpace) ? DecimalFloat.parse(text) : nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
