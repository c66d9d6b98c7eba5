/// Where the text of a room's submission came from: the document, and the room's log sequence it was taken at.
public struct SubmissionOrigin: Sendable, Equatable, Codable {
    public var roomID: String
    public var document: String
    public var file: String
    public var sequence: Int64

    public init(roomID: String, document: String, file: String, sequence: Int64) {
        self.roomID = roomID
        self.document = document
        self.file = file
        self.sequence = sequence
    }
}

public struct TestResult: Sendable, Equatable, Codable {
    /// The test's path in the package without suffix: `sample/1`, `secret/03-large`.
    public var name: String
    public var verdict: Verdict
    public var cpuTimeMs: Int
    public var wallTimeMs: Int
    public var memoryBytes: Int64
    /// Points that the problem's validator gave; nil where the test's group decides.
    public var score: Double?
    /// What the validator says to the contestant, and to those who manage the problem.
    public var teamMessage: String?
    public var judgeMessage: String?
    /// The same as it was written, where that is no UTF-8.
    public var teamMessageBytes: [UInt8]?
    public var judgeMessageBytes: [UInt8]?

    public init(name: String, verdict: Verdict, cpuTimeMs: Int, wallTimeMs: Int, memoryBytes: Int64) {
        self.name = name
        self.verdict = verdict
        self.cpuTimeMs = cpuTimeMs
        self.wallTimeMs = wallTimeMs
        self.memoryBytes = memoryBytes
    }
}

public enum SubmissionStatus: String, Sendable, Codable {
    case queued, compiling, running, finished
}

/// The end of judging: written once for a submission, never changed by a second delivery of the same job.
public struct Judgement: Sendable, Equatable, Codable {
    public var verdict: Verdict
    /// Points of a scoring problem; 1 or 0 for pass-fail.
    public var score: Double
    public var tests: [TestResult]
    public var testsTotal: Int
    public var compileOutput: String

    public init(verdict: Verdict, score: Double, tests: [TestResult], testsTotal: Int, compileOutput: String)
    {
        self.verdict = verdict
        self.score = score
        self.tests = tests
        self.testsTotal = testsTotal
        self.compileOutput = compileOutput
    }

    public var testsPassed: Int { tests.count { $0.verdict == .accepted } }
}

public struct Submission: Sendable, Equatable {
    public var id: String
    public var userID: String
    public var problemID: String
    /// A language id of the contract (`python`, `cpp`, …).
    public var language: String
    public var source: String
    /// Lower-case hexadecimal SHA-256 of the source's UTF-8 bytes.
    public var sha256: String
    /// Nil for practice.
    public var origin: SubmissionOrigin?
    public var status: SubmissionStatus
    public var judgement: Judgement?
    /// How often a worker has begun it.
    public var attempts: Int
    public var createdAtMs: Int64
    public var finishedAtMs: Int64?

    public init(
        id: String, userID: String, problemID: String, language: String, source: String, sha256: String,
        origin: SubmissionOrigin?, status: SubmissionStatus = .queued, judgement: Judgement? = nil,
        attempts: Int = 0,
        createdAtMs: Int64, finishedAtMs: Int64? = nil
    ) {
        self.id = id
        self.userID = userID
        self.problemID = problemID
        self.language = language
        self.source = source
        self.sha256 = sha256
        self.origin = origin
        self.status = status
        self.judgement = judgement
        self.attempts = attempts
        self.createdAtMs = createdAtMs
        self.finishedAtMs = finishedAtMs
    }
}
