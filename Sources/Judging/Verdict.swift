/// Outcome of a test or of a submission. Raw values are those of the outer contract.
public enum Verdict: String, Sendable, CaseIterable, Codable {
    case accepted = "AC"
    case wrongAnswer = "WA"
    case timeLimitExceeded = "TLE"
    case memoryLimitExceeded = "MLE"
    case runTimeError = "RTE"
    case outputLimitExceeded = "OLE"
    case compileError = "CE"
    /// Our own fault, never the contestant's.
    case judgeError = "JE"
}
