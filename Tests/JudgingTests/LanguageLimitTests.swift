import Judging
import Problems
import Testing

/// What a problem and an installation say of single languages. In the table of these tests Java has twice the time and
/// half as much memory again.
@Suite struct LanguageLimitTests {
    private func judge(
        _ problem: Problem, _ source: String, language: String, clock: TestClock, _ executor: ScriptedExecutor
    ) async -> Verdict {
        await ProgramJudge(executor: executor, now: { clock.now })
            .judge(problem, language: language, source: Array(source.utf8)).judgement.verdict
    }

    @Test("a language's factors multiply the problem's limits")
    func factors() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock, installed: ["python", "java"])
        let problem = try problem(
            tree("sums", ["problem.yaml": "name: Sums\nlimits: {time_limit: 1, memory: 100}\n"]))
        #expect(await judge(problem, "* ok 1900", language: "java", clock: clock, executor) == .accepted)
        #expect(
            await judge(problem, "* ok 2900", language: "java", clock: clock, executor) == .timeLimitExceeded)
        #expect(
            await judge(problem, "* ok 1900", language: "python", clock: clock, executor)
                == .timeLimitExceeded)
        let runs = await executor.runs
        #expect(runs.first?.limits.memoryBytes == 150 << 20 && runs.last?.limits.memoryBytes == 100 << 20)
        // Both have twice their CPU time and a second by the clock on the wall.
        #expect(runs.first?.limits.wallTimeMs == 5_000 && runs.last?.limits.wallTimeMs == 3_000)
    }

    @Test("factors lead no further than the sandbox, and never below the problem's limits")
    func ceilings() throws {
        let java = try #require(LanguageTable.test.named("java"))
        let large = ExecutionLimits(cpuTimeMs: 40_000, wallTimeMs: 81_000, memoryBytes: 3 << 30)
        let scaled = large.scaled(for: java)
        #expect(scaled.cpuTimeMs == 60_000 && scaled.wallTimeMs == 121_000 && scaled.memoryBytes == 4 << 30)
        let python = try #require(LanguageTable.test.named("python"))
        #expect(large.scaled(for: python) == large)
        let beyond = ExecutionLimits(cpuTimeMs: 70_000, wallTimeMs: 1, memoryBytes: 5 << 30)
        #expect(beyond.scaled(for: java) == beyond)
    }

    @Test("a measured time limit is that of a language without a factor")
    func measured() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock, installed: ["python", "java"])
        let verifier = PackageVerifier(executor: executor, now: { clock.now })
        let problem = try problem(
            tree(
                "sums",
                [
                    "problem.yaml": "name: Sums\nlimits: {time_multiplier: 2}\n",
                    "submissions/accepted/a.java": "* ok 1900", "submissions/accepted/b.py": "* ok 600",
                ]))
        let measured = await verifier.measureTimeLimit(of: problem)
        #expect(measured?.slowestMs == 950 && measured?.limitMs == 2_000)
    }

    @Test("a language that a problem does not allow is refused when it comes, and skipped by verify")
    func allowed() async throws {
        let clock = TestClock()
        let package = PackageTree(
            shortName: "sums",
            files: [
                "problem.yaml": """
                problem_format_version: 2025-09
                uuid: 117b564d-429b-44d4-bf8c-c264a3703e07
                name: Sums
                languages: [python3, java]

                """,
                "statement/problem.en.md": "Add.\n", "data/secret/1.in": "1\n", "data/secret/1.ans": "1\n",
                "submissions/accepted/a.cpp": "* ok", "submissions/accepted/b.py": "* ok",
            ].mapValues { Array($0.utf8) })
        let executor = ScriptedExecutor(clock: clock)
        let store = MemorySubmissionStore()
        let service = JudgeService(
            executor: executor, submissions: store,
            catalogue: ProblemCatalogue(store: MemoryProblemStore([package])), workers: 1,
            now: { clock.now }, newID: { "run" })
        let error = await #expect(throws: JudgingError.self) {
            try await service.submit(submission("s1", language: "cpp"))
        }
        #expect(error?.code == .languageNotAllowed && error?.message.contains("python3, java") == true)
        #expect(await store.rows.isEmpty)
        try await service.submit(submission("s2", language: "python"))
        await service.stop()
        #expect(await store.rows["s2"] != nil)

        let checks = await PackageVerifier(executor: executor, now: { clock.now })
            .verify(try PackageParser.parse(package))
        #expect(checks.first?.outcome == .skipped("the problem does not allow cpp"))
        #expect(checks.last?.outcome == .asExpected)
    }
}
