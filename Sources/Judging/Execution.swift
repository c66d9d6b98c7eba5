/// Limits of one run. Every one is a hard ceiling; the sandbox clips them to its own maxima.
public struct ExecutionLimits: Sendable, Equatable {
    /// User + system time of all processes of the run, ms.
    public var cpuTimeMs: Int
    public var wallTimeMs: Int
    public var memoryBytes: Int64
    /// Bytes of standard output after which the run ends at once.
    public var outputBytes: Int
    /// Bytes of standard error that are kept; more is cut, not punished.
    public var errorBytes: Int
    public var processes: Int

    public init(
        cpuTimeMs: Int, wallTimeMs: Int, memoryBytes: Int64, outputBytes: Int = 8 << 20,
        errorBytes: Int = 64 << 10,
        processes: Int = 64
    ) {
        self.cpuTimeMs = cpuTimeMs
        self.wallTimeMs = wallTimeMs
        self.memoryBytes = memoryBytes
        self.outputBytes = outputBytes
        self.errorBytes = errorBytes
        self.processes = processes
    }

    /// A problem's limits for programs in a language: CPU time and memory as its factors say, at most what the sandbox
    /// gives, and as much more wall-clock time as the longer CPU time may take.
    public func scaled(for language: Language) -> ExecutionLimits {
        var limits = self
        let timeMs = min(Double(cpuTimeMs) * language.timeFactor, Double(Limits.longestCPUMs)).rounded()
        limits.cpuTimeMs = max(cpuTimeMs, Int(timeMs))
        limits.wallTimeMs += 2 * (limits.cpuTimeMs - cpuTimeMs)
        let memory = min(Double(memoryBytes) * language.memoryFactor, Double(Limits.largestMemoryBytes))
        limits.memoryBytes = max(memoryBytes, Int64(memory.rounded()))
        return limits
    }
}

/// What ended a run, in the order in which it is decided when several hold.
public enum ExecutionEnd: String, Sendable, Codable {
    case cpuTimeLimit, wallTimeLimit, memoryLimit, outputLimit, blockedSystemCall, signalled, exited
    /// The sandbox itself failed; `ExecutionResult.detail` says how. Never the guest's fault.
    case sandboxError
}

public struct ExecutionResult: Sendable, Equatable {
    public var end: ExecutionEnd
    public var exitCode: Int32?
    public var signal: Int32?
    public var cpuTimeMs: Int
    public var wallTimeMs: Int
    public var memoryBytes: Int64
    public var standardOutput: [UInt8]
    public var standardError: [UInt8]
    public var outputTruncated: Bool
    public var errorTruncated: Bool
    /// The protections that were really active: `user-namespace`, `pid-namespace`, `seccomp`, `cgroup-memory-v1`, …
    public var layers: [String]
    public var detail: String

    public init(
        end: ExecutionEnd, exitCode: Int32? = nil, signal: Int32? = nil, cpuTimeMs: Int = 0,
        wallTimeMs: Int = 0,
        memoryBytes: Int64 = 0, standardOutput: [UInt8] = [], standardError: [UInt8] = [],
        outputTruncated: Bool = false, errorTruncated: Bool = false, layers: [String] = [],
        detail: String = ""
    ) {
        self.end = end
        self.exitCode = exitCode
        self.signal = signal
        self.cpuTimeMs = cpuTimeMs
        self.wallTimeMs = wallTimeMs
        self.memoryBytes = memoryBytes
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.outputTruncated = outputTruncated
        self.errorTruncated = errorTruncated
        self.layers = layers
        self.detail = detail
    }

    /// The verdict of a run whose output is not compared: exit 0 is AC.
    public var verdict: Verdict {
        switch end {
        case .cpuTimeLimit, .wallTimeLimit: .timeLimitExceeded
        case .memoryLimit: .memoryLimitExceeded
        case .outputLimit: .outputLimitExceeded
        case .blockedSystemCall, .signalled: .runTimeError
        case .exited: exitCode == 0 ? .accepted : .runTimeError
        case .sandboxError: .judgeError
        }
    }
}

/// A program that is ready to run: the artefact of a compiler, or the source of an interpreted language.
public struct CompiledProgram: Sendable, Equatable {
    public var language: String
    public var artefact: [UInt8]
    /// Files beside it in its working folder: relative path → content.
    public var files: [String: [UInt8]]
    /// Its command-line arguments.
    public var arguments: [String]

    public init(
        language: String, artefact: [UInt8], files: [String: [UInt8]] = [:], arguments: [String] = []
    ) {
        self.language = language
        self.artefact = artefact
        self.files = files
        self.arguments = arguments
    }
}

public struct CompileResult: Sendable, Equatable {
    /// Nil when the compiler refused, ran over its limits, or failed.
    public var program: CompiledProgram?
    /// The compiler's run; its streams are capped at 64 KiB.
    public var execution: ExecutionResult

    public init(program: CompiledProgram?, execution: ExecutionResult) {
        self.program = program
        self.execution = execution
    }
}

/// Compiles and runs guest programs in isolation. `Sandbox` is the real one; tests of the judge script their own.
public protocol ProgramExecutor: Sendable {
    /// All languages of this installation.
    var languages: LanguageTable { get }
    /// Ids of the languages whose tools are installed here.
    func installedLanguages() async -> [String]
    /// Compiles one source file (or only stores it, where the language has no compile step) under the compile
    /// limits (10 s CPU, 15 s wall, 2 GiB, output 64 KiB).
    ///
    /// - Parameter files: further files beside the source, when it is compiled and when the program runs.
    func compile(language: String, source: [UInt8], files: [String: [UInt8]]) async -> CompileResult
    /// Runs a program once in a clean box.
    func run(_ program: CompiledProgram, standardInput: [UInt8], limits: ExecutionLimits) async
        -> ExecutionResult
    /// Runs an output validator once in a clean box, over an output that is there already.
    func validate(_ call: ValidatorCall, output: [UInt8], limits: ExecutionLimits) async -> ValidatorResult
    /// Runs a program and a validator at the same time, each in a box of its own: what one writes to its standard
    /// output the other reads from its standard input.
    func interact(
        _ program: CompiledProgram, limits: ExecutionLimits, with call: ValidatorCall,
        validatorLimits: ExecutionLimits
    ) async -> Interaction
}

extension ProgramExecutor {
    /// Compiles a program of one file.
    public func compile(language: String, source: [UInt8]) async -> CompileResult {
        await compile(language: language, source: source, files: [:])
    }
}
