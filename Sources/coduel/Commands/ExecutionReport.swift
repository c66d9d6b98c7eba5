import Judging

/// A compile and run as JSON: the object of the contract's `sandbox run`.
struct ExecutionReport: Encodable {
    var verdict: Verdict
    var compile: CompileResult
    /// Nil when the program did not compile.
    var execution: ExecutionResult?

    private enum Key: String, CodingKey {
        case verdict, signal, stdout, stderr, compile, layers
        case exitCode = "exit_code"
        case cpuTimeMs = "cpu_time_ms"
        case wallTimeMs = "wall_time_ms"
        case memoryBytes = "memory_bytes"
        case outputTruncated = "stdout_truncated"
        case errorTruncated = "stderr_truncated"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        let shown = execution ?? ExecutionResult(end: .exited, layers: compile.execution.layers)
        try container.encode(verdict, forKey: .verdict)
        try Self.encode(shown, into: &container)
        try container.encode(shown.layers, forKey: .layers)
        var nested = container.nestedContainer(keyedBy: Key.self, forKey: .compile)
        try nested.encode(compile.verdict, forKey: .verdict)
        try Self.encode(compile.execution, into: &nested)
    }

    /// Numbers that do not exist are null, never left out.
    private static func encode(
        _ execution: ExecutionResult, into container: inout KeyedEncodingContainer<Key>
    ) throws {
        try container.encode(execution.exitCode, forKey: .exitCode)
        try container.encode(execution.signal, forKey: .signal)
        try container.encode(execution.cpuTimeMs, forKey: .cpuTimeMs)
        try container.encode(execution.wallTimeMs, forKey: .wallTimeMs)
        try container.encode(execution.memoryBytes, forKey: .memoryBytes)
        try container.encode(String(decoding: execution.standardOutput, as: UTF8.self), forKey: .stdout)
        try container.encode(String(decoding: execution.standardError, as: UTF8.self), forKey: .stderr)
        try container.encode(execution.outputTruncated, forKey: .outputTruncated)
        try container.encode(execution.errorTruncated, forKey: .errorTruncated)
    }
}

extension CompileResult {
    /// AC when there is a program, JE when the sandbox failed, else CE.
    var verdict: Verdict {
        if program != nil { return .accepted }
        return execution.end == .sandboxError ? .judgeError : .compileError
    }
}
