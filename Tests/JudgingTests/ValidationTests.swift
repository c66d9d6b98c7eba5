import Judging
import Problems
import Testing

/// Validators of packages, scripted: what their exit codes and feedback files mean to a judgement.
@Suite struct ValidationTests {
    /// A 2025-09 package with the secret tests 1 and 2 and this validator.
    private func problem(
        type: String = "pass-fail", validator: String, yaml: String = "", _ extra: [String: String] = [:]
    ) throws -> Problem {
        var files = [
            "problem.yaml": """
            problem_format_version: 2025-09
            uuid: 117b564d-429b-44d4-bf8c-c264a3703e07
            type: \(type)
            name: Sums
            limits: {time_limit: 1\(yaml)}

            """,
            "statement/problem.en.md": "Add.\n", "output_validator/v.py": validator,
            "data/secret/1.in": "1\n", "data/secret/1.ans": "a\n",
            "data/secret/2.in": "2\n", "data/secret/2.ans": "b\n",
        ]
        files.merge(extra) { $1 }
        return try PackageParser.parse(
            PackageTree(shortName: "sums", files: files.mapValues { Array($0.utf8) }))
    }

    private func judge(
        _ problem: Problem, _ source: String = "* ok", with executor: ScriptedExecutor? = nil
    ) async -> ProgramJudge.Outcome {
        let clock = TestClock()
        let judge = ProgramJudge(
            executor: executor ?? ScriptedExecutor(clock: clock), now: { clock.now })
        return await judge.judge(problem, language: "python", source: Array(source.utf8))
    }

    @Test(
        "the exit code decides, and anything but 42 and 43 is the judge's fault",
        arguments: [
            ("* 42", Verdict.accepted), ("1 42\n2 43", .wrongAnswer), ("* 0", .judgeError),
            ("* 1", .judgeError),
            ("* 42 judgeerror=x", .judgeError), ("* 42 nextpass.in=x", .accepted),
            ("* 42 score.txt=nonsense", .accepted),
        ])
    func exitCodes(validator: String, verdict: Verdict) async throws {
        let outcome = await judge(try problem(validator: validator))
        #expect(outcome.judgement.verdict == verdict)
        #expect((outcome.fault != nil) == (verdict == .judgeError))
    }

    @Test("a program that fails is not shown to the validator; messages come with the result")
    func messages() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let tested = try problem(
            validator: "1 42\n2 43 teammessage.txt=mind judgemessage.txt=secret",
            ["data/secret/2.yaml": "output_validator_args: [a, b c]\nargs: [x]\n"])
        let outcome = await judge(tested, with: executor)
        #expect(outcome.judgement.tests.map(\.verdict) == [.accepted, .wrongAnswer])
        #expect(outcome.judgement.tests.last?.teamMessage == "mind")
        #expect(outcome.judgement.tests.last?.judgeMessage == "secret")
        let calls = await executor.validations
        #expect(calls.map(\.arguments) == [[], ["a", "b c"]])
        #expect(
            calls.map(\.subject)
                == [("1\n", "a\n"), ("2\n", "b\n")].map {
                    .output(input: Array($0.0.utf8), answer: Array($0.1.utf8))
                })
        let crashed = await judge(tested, "* rte")
        #expect(crashed.judgement.verdict == .runTimeError)
    }

    @Test(
        "a message is harmless text, and its bytes are kept where they are none",
        arguments: [
            ("plain\r\n\tline", "plain\n\tline"),
            ("\u{1b}[2Jred\u{7f}\u{9b}", "\u{fffd}[2Jred\u{fffd}\u{fffd}"),
            ("<b>é</b>", "<b>é</b>"),
        ])
    func harmless(written: String, shown: String) async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock, message: Array(written.utf8))
        let result = try #require(
            await judge(try problem(validator: "* 42"), with: executor).judgement.tests.first)
        #expect(result.teamMessage == shown && result.judgeMessage == shown)
        #expect(result.teamMessageBytes == nil && result.judgeMessageBytes == nil)
    }

    @Test("bytes that are no text are kept, and a long message is cut between characters")
    func bytes() async throws {
        let clock = TestClock()
        let broken: [UInt8] = [0x61, 0xff, 0x62]
        for (written, shown, kept) in [
            (broken, "a\u{fffd}b", broken),
            (
                Array("a".utf8) + Array(String(repeating: "é", count: 5_000).utf8),
                "a" + String(repeating: "é", count: 2_047), nil
            ),
        ] as [([UInt8], String, [UInt8]?)] {
            let executor = ScriptedExecutor(clock: clock, message: written)
            let result = try #require(
                await judge(try problem(validator: "* 42"), with: executor).judgement.tests.first)
            #expect(result.teamMessage == shown)
            #expect(result.teamMessageBytes == kept && result.judgeMessageBytes == kept)
        }
    }

    @Test("a validator is compiled once, and one that does not compile is no fault of the contestant")
    func compiling() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let judge = ProgramJudge(executor: executor, now: { clock.now })
        let good = try problem(validator: "* 42")
        for _ in 0..<3 { _ = await judge.judge(good, language: "python", source: Array("* ok".utf8)) }
        #expect(await executor.compiled.count { $0 == "* 42" } == 1)
        let broken = await self.judge(try problem(validator: "broken"))
        #expect(broken.judgement.verdict == .judgeError)
        #expect(broken.fault?.contains("does not compile") == true)
    }

    @Test(
        "scores of a validator are taken as the group allows",
        arguments: [
            ("score_multiplier.txt=0.5", "sum", Verdict.accepted, 50.0),
            ("score.txt=12.5", "sum", .accepted, 25),
            ("score.txt=50", "sum", .accepted, 100), ("score.txt=50.1", "sum", .judgeError, 0),
            ("score.txt=-1", "sum", .judgeError, 0),
            ("score.txt=1 score_multiplier.txt=1", "sum", .judgeError, 0),
            ("score_multiplier.txt=1.5", "sum", .judgeError, 0), ("score.txt=inf", "sum", .judgeError, 0),
            ("score.txt=4x", "sum", .judgeError, 0), ("", "sum", .accepted, 100),
            ("score.txt=70", "min", .accepted, 70), ("score.txt=1", "pass-fail", .judgeError, 0),
            ("", "pass-fail", .accepted, 100),
        ])
    func scores(files: String, aggregation: String, verdict: Verdict, score: Double) async throws {
        let outcome = await judge(
            try problem(
                type: "scoring", validator: "* 42 \(files)",
                ["data/secret/test_group.yaml": "score_aggregation: \(aggregation)\n"]))
        #expect(outcome.judgement.verdict == verdict, "\(outcome)")
        #expect(abs(outcome.judgement.score - score) < 1e-9, "\(outcome)")
    }

    @Test("an unbounded group needs a score, and a rejected test may have none")
    func unbounded() async throws {
        let unbounded = ["data/secret/test_group.yaml": "max_score: unbounded\n"]
        let scored = try problem(type: "scoring", validator: "* 42 score.txt=700", unbounded)
        #expect(scored.maxScore == nil)
        #expect(await judge(scored).judgement.score == 1400)
        let unscored = try problem(type: "scoring", validator: "* 42", unbounded)
        #expect(await judge(unscored).judgement.verdict == .judgeError)
        let rejected = try problem(type: "scoring", validator: "* 43 score.txt=1", unbounded)
        #expect(await judge(rejected).judgement.verdict == .judgeError)
    }

    /// What scoring packages without an output validator begin with.
    private static let scoring = [
        "problem.yaml": """
        problem_format_version: 2025-09
        uuid: 117b564d-429b-44d4-bf8c-c264a3703e07
        type: scoring
        name: Sums

        """, "statement/problem.en.md": "Add.\n",
    ]

    /// A scoring package with a static validator: the group `a` has 40 points, 10 of which the source gives.
    private func statical(_ validator: String, secret: String = "", group: String? = nil) throws -> Problem {
        let group = group ?? "max_score: 40\nscore_aggregation: sum\nstatic_validation_score: 10\n"
        let files = Self.scoring.merging([
            "static_validator/s.py": validator,
            "data/secret/test_group.yaml": "max_score: 40\n\(secret)",
            "data/secret/a/test_group.yaml": group + "static_validator_args: [strict]\n",
            "data/secret/a/1.in": "1", "data/secret/a/1.ans": "1", "data/secret/a/2.in": "2",
            "data/secret/a/2.ans": "2",
        ]) { _, own in own }
        return try PackageParser.parse(
            PackageTree(shortName: "sums", files: files.mapValues { Array($0.utf8) }))
    }

    @Test(
        "a static validator has no more time than is left for the submission, and that is not the judge's fault"
    )
    func staticsWithinTheBudget() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let judge = ProgramJudge(executor: executor, now: { clock.now })
        let problem = try statical("* wall")
        let source = Array("* ok".utf8)
        let hurried = await judge.judge(problem, language: "python", source: source, budgetMs: 700)
        #expect(await executor.validationLimits.map(\.wallTimeMs) == [700])
        #expect(hurried.judgement.tests.first?.verdict == .timeLimitExceeded)
        let patient = await judge.judge(problem, language: "python", source: source, budgetMs: nil)
        #expect(patient.judgement.verdict == .judgeError)
    }

    @Test(
        "a static validator reads the source before the group's tests, and scores it",
        arguments: [
            ("* 42", "* ok", Verdict.accepted, 40.0), ("* 42 score.txt=4", "* ok", .accepted, 34),
            ("* 42 score_multiplier.txt=0.5", "* ok", .accepted, 35), ("* 43", "* ok", .accepted, 30),
            ("* 42", "* wa", .accepted, 10), ("* 43", "* wa", .wrongAnswer, 0),
            ("* 0", "* ok", .judgeError, 0),
            ("* 42 score.txt=11", "* ok", .judgeError, 0), ("* 43 score.txt=1", "* ok", .judgeError, 0),
        ])
    func statics(validator: String, program: String, verdict: Verdict, score: Double) async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let outcome = await judge(try statical(validator), program, with: executor)
        #expect(outcome.judgement.verdict == verdict, "\(outcome)")
        #expect(abs(outcome.judgement.score - score) < 1e-9, "\(outcome)")
        #expect(outcome.judgement.tests.first?.name == "secret/a/static_validation")
        let call = try #require(await executor.validations.first)
        let files = ["main.py": Array(program.utf8)]
        #expect(
            call.subject
                == .submission(
                    SubmittedFiles(languageCode: "python3", entryPoint: "main.py", files: files)))
        #expect(call.arguments == ["strict"])
    }

    @Test("in a pass-fail group the source decides with the tests, and nothing is run that it forbids")
    func strictStatics() async throws {
        let group = "max_score: 40\nstatic_validation_score: pass-fail\n"
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let refused = await judge(try statical("* 43", group: group), with: executor)
        #expect(refused.judgement.verdict == .wrongAnswer && refused.judgement.score == 0, "\(refused)")
        #expect(await executor.runs.isEmpty)
        #expect(await judge(try statical("* 42", group: group)).judgement.score == 40)
        let scored = await judge(try statical("* 42 score.txt=1", group: group))
        #expect(scored.judgement.verdict == .judgeError)
    }

    @Test("passes follow each other while the validator asks, and no further than the problem says")
    func passes() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let chain = "1 42 nextpass.in=3 judgemessage.txt=a\n3 42 judgemessage.txt=b\n2 42"
        let outcome = await judge(try problem(type: "multi-pass", validator: chain), with: executor)
        #expect(outcome.judgement.verdict == .accepted, "\(outcome)")
        #expect(await executor.runs.map(\.input) == ["1", "3", "2"])
        #expect(outcome.judgement.tests.first?.judgeMessage == "ab")
        let inputs = await executor.validations.map { call -> [UInt8] in
            guard case .output(let input, _) = call.subject else { return [] }
            return input
        }
        #expect(inputs == ["1\n", "1\n", "2\n"].map { Array($0.utf8) })

        let endless = await judge(try problem(type: "multi-pass", validator: "* 42 nextpass.in=1"))
        #expect(endless.judgement.verdict == .judgeError)
        #expect(endless.fault?.contains("more than 2 passes") == true)
        let rejects = await judge(try problem(type: "multi-pass", validator: "* 43 nextpass.in=1"))
        #expect(rejects.judgement.verdict == .judgeError)
        let crashes = await judge(
            try problem(type: "multi-pass", validator: chain), "3 rte\n* ok")
        #expect(crashes.judgement.verdict == .runTimeError)
    }

    /// The order of `Interaction.submissionVerdict`; `late` in the program: the validator was over first.
    @Test(
        "one verdict comes of two ends",
        arguments: [
            ("* ok", "* 42", Verdict.accepted), ("* ok", "* 43", .wrongAnswer), ("* ok", "* 7", .judgeError),
            ("* rte", "* 43", .runTimeError), ("* rte\nlate", "* 43", .wrongAnswer),
            ("* rte", "* 42", .runTimeError), ("* rte\nlate", "* 42", .runTimeError),
            ("* rte", "* 7", .runTimeError), ("* pipe\nlate", "* 42", .accepted),
            ("* pipe", "* 42", .runTimeError), ("* pipe\nlate", "* 43", .wrongAnswer),
            ("* tle\nlate", "* 43", .timeLimitExceeded), ("* tle", "* 7", .timeLimitExceeded),
            ("* mle", "* 42", .memoryLimitExceeded), ("* ole\nlate", "* 42", .outputLimitExceeded),
            ("* wall", "* 43", .timeLimitExceeded), ("* wall\nlate", "* 43", .wrongAnswer),
            ("* wall", "* 7", .judgeError), ("* je", "* 42", .judgeError),
        ])
    func interactions(program: String, validator: String, verdict: Verdict) async throws {
        let outcome = await judge(try problem(type: "interactive", validator: validator), program)
        #expect(outcome.judgement.verdict == verdict, "\(outcome)")
    }

    @Test("answers are judged without a program")
    func answers() async throws {
        let clock = TestClock()
        let judge = ProgramJudge(executor: ScriptedExecutor(clock: clock), now: { clock.now })
        let puzzle = try problem(
            type: "submit-answer", validator: "*", ["output_validator/v.py": "x 42\ny 42\n* 43"])
        for (text, verdict) in [
            ("=== 1\nx\n=== secret/2\ny\n", Verdict.accepted), ("=== 1\nx\n", .wrongAnswer),
            ("x", .accepted), ("", .wrongAnswer), ("=== 2\nz\n=== 1\ny", .wrongAnswer),
        ] {
            let outcome = await judge.judge(puzzle, language: "text", source: Array(text.utf8))
            #expect(outcome.judgement.verdict == verdict, "\(text): \(outcome)")
        }
    }

    @Test("a grader of the package grades the groups that ask for it")
    func graders() async throws {
        func graded(_ grader: String) async throws -> ProgramJudge.Outcome {
            let scoring = try PackageParser.parse(
                tree(
                    yaml: "type: scoring",
                    [
                        "data/testdata.yaml": "on_reject: continue\ngrader_flags: ignore_sample\n",
                        "data/secret/testdata.yaml":
                            "grading: custom\ngrader_flags: any flag\naccept_score: 5\n",
                        "graders/grade.py": grader,
                    ]))
            return await judge(scoring, "2 wa\n* ok")
        }
        // The scripted grader echoes its input: three lines are no result.
        let echo = try await graded("* ok")
        #expect(echo.judgement.verdict == .judgeError)
        #expect(echo.fault?.contains("no result") == true)
        let crash = try await graded("* rte")
        #expect(crash.judgement.verdict == .judgeError)
        let good = try await graded("* say=AC_7.5")
        #expect(good.judgement.verdict == .accepted && good.judgement.score == 7.5, "\(good)")
        let rejecting = try await graded("* say=WA_3")
        #expect(rejecting.judgement.verdict == .wrongAnswer && rejecting.judgement.score == 0)
    }

    @Test("a group is required to be clean, not only to have points")
    func requiredGroups() async throws {
        let files = Self.scoring.merging([
            "data/secret/a/test_group.yaml": "max_score: 40\nscore_aggregation: sum\n",
            "data/secret/a/1.in": "1", "data/secret/a/1.ans": "1", "data/secret/a/2.in": "2",
            "data/secret/a/2.ans": "2",
            "data/secret/b/test_group.yaml": "max_score: 60\nrequire_pass: [secret/a]\n",
            "data/secret/b/3.in": "3", "data/secret/b/3.ans": "3",
        ]) { _, own in own }
        let scoring = try PackageParser.parse(
            PackageTree(shortName: "sums", files: files.mapValues { Array($0.utf8) }))
        #expect(await judge(scoring).judgement.score == 100)
        #expect(await judge(scoring, "2 wa\n* ok").judgement.score == 20)
    }

    @Test("several files become one program, with what the package includes")
    func layouts() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let cpp = try problem(
            validator: "* 42",
            [
                "output_validator/v.py": "* 42", "include/cpp/driver.cpp": "int main();",
                "include/default/d.txt": "d",
            ])
        let judge = ProgramJudge(executor: executor, now: { clock.now })
        _ = await judge.judge(cpp, language: "cpp", source: Array("solve".utf8))
        #expect(
            await executor.compiled.first
                == "#include \"parts/driver.cpp\"\n#include \"parts/main.cpp\"\n")
        _ = await judge.judge(cpp, language: "python", source: Array("* ok".utf8))
        #expect(await executor.compiled.contains("* ok"))
    }

    @Test("a testlib checker is adapted, and its folder comes along")
    func testlib() async throws {
        let clock = TestClock()
        let executor = ScriptedExecutor(clock: clock)
        let tree = PackageTree(
            shortName: "sums",
            files: [
                "problem.yaml": "name: Sums\nvalidation: custom\n",
                "problem_statement/problem.en.md": "Add.\n",
                "data/secret/1.in": "1\n", "data/secret/1.ans": "1\n",
                "output_validators/check/check.cpp": "int main() { registerTestlibCmd(); }",
                "output_validators/check/testlib.h": "// a header",
            ].mapValues { Array($0.utf8) })
        _ = await judge(try PackageParser.parse(tree), with: executor)
        let source = await executor.compiled.first { $0.contains("checker_main") }
        #expect(source?.contains("#include \"parts/checker.cpp\"") == true)
    }
}
