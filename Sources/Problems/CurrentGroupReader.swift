/// Test groups of 2025-09: folders of `secret` with a `test_group.yaml`, scored by `max_score` and
/// `score_aggregation`; reduced to the grading rules of `TestGroup`.
struct CurrentGroupReader {
    let cases: TestCaseReader
    let metadata: PackageMetadata
    let faults: FaultList

    /// How a group's score comes from its tests.
    enum Aggregation: String {
        case passFail = "pass-fail"
        case sum, min
    }

    struct Settings {
        var maxScore: Double?
        var isUnbounded = false
        var aggregation: Aggregation?
        var requiredGroups: [String] = []
        var validatorArguments: [String] = []
        var arguments: [String] = []
        var staticCase: StaticCase?

        /// What a group hands down to those in it.
        var inherited: Settings {
            Settings(validatorArguments: validatorArguments, arguments: arguments)
        }
    }

    func read(_ folder: DataFolder, into data: inout TestData) {
        var root = TestGroup(
            name: "", continuesAfterReject: metadata.isScoring, ignoresSample: metadata.isScoring)
        if let sample = folder.folders["sample"] {
            let settings = settings(of: sample, name: "sample", inherited: Settings())
            var group = TestGroup(name: "sample")
            appendStatic(settings, to: &group, data: &data)
            append(sample, name: "sample", settings: settings, to: &group, data: &data)
            root.members.append(.group(group))
        }
        if let secret = folder.folders["secret"] {
            root.members.append(.group(secretGroup(secret, data: &data)))
        }
        data.root = root
    }

    private func secretGroup(_ folder: DataFolder, data: inout TestData) -> TestGroup {
        var settings = settings(of: folder, name: "secret", inherited: Settings())
        var group = TestGroup(name: "secret")
        let groupNames = folder.folders.keys.filter { folder.folders[$0]?.files["test_group.yaml"] != nil }
            .sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
        if settings.isUnbounded, !metadata.usesOwnValidator {
            faults.add(
                "data/secret/test_group.yaml", "an unbounded max_score needs a validator of the package")
        }
        if metadata.isScoring {
            if !settings.isUnbounded { settings.maxScore = settings.maxScore ?? 100 }
            settings.aggregation = settings.aggregation ?? .sum
            data.maxScore = settings.maxScore
            group.requiredGroups = settings.requiredGroups
        }
        guard !groupNames.isEmpty else {
            applyScoring(settings, tests: folder.testCount, to: &group)
            appendStatic(settings, to: &group, data: &data)
            append(folder, name: "secret", settings: settings, to: &group, data: &data)
            return group
        }
        checkOnlyGroups(folder, groupNames: groupNames)
        applyScoring(settings, tests: 1, to: &group)
        appendStatic(settings, to: &group, data: &data)
        var sum = settings.staticCase?.score ?? 0
        for (position, name) in groupNames.enumerated() {
            guard let child = folder.folders[name] else { continue }
            let earlier = Set(groupNames[..<position].map { "secret/\($0)" } + ["sample"])
            let member = testGroup(
                child, name: "secret/\(name)", secret: settings, earlier: earlier, sum: &sum, data: &data)
            group.members.append(.group(member))
        }
        checkSum(sum, settings)
        return group
    }

    private func checkSum(_ sum: Double, _ secret: Settings) {
        guard metadata.isScoring, secret.aggregation == .sum, let maximum = secret.maxScore else { return }
        if sum > maximum + 1e-9 {
            faults.add("data/secret", "the groups' scores add up to \(sum), above max_score \(maximum)")
        }
    }

    private func checkOnlyGroups(_ folder: DataFolder, groupNames: [String]) {
        if !folder.testNames.isEmpty { faults.add("data/secret", "holds test groups and tests of its own") }
        for name in folder.folders.keys.sorted() where !groupNames.contains(name) {
            faults.add("data/secret/\(name)", "has no test_group.yaml, though its neighbours are test groups")
        }
    }

    private func testGroup(
        _ folder: DataFolder, name: String, secret: Settings, earlier: Set<String>, sum: inout Double,
        data: inout TestData
    ) -> TestGroup {
        let path = "data/\(name)/test_group.yaml"
        var settings = settings(of: folder, name: name, inherited: secret.inherited)
        var group = TestGroup(name: name)
        if folder.testCount == 0, settings.staticCase == nil {
            faults.add("data/\(name)", "holds no test")
        }
        if metadata.isScoring {
            settings.aggregation = settings.aggregation ?? .passFail
            if settings.maxScore == nil, !secret.isUnbounded, secret.aggregation != .passFail {
                faults.add(path, "max_score is missing or unbounded, though that of secret is bounded")
            }
            if settings.maxScore == nil, secret.isUnbounded, settings.aggregation == .passFail {
                faults.add(path, "max_score is missing: pass-fail groups are bounded")
            }
            if secret.aggregation == .passFail, settings.aggregation != .passFail {
                faults.add(path, "score_aggregation must be pass-fail, as it is for secret")
            }
            for required in settings.requiredGroups where !earlier.contains(required) {
                faults.add(path, "require_pass names \(required.forMessage), which is no earlier group")
            }
            group.requiredGroups = settings.requiredGroups
            sum += settings.maxScore ?? 0
        }
        applyScoring(settings, tests: folder.testCount, to: &group)
        appendStatic(settings, to: &group, data: &data)
        append(folder, name: name, settings: settings, to: &group, data: &data)
        return group
    }

    /// Writes an aggregation in the terms of `TestGroup`. A pass-fail problem keeps the defaults: stop at the first
    /// test that fails.
    private func applyScoring(_ settings: Settings, tests: Int, to group: inout TestGroup) {
        guard metadata.isScoring else { return }
        let maximum = settings.maxScore ?? 0
        switch settings.aggregation ?? .passFail {
        case .passFail: group.scoreWhenAccepted = maximum
        case .sum:
            group.continuesAfterReject = true
            group.acceptIfAnyAccepted = true
            let ofTests = maximum - (settings.staticCase?.score ?? 0)
            group.acceptScore = max(0, ofTests) / Double(max(1, tests))
        case .min:
            group.scoreMode = .min
            group.acceptScore = maximum
        }
    }

    /// Appends the tests of a folder and of the plain folders below it, in order.
    private func append(
        _ folder: DataFolder, name: String, settings: Settings, to group: inout TestGroup,
        data: inout TestData
    ) {
        cases.checkFolder(folder, group: name)
        for member in folder.orderedMembers {
            if member.isTest {
                let index = cases.append(
                    member.name, of: folder, group: name,
                    settings: caseSettings(member.name, of: folder, group: name, settings, scoring: group),
                    to: &data)
                if let index { group.members.append(.test(index)) }
            } else if let child = folder.folders[member.name] {
                if child.files["test_group.yaml"] != nil {
                    faults.add("data/\(name)/\(member.name)", "a test group cannot stand here")
                }
                append(child, name: "\(name)/\(member.name)", settings: settings, to: &group, data: &data)
            }
        }
    }

    private func settings(of folder: DataFolder, name: String, inherited: Settings) -> Settings {
        var settings = inherited
        let path = "data/\(name)/test_group.yaml"
        guard let map = yaml(folder.files["test_group.yaml"], path: path) else { return settings }
        readScoring(map, name: name, &settings)
        readArguments(map)
        if let arguments = map.strings("args") { settings.arguments = arguments }
        if let arguments = map.strings("output_validator_args") { settings.validatorArguments = arguments }
        settings.staticCase = StaticCase.read(map, settings, name: name, cases: cases)
        _ = map.boolean("full_feedback")
        map.finish()
        return settings
    }

    private func readScoring(_ map: YAMLMapping, name: String, _ settings: inout Settings) {
        for key in ["max_score", "score_aggregation", "require_pass"] where map.node(key) != nil {
            if !metadata.isScoring { map.fault(key, "is only for scoring problems") }
            if name == "sample" { map.fault(key, "is not for sample") }
        }
        if map.string("max_score") == "unbounded" {
            settings.isUnbounded = true
        } else {
            settings.maxScore = map.integer("max_score", atLeast: 0).map(Double.init)
        }
        settings.aggregation = map.choice("score_aggregation", Aggregation.self)
        settings.requiredGroups = map.strings("require_pass") ?? []
    }

    private func readArguments(_ map: YAMLMapping) {
        for key in ["input_validator_args", "input_visualizer_args", "output_visualizer_args"] {
            _ = map.node(key)
        }
    }

    /// What the group says, unless the test's own `NAME.yaml` says otherwise.
    private func caseSettings(
        _ name: String, of folder: DataFolder, group: String, _ settings: Settings, scoring: TestGroup
    ) -> CaseSettings {
        var own = CaseSettings(
            validatorArguments: settings.validatorArguments, arguments: settings.arguments,
            scoreRule: scoreRule(settings, group: group, scoring))
        guard let map = yaml(folder.files[name + ".yaml"], path: "data/\(group)/\(name).yaml") else {
            return own
        }
        readArguments(map)
        if let arguments = map.strings("args") { own.arguments = arguments }
        if let arguments = map.strings("output_validator_args") { own.validatorArguments = arguments }
        _ = map.boolean("full_feedback")
        for key in ["hint", "description"] { _ = map.string(key) }
        map.finish()
        return own
    }

    /// 2025-09, "Scoring test cases".
    private func scoreRule(_ settings: Settings, group: String, _ scoring: TestGroup) -> ScoreRule {
        guard metadata.isScoring, group != "sample", !group.hasPrefix("sample/") else { return .ignored }
        guard settings.aggregation == .sum || settings.aggregation == .min else { return .forbidden }
        return settings.maxScore == nil ? .required : .upTo(scoring.acceptScore)
    }

    private func yaml(_ file: String?, path: String) -> YAMLMapping? {
        guard let file, let bytes = cases.tree.files[file] else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return YAMLDocument.load(bytes, path: path, faults: faults)
        }
        return YAMLDocument.load(
            Array(Constants(metadata.constants).fill(text).utf8), path: path, faults: faults)
    }
}
