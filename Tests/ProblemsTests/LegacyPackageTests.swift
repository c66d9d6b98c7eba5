import Problems
import Testing

@Suite struct LegacyPackageTests {
    @Test func readsAMinimalPackage() throws {
        let problem = try PackageParser.parse(package())
        #expect(problem.id == "sums")
        #expect(problem.title == "Sums")
        #expect(problem.format == .legacy)
        #expect(problem.timeLimitMs == 2_000 && problem.timeLimitSource == .assumed)
        #expect(problem.memoryLimitBytes == 1_024 << 20)
        #expect(problem.outputLimitBytes == 8 << 20)
        #expect(problem.tests.map(\.name) == ["sample/1", "secret/1"])
        #expect(problem.samples == [ProblemSample(input: "1 2\n", answer: "3\n")])
        #expect(problem.statementMarkdown == "Add two numbers.\n")
        #expect(problem.statementHTML == "<p>Add two numbers.</p>\n")
        #expect(problem.difficulty == 5)
        #expect(!problem.isScoring)
        #expect(problem.submissions.map(\.folder) == ["accepted"])
    }

    @Test func readsEveryKey() throws {
        let yaml = """
            problem_format_version: legacy
            type: pass-fail
            name: Sums of things
            uuid: 1
            author: A. Author
            source: A Contest
            source_url: https://example.org
            license: cc by-sa
            limits:
              time_multiplier: 4.75
              time_safety_margin: 2
              memory: 256
              output: 4
              code: 64
              compilation_time: 60
              compilation_memory: 2048
              validation_time: 60
              validation_memory: 2048
              validation_output: 8
            validation: default
            validator_flags: case_sensitive float_tolerance 1e-6
            keywords: difficulty:3 greedy graphs
            """
        let problem = try PackageParser.parse(package("sums", ["problem.yaml": yaml]))
        #expect(problem.title == "Sums of things")
        #expect(problem.memoryLimitBytes == 256 << 20)
        #expect(problem.outputLimitBytes == 4 << 20)
        #expect(problem.codeLimitBytes == 64 << 10)
        #expect(problem.difficulty == 3)
        #expect(problem.topics == ["greedy", "graphs"])
        #expect(problem.rightsOwner == "A. Author")
        let flags = ValidatorFlags(caseSensitive: true, relativeTolerance: 1e-6, absoluteTolerance: 1e-6)
        #expect(problem.tests.allSatisfy { $0.validator == flags })
    }

    @Test func listsEveryFault() {
        let tree = package(
            "Sums-1",
            [
                "problem.yaml": """
                type: interactive
                nmae: Sums
                license: mine
                limits:
                  memory: -1
                  cpu: 3
                validation: custom interactive
                keywords: difficulty:11
                """,
                "problem_statement/problem.en.md": absent,
                "data/secret/1.ans": absent,
                "data/secret/2.ans": "7\n",
                "include/x.py": "pass\n",
            ])
        let found = faults(tree)
        for part in [
            "lower-case letters and digits", "type cannot be 'interactive'", "unknown key 'nmae'",
            "license cannot be 'mine'", "limits.memory", "unknown key 'limits.cpu'",
            "asks for a validator of the package, which brings none",
            "difficulty must be 1 to 10", "holds no statement", "data/secret/1.in: has no answer",
            "data/secret/2.ans: has no input", "must be in the folder of a language",
        ] {
            #expect(found.contains { $0.contains(part) }, "no fault says: \(part) in \(found)")
        }
    }

    @Test func takesTheNameFromAStatement() throws {
        let latex = package(
            "sums",
            [
                "problem.yaml": "author: A\n", "problem_statement/problem.en.md": absent,
                "problem_statement/problem.en.tex":
                    "\\problemname{Sums {\\em of} Things}\nAdd <two> numbers.\n",
            ])
        let problem = try PackageParser.parse(latex)
        #expect(problem.title == "Sums {\\em of} Things")
        #expect(
            problem.statementHTML.contains(
                "<pre>\\problemname{Sums {\\em of} Things}\nAdd &lt;two&gt; numbers.\n</pre>"))
        let nameless = package("sums", ["problem.yaml": "author: A\n"])
        #expect(faults(nameless) == ["problem.yaml: name is missing, and no statement names the problem"])
    }

    @Test func readsLanguageMaps() throws {
        let tree = package(
            "sums",
            [
                "problem.yaml": "name:\n  sv: Summor\n  en: Sums\n",
                "problem_statement/problem.sv.md": "Addera.\n",
            ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.title == "Sums")
        #expect(problem.names == ["sv": "Summor", "en": "Sums"])
        #expect(problem.statements.map(\.language) == ["en", "sv"])
    }

    @Test(arguments: [
        (".timelimit", "3\n", 3_000), ("domjudge-problem.ini", "short-name = 'A'\ntimelimit='1.5'\n", 1_500),
    ])
    func readsTimeLimitsBesideThePackage(path: String, text: String, limit: Int) throws {
        let problem = try PackageParser.parse(package("sums", [path: text]))
        #expect(problem.timeLimitMs == limit)
        #expect(problem.timeLimitSource == .sidecar)
    }

    @Test func ordersGroupsAndHandsDownFlags() throws {
        let tree = package(
            "sums",
            [
                "problem.yaml": "name: Sums\nvalidator_flags: case_sensitive\n",
                "data/secret/10/b.in": "", "data/secret/10/b.ans": "",
                "data/secret/10/a.in": "", "data/secret/10/a.ans": "",
                "data/secret/10/testdata.yaml":
                    "output_validator_flags: float_tolerance 0.5\non_reject: continue\n",
                "data/secret/10/deep/x.in": "", "data/secret/10/deep/x.ans": "",
                "data/secret/2.in": "", "data/secret/2.ans": "",
            ])
        let problem = try PackageParser.parse(tree)
        #expect(
            problem.tests.map(\.name) == [
                "sample/1", "secret/1", "secret/10/a", "secret/10/b", "secret/10/deep/x", "secret/2",
            ])
        let inherited = ValidatorFlags(caseSensitive: true, relativeTolerance: 0.5, absoluteTolerance: 0.5)
        #expect(problem.tests[4].validator == inherited)
        #expect(problem.tests[5].validator == ValidatorFlags(caseSensitive: true))
    }

    @Test func followsFilesThatStandForLinks() throws {
        let tree = package(
            "sums",
            [
                "data/sample/s.in": "5 6\n", "data/sample/s.ans": "11\n",
                "data/secret/g/a.in": "../../sample/s.in", "data/secret/g/a.ans": "../../sample/s.ans",
                "data/secret/g/b.in": "../../../../etc/x.in", "data/secret/g/b.ans": "../../../problem.yaml",
                "data/secret/g/c.in": "../../sample/none.in", "data/secret/g/c.ans": "../x\n",
            ])
        let tests = try PackageParser.parse(tree).tests
        func texts(_ name: String) -> [String] {
            tests.filter { $0.name == name }.flatMap { [$0.input, $0.answer] }
                .map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(texts("secret/g/a") == ["5 6\n", "11\n"])
        #expect(texts("secret/g/b") == ["../../../../etc/x.in", "../../../problem.yaml"])
        #expect(texts("secret/g/c") == ["../../sample/none.in", "../x\n"])
    }

    @Test func readsScoringGroups() throws {
        let tree = package(
            "sums",
            [
                "problem.yaml": "name: Sums\ntype: scoring\ngrading:\n  show_test_data_groups: yes\n",
                "data/testdata.yaml": "on_reject: continue\nrange: 0 100\ngrader_flags: ignore_sample\n",
                "data/secret/testdata.yaml": "grader_flags: first_error accept_if_any_accepted\n",
                "data/secret/1/testdata.yaml":
                    "on_reject: break\naccept_score: 15\nrange: 0 15\ngrader_flags: min\n",
                "data/secret/1/a.in": "", "data/secret/1/a.ans": "",
                "data/secret/1.in": absent, "data/secret/1.ans": absent,
            ])
        let problem = try PackageParser.parse(tree)
        #expect(problem.isScoring && problem.maxScore == 100)
        #expect(problem.root.ignoresSample && problem.root.continuesAfterReject)
        guard case .group(let secret) = problem.root.members.last,
            case .group(let group) = secret.members.last
        else {
            Issue.record("no group")
            return
        }
        #expect(secret.acceptIfAnyAccepted && secret.verdictMode == .firstError)
        #expect(group.acceptScore == 15 && group.scoreMode == .min && !group.continuesAfterReject)
        #expect(faults(package("sums", ["data/testdata.yaml": "grading: custom\n"])).count == 2)
    }

    @Test(arguments: [
        "name: [", "- a\n- b\n", "name: &a x\nsource: *a\n", String(repeating: "[", count: 20_000),
        String(repeating: "- ", count: 10_000), String(repeating: "{a: ", count: 5_000), "\u{feff}name: x\n",
        "name: x\nname: y\n", String(repeating: " ", count: 40_000) + "a: b",
        (0..<400).map { String(repeating: " ", count: $0) + "a:\n" }.joined(), "name: x\0\n",
        "a: b\n---\nc: d\n",
    ])
    func refusesHostileYAML(text: String) {
        let found = faults(package("sums", ["problem.yaml": text]))
        #expect(!found.isEmpty)
    }

    @Test func capsTheNumberOfFaults() {
        let yaml = (0..<500).map { "k\($0): x\n" }.joined()
        let found = faults(package("sums", ["problem.yaml": yaml]))
        #expect(found.count == 101)
        #expect(found.last?.hasSuffix("more faults") == true)
    }

    @Test func refusesBadNumbersAndNames() {
        for yaml in [
            "limits: {memory: 1e400}", "limits: {time_limit: 61}", "limits: {memory: nan}",
            "limits: {output: 65}",
            "limits: 3", "validator_flags: float_tolerance", "validator_flags: float_tolerance -1",
            "keywords: {a: b}",
            "validator_flags: [case_insensitive]", "type: [scoring]", "grading: {objective: max}",
            "problem_format_version: '2024'", "source_url: https://example.org", "license: cc by",
            "license: public domain\nrights_owner: me", "name: {english: x}",
        ] {
            let text = yaml.hasPrefix("name") ? yaml : "name: Sums\n\(yaml)"
            #expect(!faults(package("sums", ["problem.yaml": text])).isEmpty, "taken: \(yaml)")
        }
    }
}
