/// Test groups of the legacy version: every folder is a group, `testdata.yaml` says how it is graded, and what a group
/// does not say it inherits.
struct LegacyGroupReader {
    let cases: TestCaseReader
    let metadata: PackageMetadata
    let faults: FaultList

    /// What `testdata.yaml` may say, with the defaults of the specification.
    struct Settings {
        var continuesAfterReject = false
        var graderFlags: [String] = []
        var isCustomGraded = false
        var validatorArguments: [String] = []
        var acceptScore = 1.0
        var rejectScore = 0.0
        var highestScore: Double?
    }

    func read(_ folder: DataFolder, into data: inout TestData) {
        let settings = settings(of: folder, path: "data", inherited: Settings())
        data.root = group("", folder, settings: settings, into: &data)
        data.maxScore = metadata.isScoring ? settings.highestScore : 1
    }

    private func group(
        _ name: String, _ folder: DataFolder, settings: Settings, into data: inout TestData
    ) -> TestGroup {
        var group = TestGroup(
            name: name, continuesAfterReject: settings.continuesAfterReject,
            acceptScore: settings.acceptScore,
            rejectScore: settings.rejectScore)
        applyGraderFlags(settings.graderFlags, to: &group)
        if settings.isCustomGraded { group.graderArguments = settings.graderFlags }
        if !name.isEmpty { cases.checkFolder(folder, group: name) }
        // At the top the samples come first by name already.
        for member in folder.orderedMembers {
            if member.isTest {
                guard !name.isEmpty else { continue }
                let index = cases.append(
                    member.name, of: folder, group: name, settings: caseSettings(settings), to: &data)
                if let index { group.members.append(.test(index)) }
            } else if let child = folder.folders[member.name] {
                let path = name.isEmpty ? member.name : "\(name)/\(member.name)"
                guard !name.isEmpty || ["sample", "secret"].contains(path) else { continue }
                let inherited = self.settings(of: child, path: "data/\(path)", inherited: settings)
                group.members.append(.group(self.group(path, child, settings: inherited, into: &data)))
            }
        }
        return group
    }

    private func caseSettings(_ settings: Settings) -> CaseSettings {
        CaseSettings(
            validatorArguments: settings.validatorArguments,
            scoreRule: metadata.hasValidatorScore ? .optional : .ignored)
    }

    private func settings(of folder: DataFolder, path: String, inherited: Settings) -> Settings {
        var settings = inherited
        guard let file = folder.files["testdata.yaml"], let bytes = cases.tree.files[file],
            let map = YAMLDocument.load(bytes, path: "\(path)/testdata.yaml", faults: faults)
        else { return settings }
        if let reject = map.string("on_reject") {
            if reject != "break", reject != "continue" { map.fault("on_reject", "must be break or continue") }
            settings.continuesAfterReject = reject == "continue"
        }
        switch map.string("grading") {
        case nil: break
        case "default"?: settings.isCustomGraded = false
        case "custom"?:
            settings.isCustomGraded = true
            if !metadata.isScoring { map.fault("grading", "custom is only for scoring problems") }
            if !cases.tree.files.keys.contains(where: { $0.hasPrefix("graders/") }) {
                map.fault("grading", "is custom, but the package brings no grader")
            }
        case let other?: map.fault("grading", "cannot be \(other.forMessage)")
        }
        if let flags = map.strings("grader_flags") {
            settings.graderFlags = words(flags)
            if !settings.isCustomGraded {
                checkGraderFlags(settings.graderFlags, map: map, isRoot: path == "data")
            }
        } else if path != "data" {
            // ignore_sample speaks of the root only and is not handed down.
            settings.graderFlags.removeAll { $0 == "ignore_sample" }
        }
        _ = validatorFlags(map, "input_validator_flags")
        if let flags = validatorFlags(map, "output_validator_flags") { settings.validatorArguments = flags }
        readScores(map, &settings)
        map.finish()
        return settings
    }

    private func readScores(_ map: YAMLMapping, _ settings: inout Settings) {
        guard metadata.isScoring else {
            // Only scoring problems may have them; tools write them everywhere, and they change nothing.
            for key in ["accept_score", "reject_score", "range"] { _ = map.string(key) }
            return
        }
        if let score = score(map, "accept_score") { settings.acceptScore = score }
        if let score = score(map, "reject_score") { settings.rejectScore = score }
        guard let range = map.string("range") else { return }
        let bounds = words([range])
        guard bounds.count == 2, isBound(bounds[0]), isBound(bounds[1]) else {
            map.fault("range", "must be two numbers")
            return
        }
        settings.highestScore = DecimalFloat.parse(bounds[1].utf8)
    }

    private func isBound(_ text: String) -> Bool {
        ["inf", "+inf", "-inf"].contains(text) || DecimalFloat.parse(text.utf8) != nil
    }

    private func score(_ map: YAMLMapping, _ key: String) -> Double? {
        guard let text = map.string(key) else { return nil }
        guard let value = DecimalFloat.parse(text.utf8), value.isFinite else {
            map.fault(key, "must be a number")
            return nil
        }
        return value
    }

    /// A string, or a map whose `flags` are the arguments.
    private func validatorFlags(_ map: YAMLMapping, _ key: String) -> [String]? {
        guard map.isMapping(key), let flags = map.mapping(key) else { return map.strings(key).map(words) }
        _ = flags.string("name")
        let arguments = words([flags.string("flags") ?? ""])
        flags.finish()
        return arguments
    }

    private func checkGraderFlags(_ flags: [String], map: YAMLMapping, isRoot: Bool) {
        let known = [
            "worst_error", "first_error", "always_accept", "sum", "avg", "min", "max", "ignore_sample",
            "accept_if_any_accepted",
        ]
        for flag in flags where !known.contains(flag) {
            map.fault("grader_flags", "has unknown \(flag.forMessage)")
        }
        if !isRoot, flags.contains("ignore_sample") {
            map.fault("grader_flags", "ignore_sample is for data only")
        }
    }

    /// The last of conflicting modes counts.
    private func applyGraderFlags(_ flags: [String], to group: inout TestGroup) {
        for flag in flags {
            if let mode = TestGroup.VerdictMode(rawValue: flag) { group.verdictMode = mode }
            if let mode = TestGroup.ScoreMode(rawValue: flag) { group.scoreMode = mode }
            if flag == "accept_if_any_accepted" { group.acceptIfAnyAccepted = true }
            if flag == "ignore_sample" { group.ignoresSample = true }
        }
    }
}
