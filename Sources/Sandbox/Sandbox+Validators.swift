import CLinux
import Glibc
import Judging

/// Validators in boxes of their own, alone or joined to a submission by two pipes.
extension Sandbox {
    public func validate(
        _ call: ValidatorCall, output: [UInt8], limits: ExecutionLimits
    ) async -> ValidatorResult {
        if let refusal { return ValidatorResult(execution: Self.failure(refusal)) }
        guard await gate.enter() else {
            return ValidatorResult(execution: Self.failure("too many runs wait for the sandbox"))
        }
        defer { gate.leave() }
        guard let program = artefacts.file(of: call.program.artefact),
            let rest = MemoryFile.sealed([output, Kit(call).bytes])
        else { return ValidatorResult(execution: Self.failure("no memory for the sandbox's input")) }
        let (execution, answer) = await perform(
            .assist, language: call.program.language, limits: Self.withRoom(for: call, limits),
            files: [program] + rest)
        return Self.validatorResult(execution, Self.report(answer, execution))
    }

    public func interact(
        _ program: CompiledProgram, limits: ExecutionLimits, with call: ValidatorCall,
        validatorLimits: ExecutionLimits
    ) async -> Interaction {
        guard refusal == nil, slots >= 2 else {
            return Self.failedInteraction(refusal ?? "interactive runs need two slots of the sandbox")
        }
        guard await enterPair() else { return Self.failedInteraction("too many runs wait for the sandbox") }
        defer {
            gate.leave()
            gate.leave()
        }
        let kit = Kit(work: program.files, arguments: program.arguments)
        guard let ours = artefacts.file(of: program.artefact),
            let theirs = artefacts.file(of: call.program.artefact),
            let ourKit = MemoryFile.sealed(kit.contents),
            let theirKit = MemoryFile.sealed([Kit(call, outputBytes: limits.outputBytes).bytes]),
            let toSubmission = Pipe.make(), let toValidator = Pipe.make()
        else { return Self.failedInteraction("no memory for the sandbox's input") }
        // The boxes alone hold the ends, so that each side notices when the other one is over.
        async let submission = perform(
            .runJoined, language: program.language, limits: limits,
            files: [ours, toSubmission.reading, toValidator.writing] + ourKit,
            released: [toSubmission.reading, toValidator.writing])
        async let validator = perform(
            .assistJoined, language: call.program.language,
            limits: Self.withRoom(for: call, validatorLimits),
            files: [theirs, toValidator.reading, toSubmission.writing] + theirKit,
            released: [toValidator.reading, toSubmission.writing])
        let (run, judged) = await (submission, validator)
        let report = Self.report(judged.answer, judged.execution)
        var execution = run.execution
        if report?.isOverOutputLimit == true, execution.end == .exited || execution.end == .signalled {
            execution.end = .outputLimit
        }
        return Interaction(
            submission: execution, validator: Self.validatorResult(judged.execution, report),
            validatorEndedFirst: report?.submissionLeftFirst == false)
    }

    /// Waits for two slots. Whoever waits for the second is alone in that, and all others give theirs back.
    private func enterPair() async -> Bool {
        guard await pairGate.enter() else { return false }
        defer { pairGate.leave() }
        guard await gate.enter() else { return false }
        guard await gate.enter() else {
            gate.leave()
            return false
        }
        return true
    }

    /// The files of a kit lie in the box's memory: they are not the validator's own use of it.
    private static func withRoom(for call: ValidatorCall, _ limits: ExecutionLimits) -> ExecutionLimits {
        var limits = limits
        limits.memoryBytes += Int64(call.subject.bytes)
        return limits
    }

    private static func report(
        _ answer: HelperConnection.Answer?, _ execution: ExecutionResult
    ) -> KitReport? {
        guard let answer, execution.end == .exited, answer.reply.flags.contains(.hasArtefact),
            let file = answer.files.last,
            let bytes = MemoryFile.content(of: file, count: Int(answer.reply.artefactBytes))
        else { return nil }
        return KitReport(bytes)
    }

    private static func validatorResult(
        _ execution: ExecutionResult, _ report: KitReport?
    ) -> ValidatorResult {
        ValidatorResult(
            execution: execution, exitCode: report?.exitCode, feedback: report?.files ?? [:])
    }

    private static func failedInteraction(_ detail: String) -> Interaction {
        let execution = failure(detail)
        return Interaction(
            submission: execution, validator: ValidatorResult(execution: execution),
            validatorEndedFirst: false)
    }
}

/// A pipe whose ends go to two boxes.
private enum Pipe {
    static func make() -> (reading: Descriptor, writing: Descriptor)? {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }
}
