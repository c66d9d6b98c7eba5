import Judging
import Problems
import Testing

@Suite struct PackageVerifierTests {
    private func verify(_ submissions: [String: String], yaml: String = "", extra: [String: String] = [:])
        async throws
        -> [String: SubmissionCheck.Outcome]
    {
        var files = extra
        for (path, source) in submissions { files["submissions/\(path)"] = source }
        let clock = TestClock()
        let verifier = PackageVerifier(executor: ScriptedExecutor(clock: clock), now: { clock.now })
        let checks = await verifier.verify(try problem(tree(yaml: yaml, files)))
        return Dictionary(uniqueKeysWithValues: checks.map { ($0.path, $0.outcome) })
    }

    @Test func acceptsWhatTheFoldersPromise() async throws {
        let outcomes = try await verify([
            "accepted/a.py": "ok", "wrong_answer/a.py": "2 wa", "time_limit_exceeded/a.cpp": "3 tle",
            "run_time_error/a.py": "1 rte", "run_time_error/b.py": "1 mle", "run_time_error/c.py": "1 ole",
            "slow_accepted/a.py": "ok", "slow_accepted/b.py": "2 tle", "partially_accepted/a.py": "2 wa",
            "rejected/a.py": "* wa", "brute_force/a.py": "3 tle",
        ])
        #expect(outcomes.count == 11)
        for (path, outcome) in outcomes { #expect(outcome == .asExpected, "\(path)") }
    }

    /// A program that fails otherwise first still keeps its promise by a later test.
    @Test func looksAtLaterTests() async throws {
        let outcomes = try await verify([
            "wrong_answer/a.py": "1 tle\n3 wa", "time_limit_exceeded/a.py": "0 wa\n3 tle",
            "run_time_error/a.py": "0 wa\n3 rte",
        ])
        for (path, outcome) in outcomes { #expect(outcome == .asExpected, "\(path)") }
    }

    @Test func tellsMismatches() async throws {
        let outcomes = try await verify([
            "accepted/a.py": "2 wa", "accepted/b.py": "broken", "accepted/c.py": "* je",
            "wrong_answer/a.py": "ok",
            "wrong_answer/b.py": "* tle", "time_limit_exceeded/a.py": "* wa", "run_time_error/a.py": "* tle",
            "slow_accepted/a.py": "2 tle\n3 wa", "partially_accepted/a.py": "ok", "rejected/a.py": "ok",
            "brute_force/a.py": "1 tle\n2 wa", "brute_force/b.py": "ok", "wrong_answer/c.py": "broken",
        ])
        #expect(outcomes.count == 13)
        for (path, outcome) in outcomes {
            guard case .mismatch(let reason) = outcome else {
                Issue.record("\(path): \(outcome)")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test func skipsWhatCannotBeJudged() async throws {
        let outcomes = try await verify([
            "accepted/a.java": "x", "accepted/b.xyz": "x", "accepted/c.py": "#!/usr/bin/env python2\nprint 1",
            "accepted/d/one.py": "ok", "accepted/d/two.cpp": "ok", "mystery/a.py": "ok",
        ])
        #expect(outcomes.count == 5)
        for (path, outcome) in outcomes {
            guard case .skipped = outcome else {
                Issue.record("\(path): \(outcome)")
                continue
            }
        }
    }

    @Test func judgesASingleFileInAFolder() async throws {
        let outcomes = try await verify(["accepted/d/one.py": "#!/usr/bin/python3\nok"])
        #expect(outcomes["accepted/d"] == .asExpected)
    }

    @Test func comparesScores() async throws {
        let groups = [
            "data/testdata.yaml":
                "on_reject: continue\nrange: 0 3\ngrader_flags: accept_if_any_accepted ignore_sample\n",
            "data/secret/testdata.yaml": "grader_flags: accept_if_any_accepted\n",
        ]
        let outcomes = try await verify(
            ["accepted/a.py": "ok", "partially_accepted/a.py": "2 wa", "partially_accepted/b.py": "ok"],
            yaml: "type: scoring", extra: groups)
        #expect(outcomes["accepted/a.py"] == .asExpected)
        #expect(outcomes["partially_accepted/a.py"] == .asExpected)
        #expect(outcomes["partially_accepted/b.py"] == .mismatch("it has the highest score"))
    }
}

@Suite struct TimeLimitTests {
    private func measure(_ submissions: [String: String], yaml: String) async throws -> TimeLimitMeasurement?
    {
        var files = ["problem.yaml": "name: Sums\n\(yaml)\n"]
        for (path, source) in submissions { files["submissions/\(path)"] = source }
        let clock = TestClock()
        let verifier = PackageVerifier(executor: ScriptedExecutor(clock: clock), now: { clock.now })
        return await verifier.measureTimeLimit(of: try problem(tree("sums", files)))
    }

    @Test func comesFromTheSlowestAcceptedSubmission() async throws {
        let submissions = [
            "accepted/a.py": "2 ok 150", "accepted/b.py": "1 ok 430\n2 ok 20",
            "accepted/wrong.py": "* wa 900",
            "slow_accepted/a.py": "* ok 3000",
        ]
        let measured = try await measure(submissions, yaml: "")
        #expect(measured?.limitMs == 3_000 && measured?.slowestMs == 430)
        #expect(measured?.slowestSubmission == "accepted/b.py")
        let doubled = try await measure(submissions, yaml: "limits: {time_multiplier: 2}")
        #expect(doubled?.limitMs == 1_000)
        #expect(try await measure(submissions, yaml: "limits: {time_limit: 4}") == nil)
        #expect(try await measure(["wrong_answer/a.py": "ok"], yaml: "") == nil)
        #expect(try await measure(["accepted/a.py": "* ok 19000"], yaml: "") == nil)
    }
}
