import Judging
import Problems
import Testing

@Suite(.timeLimit(.minutes(1))) struct RunTests {
    private func finished(_ judge: Judge, _ id: String, _ user: String) async throws -> RunOutcome {
        while true {
            if case .finished(let outcome)? = await judge.service.runState(id, userID: user) {
                return outcome
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test func runsAProgramOnAnInput() async throws {
        let judge = await Judge()
        let id = try await judge.service.startRun(
            userID: "u", language: "python", source: Array("ok".utf8), stdin: Array("hello".utf8))
        let outcome = try await finished(judge, id, "u")
        #expect(outcome.verdict == .accepted)
        #expect(outcome.execution?.standardOutput == Array("hello".utf8))
        let limits = await judge.executor.runs.first?.limits
        #expect(limits?.cpuTimeMs == 10_000 && limits?.outputBytes == 256 << 10)
        // It is nobody else's.
        #expect(await judge.service.runState(id, userID: "other") == nil)
        #expect(await judge.service.runState("none", userID: "u") == nil)
    }

    @Test func tellsWhyAProgramDoesNotRun() async throws {
        let judge = await Judge()
        for (source, verdict) in [
            ("broken", Verdict.compileError), ("lost", .judgeError), ("* rte", .runTimeError),
        ] {
            let id = try await judge.service.startRun(
                userID: "u", language: "cpp", source: Array(source.utf8), stdin: [])
            #expect(try await finished(judge, id, "u").verdict == verdict)
        }
    }

    @Test func refusesTooMuch() async throws {
        let judge = await Judge()
        func code(_ language: String, source: Int, stdin: Int) async -> JudgingError.Code? {
            do throws(JudgingError) {
                _ = try await judge.service.startRun(
                    userID: "u", language: language, source: [UInt8](repeating: 0x20, count: source),
                    stdin: [UInt8](repeating: 0x20, count: stdin))
                return nil
            } catch {
                return error.code
            }
        }
        #expect(await code("python", source: (128 << 10) + 1, stdin: 0) == .sourceTooLarge)
        #expect(await code("python", source: 1, stdin: (1 << 20) + 1) == .inputTooLarge)
        #expect(await code("cobol", source: 1, stdin: 1) == .unknownLanguage)
        #expect(await code("python", source: 64 << 10, stdin: 1 << 20) == nil)
    }

    @Test func forgetsOldRuns() async throws {
        let judge = await Judge()
        var ids: [String] = []
        for _ in 0..<300 {
            let id = try await judge.service.startRun(
                userID: "u", language: "python", source: Array("ok".utf8), stdin: [])
            _ = try await finished(judge, id, "u")
            ids.append(id)
        }
        // The oldest made room, the newest are there until their time is up.
        #expect(await judge.service.runState(ids[0], userID: "u") == nil)
        #expect(await judge.service.runState(ids[299], userID: "u") != nil)
        judge.clock.advance(by: 600_001)
        #expect(await judge.service.runState(ids[299], userID: "u") == nil)
    }

    @Test func refusesRunsWhenAllPlacesAreTaken() async throws {
        let gate = Gate(holding: ["held"])
        let judge = await Judge(workers: 1, gate: gate)
        var refused = 0
        for index in 0..<300 {
            do {
                _ = try await judge.service.startRun(
                    userID: "u\(index / 10)", language: "python", source: Array("held".utf8), stdin: [])
            } catch {
                #expect(error.code == .queueFull)
                refused += 1
            }
        }
        #expect(refused == 44)
        await gate.open("held")
        await judge.service.stop()
    }
}
