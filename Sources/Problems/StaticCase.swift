/// The static validation test case of a group: the package's program reads the submission's source (2025-09, "Static
/// validation test cases").
struct StaticCase {
    /// The name of its test, below its group's.
    static let name = "static_validation"

    /// Most that it scores; nil for `pass-fail`.
    var score: Double?
    var arguments: [String] = []

    /// What `test_group.yaml` says of it; nil where it defines none.
    ///
    /// - Parameter settings: the group's, its scoring read.
    static func read(
        _ map: YAMLMapping, _ settings: CurrentGroupReader.Settings, name: String, cases: TestCaseReader
    ) -> StaticCase? {
        let key = "static_validation_score"
        let arguments = map.strings("static_validator_args")
        guard map.node(key) != nil else {
            if arguments != nil { map.fault("static_validator_args", "is given without \(key)") }
            return nil
        }
        var found = StaticCase(
            arguments: cases.checked(arguments ?? [], path: "data/\(name)/test_group.yaml"))
        // What the aggregation is where nothing is said.
        let aggregation = settings.aggregation ?? (name == "secret" ? .sum : .passFail)
        let isPassFail = !cases.metadata.isScoring || name == "sample" || aggregation == .passFail
        if map.string(key) != "pass-fail" {
            found.score = map.integer(key, atLeast: 0).map(Double.init)
            if isPassFail { map.fault(key, "must be pass-fail, as its group is") }
        } else if !isPassFail {
            map.fault(key, "is pass-fail, though its group is not")
        }
        if !cases.tree.files.keys.contains(where: { $0.hasPrefix("static_validator/") }) {
            map.fault(key, "is given, but the package brings no static validator")
        }
        if cases.tree.files.keys.contains("data/\(name)/\(Self.name).in") {
            map.fault(key, "is given beside a test of the name \(Self.name)")
        }
        return found
    }
}

extension CurrentGroupReader {
    /// Appends the group's static test, before the others: what the source forbids need not be run.
    func appendStatic(_ settings: Settings, to group: inout TestGroup, data: inout TestData) {
        guard let staticCase = settings.staticCase else { return }
        if let score = staticCase.score, let maximum = settings.maxScore, score > maximum {
            faults.add(
                "data/\(group.name)/test_group.yaml", "static_validation_score is above the group's max_score"
            )
        }
        let rule: ScoreRule =
            staticCase.score.map { .upTo($0) } ?? (metadata.isScoring ? .forbidden : .ignored)
        group.members.append(.test(data.tests.count))
        data.tests.append(
            TestCase(
                name: "\(group.name)/\(StaticCase.name)", input: [], answer: [], validator: ValidatorFlags(),
                validatorArguments: staticCase.arguments,
                scoreRule: group.name == "sample" ? .ignored : rule, isStatic: true))
    }
}
