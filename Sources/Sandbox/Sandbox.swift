import Glibc
import Judging

/// Runs guest programs through the helper process: the real `ProgramExecutor`.
///
/// `start` makes the helper and nothing else (no thread, no event loop), so that a server can call it first,
/// while it is still privileged, and give up its rights afterwards: the helper keeps its own. When the helper
/// dies, every run that waits for it ends as `.sandboxError`, and so does every later one; `isAlive` tells.
public final class Sandbox: ProgramExecutor {
    let connection: HelperConnection
    let gate: SlotGate
    /// One pair of joined runs at a time may wait for its second slot, so that two cannot hold one each for ever.
    let pairGate = SlotGate(slots: 1)
    let slots: Int
    private let hello: Wire.Hello
    private let layers: [Layer]
    private let knownLanguages: Languages
    let reports = ReportStore()
    private let cache = CompileCache()
    let artefacts = ArtefactFiles()
    private let noInput = MemoryFile.sealed([UInt8]())

    /// Why programs are not run here; nil when they are.
    public let refusal: String?

    private init(
        connection: HelperConnection, slots: Int, hello: Wire.Hello, languages: Languages,
        allowWeakIsolation: Bool
    ) {
        self.connection = connection
        self.hello = hello
        knownLanguages = languages
        self.slots = slots
        gate = SlotGate(slots: slots)
        layers = Layer.table(known: hello.knownLayers, active: Set(hello.layers))
        let missing = layers.filter { $0.isRequired && !$0.isActive }.map(\.name)
        if !hello.isUsable {
            refusal = "this machine cannot isolate programs: \(hello.detail)"
        } else if !missing.isEmpty && !allowWeakIsolation {
            refusal = "isolation is too weak here (missing: \(missing.joined(separator: ", ")))"
        } else {
            refusal = nil
        }
    }

    deinit { connection.close() }

    /// Starts the helper and waits until it has tried what this machine gives.
    ///
    /// - Parameters:
    ///   - helperPath: the executable `sandbox-helper`; see `helperPath(besideExecutable:)`.
    ///   - slots: runs at a time, 1 to 64.
    ///   - languages: all that will ever be compiled and run.
    ///   - allowWeakIsolation: run programs although a layer that matters is missing. Without namespaces nothing
    ///     runs.
    public static func start(
        helperPath: String, slots: Int, languages: Languages, allowWeakIsolation: Bool = false
    ) throws(SandboxError) -> Sandbox {
        guard (1...Limits.slots).contains(slots) else {
            throw SandboxError(.invalidSlots, "the sandbox has 1 to \(Limits.slots) slots")
        }
        guard access(helperPath, X_OK) == 0 else {
            throw SandboxError(.helperNotFound, "there is no sandbox helper at \(helperPath)")
        }
        let connection = try connect(helperPath: helperPath, slots: slots, languages: languages)
        guard let hello = connection.hello() else {
            connection.abandon()
            throw SandboxError(.helperFailed, "the sandbox helper did not start")
        }
        return Sandbox(
            connection: connection, slots: slots, hello: hello, languages: languages,
            allowWeakIsolation: allowWeakIsolation)
    }

    /// On return this process's copy of the helper's end is closed: otherwise the helper's death would not
    /// show.
    private static func connect(
        helperPath: String, slots: Int, languages: Languages
    ) throws(SandboxError) -> HelperConnection {
        guard let (ours, theirs) = PacketSocket.pair() else {
            throw SandboxError(.helperFailed, "no socket for the sandbox helper")
        }
        let encoded = languages.encoded
        guard encoded.count <= Limits.languageTableBytes, let table = MemoryFile.sealed(encoded) else {
            throw SandboxError(.invalidLanguage, "the language table is too large")
        }
        let process = try HelperProcess.start(
            path: helperPath, slots: slots, socket: theirs, languages: table)
        return HelperConnection(socket: ours, process: process)
    }

    /// The helper's place beside an executable, symbolic links followed.
    public static func helperPath(besideExecutable executable: String) -> String {
        let resolved = realpath(executable, nil)
        defer { free(resolved) }
        let path = resolved.map { String(cString: $0) } ?? executable
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        return folder + "sandbox-helper"
    }

    /// Whether the helper lives.
    public var isAlive: Bool { connection.isAlive }

    /// The helper's process id, for diagnosis.
    public var helperProcessID: Int32 { connection.processID }

    /// The layers of this machine, as a trial run found them.
    public func probe() -> [Layer] { layers }

    /// Ends the helper with all runs, and waits for it: nothing is left on the machine afterwards.
    public func stop() {
        connection.close()
        connection.waitForEnd()
    }

    public var languages: LanguageTable { knownLanguages.table }

    public func installedLanguages() -> [String] { hello.languages }

    /// Why programs in a language of the table are not run here; nil when they are.
    func missing(_ id: String) -> String? {
        if let refusal { return refusal }
        return hello.languages.contains(id)
            ? nil : knownLanguages.missing[id] ?? "it is not known to the helper"
    }

    func askVersion(_ id: String) async -> ExecutionResult {
        await perform(.version, language: id, limits: Self.compileLimits, contents: []).execution
    }

    public func compile(
        language: String, source: [UInt8], files: [String: [UInt8]]
    ) async -> CompileResult {
        let key = CompileCache.Key(language: language, source: source, files: files)
        if let known = cache.result(for: key) { return known }
        let result = await compileAnew(language: language, source: source, files: files)
        cache.store(result, for: key)
        return result
    }

    private func compileAnew(
        language: String, source: [UInt8], files: [String: [UInt8]]
    ) async -> CompileResult {
        let kit = Kit(work: files)
        let (execution, answer) = await perform(
            .compile, language: language, limits: Self.compileLimits, contents: [source] + kit.contents)
        guard let answer, execution.end == .exited, execution.exitCode == 0 else {
            return CompileResult(program: nil, execution: execution)
        }
        if answer.reply.flags.contains(.sourceIsArtefact) {
            let program = CompiledProgram(language: language, artefact: source, files: files)
            return CompileResult(program: program, execution: execution)
        }
        guard answer.reply.flags.contains(.hasArtefact), let file = answer.files.last,
            let artefact = MemoryFile.content(of: file, count: Int(answer.reply.artefactBytes))
        else {
            return CompileResult(program: nil, execution: execution)
        }
        let program = CompiledProgram(language: language, artefact: artefact, files: files)
        return CompileResult(program: program, execution: execution)
    }

    public func run(
        _ program: CompiledProgram, standardInput: [UInt8], limits: ExecutionLimits
    ) async -> ExecutionResult {
        let kit = Kit(work: program.files, arguments: program.arguments)
        if let refusal { return Self.failure(refusal) }
        guard await gate.enter() else { return Self.failure("too many runs wait for the sandbox") }
        defer { gate.leave() }
        let input = standardInput.isEmpty ? noInput : MemoryFile.sealed(standardInput)
        guard let artefact = artefacts.file(of: program.artefact), let input,
            let more = MemoryFile.sealed(kit.contents)
        else { return Self.failure("no memory for the sandbox's input") }
        return await perform(
            .run, language: program.language, limits: limits, files: [artefact, input] + more
        ).execution
    }

    /// Only for how long to wait and what to show: the helper has these limits built in.
    private static let compileLimits = ExecutionLimits(
        cpuTimeMs: 10_000, wallTimeMs: Int(Limits.compileWallMs), memoryBytes: 2 << 30, outputBytes: 64 << 10)

    func perform(
        _ operation: Wire.Operation, language: String, limits: ExecutionLimits, contents: [[UInt8]]
    ) async -> (execution: ExecutionResult, answer: HelperConnection.Answer?) {
        if let refusal { return (Self.failure(refusal), nil) }
        guard await gate.enter() else { return (Self.failure("too many runs wait for the sandbox"), nil) }
        defer { gate.leave() }
        guard let files = MemoryFile.sealed(contents) else {
            return (Self.failure("no memory for the sandbox's input"), nil)
        }
        return await perform(operation, language: language, limits: limits, files: files)
    }

    /// The caller holds a slot.
    func perform(
        _ operation: Wire.Operation, language: String, limits: ExecutionLimits, files: [Descriptor],
        released: [Descriptor] = []
    ) async -> (execution: ExecutionResult, answer: HelperConnection.Answer?) {
        let answer = await connection.request(
            operation, language: language, limits: limits, files: files, released: released,
            wallMs: Int64(limits.wallTimeMs))
        guard let answer else { return (Self.failure("the sandbox helper is gone"), nil) }
        return (Self.result(answer), answer)
    }

    static func failure(_ detail: String) -> ExecutionResult {
        ExecutionResult(end: .sandboxError, detail: detail)
    }

    private static func result(_ answer: HelperConnection.Answer) -> ExecutionResult {
        let reply = answer.reply
        var result = ExecutionResult(
            end: reply.end,
            exitCode: reply.flags.contains(.hasExitCode) ? reply.exitCode : nil,
            signal: reply.flags.contains(.hasSignal) ? reply.signal : nil,
            cpuTimeMs: milliseconds(reply.cpuUs), wallTimeMs: milliseconds(reply.wallUs),
            memoryBytes: reply.memoryBytes,
            outputTruncated: reply.flags.contains(.outputTruncated),
            errorTruncated: reply.flags.contains(.errorTruncated),
            layers: reply.layers, detail: reply.detail)
        var files = answer.files[...]
        for (flag, count, stream) in [
            (Wire.Reply.Flags.hasOutput, reply.outputBytes, \ExecutionResult.standardOutput),
            (.hasError, reply.errorBytes, \.standardError),
        ] where reply.flags.contains(flag) {
            guard let content = files.popFirst().flatMap({ MemoryFile.content(of: $0, count: Int(count)) })
            else { return failure("the guest's output could not be read") }
            result[keyPath: stream] = content
        }
        return result
    }

    /// Rounded up, so that a time over a limit is also shown as over it.
    private static func milliseconds(_ us: Int64) -> Int { Int((max(us, 0) + 999) / 1_000) }
}
