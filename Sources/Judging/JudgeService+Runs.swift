extension JudgeService {
    /// Queues a run of a program on an input; its id is for `runState`. Runs are kept in memory only.
    public func startRun(
        userID: String, language: String, source: [UInt8], stdin: [UInt8]
    ) async throws(JudgingError) -> String {
        guard source.count <= Limits.runSourceBytes else {
            throw JudgingError(.sourceTooLarge, "the source is larger than \(Limits.runSourceBytes) bytes")
        }
        guard stdin.count <= Limits.runInputBytes else {
            throw JudgingError(.inputTooLarge, "the input is larger than \(Limits.runInputBytes) bytes")
        }
        try await checkLanguage(language)
        await recognise(userID)
        try reserve(userID)
        defer { release(userID) }
        let id = newID()
        guard runs.insert(id, userID: userID, atMs: now()) else {
            throw JudgingError(.queueFull, "the judge has too much to do")
        }
        enqueue(.run(id, language: language, source: source, input: stdin), of: userID, .normal)
        return id
    }

    /// How a run of that user stands; nil when there is none (any more).
    public func runState(_ id: String, userID: String) -> RunState? {
        runs.state(id, userID: userID, atMs: now())
    }

    func workRun(_ id: String, language: String, source: [UInt8], input: [UInt8]) async {
        runs.set(id, .running)
        let compiled = await executor.compile(language: language, source: source)
        var outcome = RunOutcome(compile: compiled.execution)
        if let program = compiled.program {
            let limits = ExecutionLimits(
                cpuTimeMs: Limits.runCPUMs, wallTimeMs: Limits.runWallMs, memoryBytes: Limits.runMemoryBytes,
                outputBytes: Limits.runOutputBytes)
            outcome.execution = await executor.run(program, standardInput: input, limits: limits)
        }
        runs.set(id, .finished(outcome))
        watches.end(id)
    }
}
