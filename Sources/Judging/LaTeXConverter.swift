import Problems

/// Makes HTML of LaTeX statements with pandoc, as a guest: it reads what strangers wrote, in a box of its own with its
/// own limits, and without the network or any file but its own.
///
/// Answers nil where pandoc is not installed, or fails, or takes too long; the statement is then shown as text. Formulas
/// become MathML. The HTML is not trusted: `HTMLSanitiser` has the last word.
public struct LaTeXConverter: Sendable {
    private let executor: any ProgramExecutor

    public init(executor: any ProgramExecutor) { self.executor = executor }

    public func html(_ statement: ProblemStatement) async -> String? {
        guard statement.format == .latex, await executor.installedLanguages().contains("python") else {
            return nil
        }
        let compiled = await executor.compile(language: "python", source: Array(Self.launcher.utf8))
        guard let program = compiled.program else { return nil }
        let limits = ExecutionLimits(
            cpuTimeMs: Limits.converterCPUMs, wallTimeMs: 2 * Limits.converterCPUMs,
            memoryBytes: Limits.converterMemoryBytes, outputBytes: Limits.converterOutputBytes)
        let execution = await executor.run(
            program, standardInput: Array((Self.macros + statement.source).utf8), limits: limits)
        guard execution.verdict == .accepted, !execution.standardOutput.isEmpty else { return nil }
        return String(decoding: execution.standardOutput, as: UTF8.self)
    }

    /// Becomes pandoc, which is no language of the sandbox.
    private static let launcher = """
        import os
        arguments = ["pandoc", "--sandbox", "--from", "latex", "--to", "html", "--mathml", "--wrap", "preserve"]
        os.execv("/usr/bin/pandoc", arguments)

        """

    /// Commands of Kattis's document class.
    private static let macros = #"""
        \newcommand{\problemname}[1]{}
        \newcommand{\illustration}[3]{\begin{figure}\includegraphics{#2}\caption{#3}\end{figure}}

        """#
}
