import Judging
import Problems
import TestSupport
import Testing

@Suite struct GraderTests {
    /// Runs the machine over scripted verdicts (AC for tests without one) and gives the tests it asked for.
    private func grade(_ problem: Problem, _ verdicts: [String: Verdict]) -> (tests: [String], Grader.Step) {
        var grader = Grader(problem)
        var asked: [String] = []
        while case .test(let index) = grader.next() {
            let repeated = grader.next()
            #expect(repeated == .test(index))
            let name = problem.tests[index].name
            asked.append(name)
            grader.record(verdicts[name] ?? .accepted)
        }
        return (asked, grader.next())
    }

    @Test func acceptsWhenAllAre() throws {
        let (asked, end) = grade(try problem(), [:])
        #expect(asked == ["sample/0", "secret/1", "secret/2", "secret/3"])
        #expect(end == .done(verdict: .accepted, score: 1))
    }

    @Test(arguments: [
        Verdict.wrongAnswer, .timeLimitExceeded, .memoryLimitExceeded, .runTimeError, .outputLimitExceeded,
    ])
    func stopsAtTheFirstFailure(verdict: Verdict) throws {
        let (asked, end) = grade(try problem(), ["secret/2": verdict, "secret/3": .runTimeError])
        #expect(asked == ["sample/0", "secret/1", "secret/2"])
        #expect(end == .done(verdict: verdict, score: 0))
        #expect(grade(try problem(), ["sample/0": verdict]).tests == ["sample/0"])
    }

    @Test func endsAtAJudgeError() throws {
        let scoring = try problem(
            tree(yaml: "type: scoring", ["data/testdata.yaml": "on_reject: continue\n"]))
        let (asked, end) = grade(scoring, ["secret/1": .judgeError])
        #expect(asked == ["sample/0", "secret/1"])
        #expect(end == .done(verdict: .judgeError, score: 0))
        var grader = Grader(scoring)
        grader.record(.judgeError)
        grader.record(.accepted)
        let last = grader.next()
        #expect(last == .done(verdict: .judgeError, score: 0))
    }

    /// The groups of a Swedish olympiad problem (15 + 20 points, the best of the groups that pass).
    private func olympiad(_ secret: String = "grader_flags: first_error accept_if_any_accepted\n") throws
        -> Problem
    {
        try problem(
            tree(
                secretTests: 0, yaml: "type: scoring",
                [
                    "data/testdata.yaml": "on_reject: continue\nrange: 0 100\ngrader_flags: ignore_sample\n",
                    "data/sample/testdata.yaml": "accept_score: 0\ngrader_flags: first_error\n",
                    "data/secret/testdata.yaml": secret,
                    "data/secret/1/testdata.yaml": "on_reject: break\naccept_score: 15\ngrader_flags: min\n",
                    "data/secret/1/a.in": "", "data/secret/1/a.ans": "", "data/secret/1/b.in": "",
                    "data/secret/1/b.ans": "",
                    "data/secret/2/testdata.yaml": "on_reject: break\naccept_score: 20\ngrader_flags: min\n",
                    "data/secret/2/a.in": "", "data/secret/2/a.ans": "",
                ]))
    }

    @Test func addsUpGroups() throws {
        let problem = try olympiad()
        #expect(grade(problem, [:]).1 == .done(verdict: .accepted, score: 35))
        let (asked, end) = grade(problem, ["secret/1/a": .wrongAnswer])
        #expect(asked == ["sample/0", "secret/1/a", "secret/2/a"])
        #expect(end == .done(verdict: .accepted, score: 20))
        let none = grade(problem, ["secret/1/b": .timeLimitExceeded, "secret/2/a": .wrongAnswer]).1
        #expect(none == .done(verdict: .timeLimitExceeded, score: 0))
        // A failing sample counts for nothing here.
        #expect(grade(problem, ["sample/0": .wrongAnswer]).1 == .done(verdict: .accepted, score: 35))
    }

    @Test(arguments: [
        ("sum", 35.0), ("avg", 17.5), ("min", 15), ("max", 20), ("min max", 20), ("max sum", 35),
    ])
    func knowsEveryScoreMode(flags: String, score: Double) throws {
        let problem = try olympiad("grader_flags: \(flags)\n")
        #expect(grade(problem, [:]).1 == .done(verdict: .accepted, score: score))
    }

    @Test func knowsEveryVerdictMode() throws {
        let failures: [String: Verdict] = ["secret/1/a": .wrongAnswer, "secret/2/a": .runTimeError]
        func end(_ flags: String) throws -> Grader.Step {
            grade(try olympiad("grader_flags: \(flags)\n"), failures).1
        }
        #expect(try end("first_error") == .done(verdict: .wrongAnswer, score: 0))
        #expect(try end("worst_error") == .done(verdict: .runTimeError, score: 0))
        #expect(try end("always_accept") == .done(verdict: .accepted, score: 0))
        #expect(try end("accept_if_any_accepted") == .done(verdict: .runTimeError, score: 0))
    }

    private func current(_ secret: String, _ second: String) throws -> Problem {
        var files: [String: String] = [
            "problem.yaml": "problem_format_version: 2025-09\nuuid: x\nname: Sums\ntype: scoring\n",
            "statement/problem.en.md": "Add.\n", "data/secret/test_group.yaml": secret,
            "data/secret/a/test_group.yaml": "max_score: 40\n",
            "data/secret/b/test_group.yaml": second,
        ]
        for test in ["a/1", "a/2", "b/1", "b/2", "b/3"] {
            files["data/secret/\(test).in"] = ""
            files["data/secret/\(test).ans"] = ""
        }
        return try problem(tree(secretTests: 0, files))
    }

    @Test func scoresGroupsOf2025() throws {
        let problem = try current("", "max_score: 60\nscore_aggregation: sum\n")
        #expect(grade(problem, [:]).1 == .done(verdict: .accepted, score: 100))
        #expect(grade(problem, ["secret/a/2": .wrongAnswer]).1 == .done(verdict: .accepted, score: 60))
        let (asked, end) = grade(problem, ["secret/a/1": .wrongAnswer, "secret/b/1": .wrongAnswer])
        #expect(asked == ["sample/0", "secret/a/1", "secret/b/1", "secret/b/2", "secret/b/3"])
        #expect(end == .done(verdict: .accepted, score: 40))
        let minimum = try current("", "max_score: 60\nscore_aggregation: min\n")
        #expect(grade(minimum, [:]).1 == .done(verdict: .accepted, score: 100))
        #expect(grade(minimum, ["secret/b/3": .wrongAnswer]).1 == .done(verdict: .accepted, score: 40))
        let strict = try current("score_aggregation: pass-fail\nmax_score: 7\n", "")
        #expect(grade(strict, [:]).1 == .done(verdict: .accepted, score: 7))
        #expect(grade(strict, ["secret/b/3": .wrongAnswer]).1 == .done(verdict: .wrongAnswer, score: 0))
    }

    @Test func runsNoGroupWithoutItsRequirement() throws {
        let problem = try current("", "max_score: 60\nrequire_pass: [sample, secret/a]\n")
        #expect(grade(problem, [:]).1 == .done(verdict: .accepted, score: 100))
        let (asked, end) = grade(problem, ["secret/a/2": .runTimeError])
        #expect(asked == ["sample/0", "secret/a/1", "secret/a/2"])
        #expect(end == .done(verdict: .runTimeError, score: 0))
        #expect(grade(problem, ["sample/0": .wrongAnswer]).1 == .done(verdict: .accepted, score: 40))
    }

    /// Whatever the verdicts, each test is asked for once at most, in order, and the end comes.
    @Test func alwaysEnds() throws {
        var random = SeededGenerator()
        let again = random.description
        let problems = [
            try problem(), try olympiad(), try current("", "max_score: 60\nrequire_pass: secret/a\n"),
        ]
        for _ in 0..<2_000 * testScale {
            let problem = problems[Int.random(in: 0..<problems.count, using: &random)]
            var verdicts: [String: Verdict] = [:]
            for test in problem.tests where Int.random(in: 0..<3, using: &random) == 0 {
                verdicts[test.name] = Verdict.allCases.randomElement(using: &random)
            }
            let (asked, end) = grade(problem, verdicts)
            let order = problem.tests.map(\.name).filter(asked.contains)
            #expect(asked == order, "\(again)")
            guard case .done(let verdict, let score) = end else {
                Issue.record("no end; \(again)")
                continue
            }
            #expect(score >= 0 && score <= problem.maxScore ?? .infinity, "\(again)")
            if !problem.isScoring { #expect((verdict == .accepted) == (score == 1), "\(again)") }
        }
    }
}
