import Problems

/// What a contestant sent, ready to be judged.
enum Contestant: Sendable {
    case program(CompiledProgram, submitted: SubmittedFiles)
    case answers(AnswerText)
}

/// A test's result, and why it is a judge error where it is one.
struct TestOutcome: Sendable {
    var result: TestResult
    var fault: String?
}

/// Judges single tests of one problem: runs the submission, and the package's validators or the default one.
struct TestJudge: Sendable {
    let executor: any ProgramExecutor
    let problem: Problem
    let validators: [CompiledProgram]
    let staticValidator: CompiledProgram?
    /// Those of the problem, which the factors of the contestant's language multiply.
    let limits: ExecutionLimits

    /// - Parameter leftMs: wall-clock time that may be used; nil for no bound.
    func judge(_ contestant: Contestant, on test: TestCase, leftMs: Int64?) async -> TestOutcome {
        var limits = limits
        if case .program(let program, _) = contestant,
            let language = executor.languages.named(program.language)
        {
            limits = limits.scaled(for: language)
        }
        if let leftMs {
            guard leftMs > 0 else { return TestOutcome(result: Self.result(test, .timeLimitExceeded, [])) }
            limits.end(withinMs: leftMs)
        }
        if test.isStatic { return await validateStatically(contestant, on: test, leftMs: leftMs) }
        switch contestant {
        case .answers(let answers):
            let execution = ExecutionResult(
                end: .exited, exitCode: 0, standardOutput: answers.answer(to: test) ?? [])
            return await judge(execution, on: test)
        case .program(var program, _):
            program.arguments = test.arguments
            program.files.merge(test.files) { _, ofTest in ofTest }
            if problem.validators.isEmpty {
                return await judge(await run(program, input: test.input, limits), on: test)
            }
            return await passes(program, test, limits)
        }
    }

    // MARK: One run, then the validator

    /// Runs a program once, or twice where its time is suspicious: it ended by itself just beyond its CPU limit, or was
    /// stopped by the wall clock although it had worked for half of its CPU limit, as on a machine that is held up. The
    /// second run counts when it is within its limits.
    private func run(
        _ program: CompiledProgram, input: [UInt8], _ limits: ExecutionLimits
    ) async -> ExecutionResult {
        let first = await executor.run(program, standardInput: input, limits: limits.withGrace)
        guard first.isSuspicious(limits) else { return first.held(to: limits) }
        let second = await executor.run(program, standardInput: input, limits: limits.withGrace).held(
            to: limits)
        return second.verdict == .timeLimitExceeded ? first.held(to: limits) : second
    }

    /// A run that is over. Of it the sandbox decides CPU time, wall time, memory, output and crash, in this order; one
    /// that ended well is compared with the answer, or handed to the validators.
    private func judge(_ execution: ExecutionResult, on test: TestCase) async -> TestOutcome {
        guard execution.verdict == .accepted else {
            return Self.outcome(test, execution.verdict, [execution])
        }
        guard validators.isEmpty else {
            let (outcome, _) = await validate(execution.standardOutput, test, feedback: [:])
            return Self.outcome(test, outcome, [execution])
        }
        let mismatch = OutputComparer.mismatch(
            output: execution.standardOutput, answer: test.answer, flags: test.validator)
        return Self.outcome(test, mismatch == nil ? .accepted : .wrongAnswer, [execution])
    }

    /// All validators must accept; the first that does not decides. The feedback is the last one's.
    private func validate(
        _ output: [UInt8], _ test: TestCase, feedback: [String: [UInt8]]
    ) async -> (ValidatorOutcome, feedback: [String: [UInt8]]) {
        var last = (ValidatorOutcome.nobody, feedback: feedback)
        for validator in validators {
            let result = await executor.validate(
                call(validator, test, feedback), output: output, limits: validatorLimits)
            let outcome = ValidatorOutcome(
                result, rule: test.scoreRule, mayContinue: problem.kind.passes > 1)
            last = (outcome, result.feedback)
            if outcome.decision != .accepted { break }
        }
        return last
    }

    /// Hands the submission's files to the package's static validator (2025-09, "Static validator"); nothing of the
    /// submission is run. The times and the memory of the result are zero: they would be the validator's.
    private func validateStatically(
        _ contestant: Contestant, on test: TestCase, leftMs: Int64?
    ) async -> TestOutcome {
        guard let staticValidator, case .program(_, let submitted) = contestant else {
            let fault = "\(test.name): there is no static validator, or no program for it"
            return TestOutcome(result: Self.result(test, .judgeError, []), fault: fault)
        }
        let call = ValidatorCall(
            program: staticValidator, subject: .submission(submitted), arguments: test.validatorArguments,
            feedbackBytes: problem.validationLimits.outputBytes)
        var limits = validatorLimits
        let endsEarly = leftMs.map { limits.end(withinMs: $0) } ?? false
        let result = await executor.validate(call, output: [], limits: limits)
        if endsEarly, result.execution.verdict == .timeLimitExceeded {
            return TestOutcome(result: Self.result(test, .timeLimitExceeded, []))
        }
        var outcome = Self.outcome(
            test, ValidatorOutcome(result, rule: test.scoreRule, mayContinue: false), [])
        // Its group's tests are worth something else.
        if case .upTo(let maximum) = test.scoreRule, outcome.result.verdict == .accepted {
            outcome.result.score = outcome.result.score ?? maximum
        }
        return outcome
    }

    // MARK: Passes

    /// Runs until a pass is not accepted or asks for no further one. Each pass has the limits of a test for itself.
    private func passes(
        _ program: CompiledProgram, _ test: TestCase, _ limits: ExecutionLimits
    ) async -> TestOutcome {
        var input = test.input
        var feedback: [String: [UInt8]] = [:]
        var executions: [ExecutionResult] = []
        for _ in 0..<max(1, problem.kind.passes) {
            feedback["nextpass.in"] = nil
            let pass =
                problem.kind.isInteractive
                ? await interact(program, test, limits, feedback: feedback)
                : await run(program, test, input: input, limits, feedback: feedback)
            executions.append(pass.execution)
            guard let outcome = pass.outcome, let next = outcome.nextInput else {
                return pass.outcome.map { Self.outcome(test, $0, executions) }
                    ?? Self.outcome(test, pass.verdict, executions)
            }
            input = next
            feedback = pass.feedback
        }
        let fault = "the validator asks for more than \(problem.kind.passes) passes"
        return TestOutcome(result: Self.result(test, .judgeError, executions), fault: fault)
    }

    private struct Pass {
        var execution: ExecutionResult
        /// The submission's own verdict, where the validator's outcome is nil.
        var verdict: Verdict
        var outcome: ValidatorOutcome?
        var feedback: [String: [UInt8]] = [:]
    }

    private func run(
        _ program: CompiledProgram, _ test: TestCase, input: [UInt8], _ limits: ExecutionLimits,
        feedback: [String: [UInt8]]
    ) async -> Pass {
        let execution = await run(program, input: input, limits)
        guard execution.verdict == .accepted else {
            return Pass(execution: execution, verdict: execution.verdict)
        }
        let (outcome, left) = await validate(execution.standardOutput, test, feedback: feedback)
        return Pass(execution: execution, verdict: .accepted, outcome: outcome, feedback: left)
    }

    private func interact(
        _ program: CompiledProgram, _ test: TestCase, _ limits: ExecutionLimits, feedback: [String: [UInt8]]
    ) async -> Pass {
        guard let validator = validators.first else {
            let execution = ExecutionResult(end: .sandboxError, detail: "the problem has no validator")
            return Pass(execution: execution, verdict: .judgeError)
        }
        var submissionLimits = limits
        submissionLimits.wallTimeMs += Limits.interactionSlackMs
        var theirs = validatorLimits
        theirs.wallTimeMs = submissionLimits.wallTimeMs + Limits.validatorGraceMs
        let interaction = await executor.interact(
            program, limits: submissionLimits, with: call(validator, test, feedback),
            validatorLimits: theirs)
        let outcome = ValidatorOutcome(
            interaction.validator, rule: test.scoreRule, mayContinue: problem.kind.passes > 1)
        if let verdict = interaction.submissionVerdict(outcome.decision) {
            return Pass(execution: interaction.submission, verdict: verdict)
        }
        return Pass(
            execution: interaction.submission, verdict: .accepted, outcome: outcome,
            feedback: interaction.validator.feedback)
    }

    private func call(
        _ validator: CompiledProgram, _ test: TestCase, _ feedback: [String: [UInt8]]
    ) -> ValidatorCall {
        ValidatorCall(
            program: validator, subject: .output(input: test.input, answer: test.answer),
            arguments: test.validatorArguments, feedback: feedback,
            feedbackBytes: problem.validationLimits.outputBytes)
    }

    private var validatorLimits: ExecutionLimits {
        let limits = problem.validationLimits
        return ExecutionLimits(
            cpuTimeMs: limits.timeMs, wallTimeMs: limits.timeMs + Limits.validatorGraceMs,
            memoryBytes: limits.memoryBytes, outputBytes: limits.outputBytes)
    }

    // MARK: Results

    private static func outcome(
        _ test: TestCase, _ verdict: Verdict, _ executions: [ExecutionResult]
    ) -> TestOutcome {
        TestOutcome(
            result: result(test, verdict, executions),
            fault: verdict == .judgeError ? executions.last?.detail : nil)
    }

    private static func outcome(
        _ test: TestCase, _ judged: ValidatorOutcome, _ executions: [ExecutionResult]
    ) -> TestOutcome {
        var outcome = TestOutcome(result: result(test, .accepted, executions))
        switch judged.decision {
        case .accepted: break
        case .rejected: outcome.result.verdict = .wrongAnswer
        case .failed(let why):
            outcome.result.verdict = .judgeError
            outcome.fault = "\(test.name): \(why)"
        }
        outcome.result.score = judged.score
        outcome.result.teamMessage = judged.teamMessage?.text
        outcome.result.judgeMessage = judged.judgeMessage?.text
        outcome.result.teamMessageBytes = judged.teamMessage?.bytes
        outcome.result.judgeMessageBytes = judged.judgeMessage?.bytes
        return outcome
    }

    /// Of several passes the most that one of them took.
    private static func result(
        _ test: TestCase, _ verdict: Verdict, _ executions: [ExecutionResult]
    ) -> TestResult {
        TestResult(
            name: test.name, verdict: verdict, cpuTimeMs: executions.map(\.cpuTimeMs).max() ?? 0,
            wallTimeMs: executions.map(\.wallTimeMs).max() ?? 0,
            memoryBytes: executions.map(\.memoryBytes).max() ?? 0)
    }
}

extension ValidatorOutcome {
    /// No validator was there to decide.
    fileprivate static let nobody = ValidatorOutcome(
        ValidatorResult(execution: ExecutionResult(end: .sandboxError, detail: "there is no validator")),
        rule: .ignored, mayContinue: false)
}

extension Interaction {
    /// The submission's own verdict where it decides the test; nil where the validator does. In this order:
    ///
    /// 1. A failure of the sandbox is a judge error.
    /// 2. A submission over its CPU time, memory or output has that verdict, whatever the validator says.
    /// 3. A validator that rejects before the submission lets go is right: what the submission does when nobody listens
    ///    any more does not matter.
    /// 4. A submission over its wall-clock time is too slow, also when both waited for each other; unless the validator
    ///    itself failed.
    /// 5. A submission that crashed, crashed; but to die of writing to a validator that has accepted is no crash.
    /// 6. The validator decides.
    func submissionVerdict(_ decision: ValidatorOutcome.Decision) -> Verdict? {
        if submission.end == .sandboxError || validator.execution.end == .sandboxError { return .judgeError }
        switch submission.end {
        case .cpuTimeLimit, .memoryLimit, .outputLimit: return submission.verdict
        case _ where decision == .rejected && validatorEndedFirst: return nil
        case .wallTimeLimit:
            if case .failed = decision { return nil }
            return submission.verdict
        case .signalled where decision == .accepted && validatorEndedFirst && submission.signal == 13:
            return nil
        default: return submission.verdict == .accepted ? nil : submission.verdict
        }
    }
}

extension ExecutionLimits {
    /// Leaves no more wall-clock time than that; whether there was more.
    @discardableResult fileprivate mutating func end(withinMs leftMs: Int64) -> Bool {
        guard leftMs < Int64(wallTimeMs) else { return false }
        wallTimeMs = Int(leftMs)
        return true
    }

    fileprivate var withGrace: ExecutionLimits {
        var limits = self
        limits.cpuTimeMs += max(Limits.nearLimitMs, cpuTimeMs * Limits.nearLimitPercent / 100)
        return limits
    }
}

extension ExecutionResult {
    fileprivate func isSuspicious(_ limits: ExecutionLimits) -> Bool {
        switch end {
        case .wallTimeLimit: 2 * cpuTimeMs >= limits.cpuTimeMs
        case .exited, .signalled, .outputLimit: cpuTimeMs > limits.cpuTimeMs
        default: false
        }
    }

    /// The result as under the limit itself.
    fileprivate func held(to limits: ExecutionLimits) -> ExecutionResult {
        guard cpuTimeMs > limits.cpuTimeMs, end != .sandboxError else { return self }
        var result = self
        result.end = .cpuTimeLimit
        return result
    }
}
