import Problems

/// Validators and graders, compiled once: many submissions share one, and building one can take seconds.
///
/// Bounded in number; the one that was used longest ago makes room. What could not be compiled for a reason of our own
/// is tried again the next time.
public actor ToolCache {
    /// Why a tool cannot be used, for the operator.
    struct Fault: Error, Equatable {
        var message: String
        var isOurs: Bool
    }

    private struct Entry {
        var result: Task<Result<CompiledProgram, Fault>, Never>
        var usedAt: Int
    }

    private var entries: [PackageProgram: Entry] = [:]
    private var uses = 0

    public init() {}

    /// The compiled program. Callers that come while it is being compiled wait for the same one.
    func compiled(
        _ tool: PackageProgram, by executor: any ProgramExecutor
    ) async -> Result<CompiledProgram, Fault> {
        uses += 1
        if let entry = entries[tool] {
            entries[tool]?.usedAt = uses
            return await entry.result.value
        }
        let task = Task { await Self.compile(tool, by: executor) }
        entries[tool] = Entry(result: task, usedAt: uses)
        if entries.count > Limits.cachedTools,
            let oldest = entries.min(by: { $0.value.usedAt < $1.value.usedAt })
        {
            entries[oldest.key] = nil
        }
        let result = await task.value
        if case .failure(let fault) = result, fault.isOurs { entries[tool] = nil }
        return result
    }

    private static func compile(
        _ tool: PackageProgram, by executor: any ProgramExecutor
    ) async -> Result<CompiledProgram, Fault> {
        let program: ProgramSource
        do throws(UnusableProgram) {
            program = TestlibAdapter.adapted(try ProgramLayout(executor.languages).program(of: tool.files))
        } catch {
            return .failure(Fault(message: "\(tool.name): \(error.reason)", isOurs: false))
        }
        guard await executor.installedLanguages().contains(program.language) else {
            let message = "\(tool.name): \(program.language) is not installed here"
            return .failure(Fault(message: message, isOurs: true))
        }
        let compiled = await executor.compile(
            language: program.language, source: program.source, files: program.files)
        if let program = compiled.program { return .success(program) }
        let isOurs = compiled.execution.end == .sandboxError
        let output = isOurs ? compiled.execution.detail : ProgramJudge.compileOutput(compiled.execution)
        let message = "\(tool.name) does not compile: \(output.prefix(Limits.faultCharacters))"
        return .failure(Fault(message: message, isOurs: isOurs))
    }
}
