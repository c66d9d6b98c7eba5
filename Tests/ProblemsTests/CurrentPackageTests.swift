import Problems
import Testing

@Suite struct CurrentPackageTests {
    @Test func readsEveryKey() throws {
        let yaml = """
            version: "1.0"
            credits:
              authors: [A. Author <a@example.org>, {name: B, email: b@example.org}]
              translators: {sv: C}
            source: [{name: A Contest, url: "https://example.org"}, B Contest]
            license: cc by-sa
            embargo_until: 2025-01-01
            limits:
              time_limit: 1.5
              time_resolution: 0.5
              time_multipliers: {ac_to_time_limit: 3, time_limit_to_tle: 2}
              memory: 512
              output: 2
              code: 32
              compilation_time: 10
              validation_time: 10
            keywords: ["difficulty:2", dynamic programming]
            languages: [python3, cpp]
            allow_file_writing: false
            constants:
              max: 100
              big: {value: 1000, tex: "10^3"}
            """
        let tree = currentPackage(
            yaml, name: "name: {en: Sums, pt-BR: Somas}",
            changes: [
                "statement/problem.en.md": "At most {{max}}, {{big.tex}} and {{other}}.\n",
                "statement/problem.pt-BR.md": "x\n",
                "data/secret/1.yaml": "output_validator_args: [float_tolerance, '0.1']\nhint: no\n",
                "submissions/accepted/a.py": "# {{big}}\n",
            ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.format == .version2025)
        #expect(problem.timeLimitMs == 1_500 && problem.timeLimitSource == .stated)
        #expect(problem.author == "A. Author, B")
        #expect(problem.source == "A Contest, B Contest")
        #expect(problem.topics == ["dynamic programming"] && problem.difficulty == 2)
        #expect(problem.allowedLanguages == ["python3", "cpp"])
        #expect(problem.statementMarkdown == "At most 100, 10^3 and {{other}}.\n")
        #expect(problem.tests.last?.validator.absoluteTolerance == 0.1)
        #expect(problem.submissions.first?.files["a.py"] == Array("# 1000\n".utf8))
    }

    @Test func refusesWhatItDoesNotSupportYet() {
        for (tree, part) in [
            (
                currentPackage(changes: ["output_validator/build": "x"]),
                "build scripts are not supported yet"
            ),
            (
                currentPackage("limits: {validation_time: 600}"),
                "validation_time above 60 s is not supported"
            ),
            (
                currentPackage("limits: {compilation_time: 60}"),
                "compilation_time above 10 s is not supported"
            ),
            (currentPackage("limits: {memory: 100000}"), "memory above 4096 MiB is not supported"),
        ] {
            #expect(faults(tree).contains { $0.contains(part) }, "\(part): \(faults(tree))")
        }
    }

    @Test func readsWhatJudgesAndHowItIsRun() throws {
        let tree = currentPackage(
            "limits: {validation_passes: 3, validation_time: 4, validation_output: 2}",
            type: "[multi-pass, interactive]",
            changes: [
                "output_validator/v.py": "x", "output_validator/lib/a.py": "y", "include/default/d.txt": "d",
                "include/cpp/driver.cpp": "z",
                "data/secret/test_group.yaml": "args: [a]\noutput_validator_args: [b]\n",
                "data/secret/1.yaml": "args: [c, 'd e']\n", "data/secret/1.files/in/x.txt": "text",
                "data/sample/s.interaction": "<1\n>2\n",
            ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.kind == ProblemKind(isInteractive: true, passes: 3))
        #expect(problem.validators.map { $0.files.keys.sorted() } == [["lib/a.py", "v.py"]])
        #expect(problem.validationLimits.timeMs == 4_000 && problem.validationLimits.outputBytes == 2 << 20)
        #expect(
            problem.includes.mapValues { $0.keys.sorted() } == ["default": ["d.txt"], "cpp": ["driver.cpp"]])
        let test = try #require(problem.tests.first { $0.name == "secret/1" })
        #expect(test.arguments == ["c", "d e"] && test.validatorArguments == ["b"])
        #expect(test.files == ["in/x.txt": Array("text".utf8)])
        #expect(problem.samples.map(\.interaction) == ["<1\n>2\n"])
        #expect(problem.samples.allSatisfy { $0.input.isEmpty && $0.answer.isEmpty })
    }

    @Test func refusesWhatTheVersionForbids() {
        for (tree, part) in [
            (currentPackage("validation: default"), "unknown key 'validation'"),
            (currentPackage("limits: {time_limit: 1.5}"), "no multiple of time_resolution"),
            (currentPackage("limits: {validation_passes: 2}"), "only for multi-pass"),
            (currentPackage("limits: {time_multiplier: 2}"), "unknown key 'limits.time_multiplier'"),
            (currentPackage(name: "version: x"), "name is missing"),
            (currentPackage(name: "name: {en: a, sv: b}"), "no statement in sv"),
            (currentPackage(name: "name: {sv: b}"), "no entry for the statement in en"),
            (currentPackage(changes: ["statement/problem.md": "x"]), "must be named problem.LANGUAGE.md"),
            (currentPackage(type: "[pass-fail, scoring]"), "cannot be pass-fail and scoring"),
            (currentPackage(type: "interactive"), "output_validator: is missing"),
            (currentPackage(type: "multi-pass"), "output_validator: is missing"),
            (currentPackage(type: "[submit-answer, interactive]"), "cannot be submit-answer and"),
            (currentPackage(changes: ["data/secret/9.files/a.txt": "x"]), "belongs to no test"),
            (
                currentPackage(
                    type: "scoring", changes: ["data/secret/test_group.yaml": "max_score: unbounded"]),
                "needs a validator of the package"
            ),
            (currentPackage(changes: ["data/secret/test_group.yaml": "max_score: 1"]), "only for scoring"),
            (
                currentPackage(changes: ["data/secret/1/a.in": "", "data/secret/1/a.ans": ""]),
                "have the same name"
            ),
            (
                currentPackage(changes: ["data/secret/test_group.yaml": "on_reject: break"]),
                "unknown key 'on_reject'"
            ),
            (
                currentPackage(changes: [
                    "data/secret/test_group.yaml":
                        "output_validator_args: [float_tolerance, '1', float_absolute_tolerance, '1']"
                ]), "stands beside"
            ),
            (
                currentPackage(changes: [
                    "data/secret/test_group.yaml":
                        "output_validator_args: [float_tolerance, '1', float_tolerance, '1']"
                ]), "given twice"
            ),
        ] {
            #expect(faults(tree).contains { $0.contains(part) }, "\(part): \(faults(tree))")
        }
    }

    @Test func readsScoringGroups() throws {
        let tree = currentPackage(
            type: "scoring",
            changes: [
                "data/secret/1.in": absent, "data/secret/1.ans": absent,
                "data/secret/a/test_group.yaml": "max_score: 40\n", "data/secret/a/1.in": "",
                "data/secret/a/1.ans": "",
                "data/secret/b/test_group.yaml":
                    "max_score: 60\nscore_aggregation: sum\nrequire_pass: secret/a\n",
                "data/secret/b/1.in": "", "data/secret/b/1.ans": "", "data/secret/b/2.in": "",
                "data/secret/b/2.ans": "",
            ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.maxScore == 100)
        guard case .group(let secret) = problem.root.members.last,
            case .group(let first) = secret.members.first,
            case .group(let second) = secret.members.last
        else {
            Issue.record("no groups")
            return
        }
        #expect(secret.acceptIfAnyAccepted && secret.continuesAfterReject)
        #expect(first.scoreWhenAccepted == 40 && !first.continuesAfterReject)
        #expect(second.acceptScore == 30 && second.requiredGroups == ["secret/a"])
    }

    @Test func refusesBadScoring() {
        let groups: [String: String] = [
            "data/secret/1.in": absent, "data/secret/1.ans": absent, "data/secret/a/1.in": "",
            "data/secret/a/1.ans": "",
        ]
        for (text, part) in [
            ("score_aggregation: sum\n", "max_score is missing"), ("max_score: 101\n", "add up to 101"),
            ("max_score: 1\nrequire_pass: secret/z\n", "no earlier group"),
            ("max_score: -1\n", "whole number"),
            ("max_score: 1\nscore_aggregation: avg\n", "cannot be 'avg'"),
            ("max_score: 1\nstatic_validation_score: 1\n", "must be pass-fail, as its group is"),
            (
                "max_score: 1\nscore_aggregation: sum\nstatic_validation_score: pass-fail\n",
                "though its group is not"
            ),
            ("max_score: 1\nscore_aggregation: sum\nstatic_validation_score: 2\n", "above the group's"),
            ("max_score: 1\nstatic_validation_score: pass-fail\n", "brings no static validator"),
            ("max_score: 1\nstatic_validator_args: [a]\n", "given without static_validation_score"),
        ] {
            var changes = groups
            changes["data/secret/a/test_group.yaml"] = text
            let found = faults(currentPackage(type: "scoring", changes: changes))
            #expect(found.contains { $0.contains(part) }, "\(part): \(found)")
        }
    }

    @Test func holdsStaticScoresToWhatTheGroupHas() {
        let changes = [
            "static_validator/s.py": "x", "data/secret/test_group.yaml": "static_validation_score: 101\n",
        ]
        let found = faults(currentPackage(type: "scoring", changes: changes))
        #expect(found.contains { $0.contains("above the group's max_score") }, "\(found)")
    }

    @Test func readsStaticCases() throws {
        let tree = currentPackage(changes: [
            "static_validator/s.py": "x", "static_validator/rules.py": "y",
            "data/sample/test_group.yaml": "static_validation_score: pass-fail\n",
            "data/secret/test_group.yaml":
                "static_validation_score: pass-fail\nstatic_validator_args: [no, loops]\n",
        ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.staticValidator?.files.keys.sorted() == ["rules.py", "s.py"])
        #expect(
            problem.tests.filter(\.isStatic).map(\.name)
                == ["sample/static_validation", "secret/static_validation"])
        #expect(
            problem.tests.map(\.isStatic) == [true, false, true, false]
                && problem.tests[2].validatorArguments == ["no", "loops"])
        #expect(
            faults(currentPackage(type: "submit-answer", changes: ["static_validator/s.py": "x"]))
                .contains { $0.contains("not for submit-answer") })
    }

    @Test func readsTheDraftOf2023() throws {
        let tree = package(
            "sums",
            [
                "problem.yaml": """
                problem_format_version: 2023-07-draft
                name: {en: Sums}
                validation: default
                validator_flags: case_sensitive
                credits: {authors: A}
                limits: {time_limit: 3}
                """,
                "problem_statement/problem.en.md": absent, "statement/problem.en.md": "x\n",
            ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.timeLimitMs == 3_000)
        #expect(problem.tests.allSatisfy { $0.validator.caseSensitive })
    }
}
