/// One call of a validator of a package.
public struct ValidatorCall: Sendable, Equatable {
    /// What it judges.
    public enum Subject: Sendable, Equatable {
        /// Output of a test: `validator input answer feedback_dir/ arguments… < output` (Kattis problem package format,
        /// "Output validator, Invocation").
        case output(input: [UInt8], answer: [UInt8])
        /// A submission's own files, among which it is called: `validator language entry_point feedback_dir/
        /// arguments…` (2025-09, "Static validator, Invocation").
        case submission(SubmittedFiles)

        /// Of all that it is given to read, beside an output.
        public var bytes: Int {
            switch self {
            case .output(let input, let answer): input.count + answer.count
            case .submission(let submitted):
                submitted.files.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }
            }
        }
    }

    public var program: CompiledProgram
    public var subject: Subject
    public var arguments: [String]
    /// Files that the feedback folder holds already, of an earlier pass.
    public var feedback: [String: [UInt8]]
    /// Most bytes its feedback files may have together.
    public var feedbackBytes: Int

    public init(
        program: CompiledProgram, subject: Subject, arguments: [String] = [],
        feedback: [String: [UInt8]] = [:], feedbackBytes: Int
    ) {
        self.program = program
        self.subject = subject
        self.arguments = arguments
        self.feedback = feedback
        self.feedbackBytes = feedbackBytes
    }
}

/// What a validator left.
public struct ValidatorResult: Sendable, Equatable {
    /// The run as the sandbox saw it; its exit code is not the validator's.
    public var execution: ExecutionResult
    /// The validator's own exit code; nil when it was ended, crashed, or wrote more than it may.
    public var exitCode: Int32?
    public var feedback: [String: [UInt8]]

    public init(execution: ExecutionResult, exitCode: Int32? = nil, feedback: [String: [UInt8]] = [:]) {
        self.execution = execution
        self.exitCode = exitCode
        self.feedback = feedback
    }
}

/// The two ends of an interactive run.
public struct Interaction: Sendable, Equatable {
    /// Its standard output went to the validator and is not kept.
    public var submission: ExecutionResult
    public var validator: ValidatorResult
    /// The validator was over before the submission let go of its output.
    public var validatorEndedFirst: Bool

    public init(submission: ExecutionResult, validator: ValidatorResult, validatorEndedFirst: Bool) {
        self.submission = submission
        self.validator = validator
        self.validatorEndedFirst = validatorEndedFirst
    }
}
