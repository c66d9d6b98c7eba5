/// The tests of a package and the groups they form.
struct TestData {
    var tests: [TestCase] = []
    var samples: [ProblemSample] = []
    var root = TestGroup(name: "")
    var maxScore: Double? = 1
}

/// A folder of test data, as far as the package's paths show it.
struct DataFolder {
    /// File name → path in the package.
    var files: [String: String] = [:]
    var folders: [String: DataFolder] = [:]

    mutating func insert(_ parts: ArraySlice<Substring>, path: String) {
        guard let first = parts.first else { return }
        if parts.count == 1 {
            files[String(first)] = path
        } else {
            folders[String(first), default: DataFolder()].insert(parts.dropFirst(), path: path)
        }
    }

    /// Names of the tests directly in this folder.
    var testNames: [String] { files.keys.filter { $0.hasSuffix(".in") }.map { String($0.dropLast(3)) } }

    /// Tests here and below; folders of tests' files hold none.
    var testCount: Int {
        testNames.count + folders.reduce(0) { $1.key.hasSuffix(".files") ? $0 : $0 + $1.value.testCount }
    }

    /// Path below this folder → path in the package, of all files.
    var allFiles: [String: String] {
        var all = files
        for (name, folder) in folders {
            for (path, source) in folder.allFiles { all["\(name)/\(path)"] = source }
        }
        return all
    }

    /// Tests and folders in lexicographic order (by bytes) of their names.
    var orderedMembers: [(name: String, isTest: Bool)] {
        (testNames.map { ($0, true) } + folders.keys.filter { !$0.hasSuffix(".files") }.map { ($0, false) })
            .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    }
}

/// Reads `data/`: `sample` and `secret` with their groups, in judging order.
struct TestDataReader {
    let tree: PackageTree
    let metadata: PackageMetadata
    let faults: FaultList

    /// Nil, with faults noted, when there is nothing to judge with.
    func read() -> TestData? {
        var folder = DataFolder()
        for path in tree.files.keys where path.hasPrefix("data/") {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= Limits.groupDepth + 3 else {
                faults.add(path, "is nested too deep")
                continue
            }
            folder.insert(parts.dropFirst(), path: path)
        }
        checkTopLevel(folder)
        let secret = folder.folders["secret"] ?? DataFolder()
        guard secret.testCount > 0 else {
            faults.add("data/secret", "holds no test")
            return nil
        }
        guard secret.testCount + (folder.folders["sample"]?.testCount ?? 0) <= Limits.testCases else {
            faults.add("data", "holds more than \(Limits.testCases) tests")
            return nil
        }
        var data = TestData()
        if metadata.format == .version2025 {
            CurrentGroupReader(cases: caseReader, metadata: metadata, faults: faults).read(
                folder, into: &data)
        } else {
            LegacyGroupReader(cases: caseReader, metadata: metadata, faults: faults).read(folder, into: &data)
        }
        data.samples += folder.folders["sample"].map(caseReader.interactions) ?? []
        return data
    }

    private var caseReader: TestCaseReader { TestCaseReader(tree: tree, metadata: metadata, faults: faults) }

    private func checkTopLevel(_ folder: DataFolder) {
        var known: Set<String> = ["sample", "secret"]
        if !metadata.format.isLegacy { known.formUnion(["invalid_input", "invalid_output", "valid_output"]) }
        for name in folder.folders.keys.sorted() where !known.contains(name) {
            faults.add("data/\(name)", "only sample and secret hold tests")
        }
        if !folder.testNames.isEmpty { faults.add("data", "tests must be in sample or secret") }
    }
}

/// What a test's group, and its own settings, say about running it.
struct CaseSettings {
    var validatorArguments: [String] = []
    var arguments: [String] = []
    var scoreRule = ScoreRule.ignored
}

/// Reads single tests.
struct TestCaseReader {
    let tree: PackageTree
    let metadata: PackageMetadata
    let faults: FaultList

    /// Appends the test `name` of the folder `group` to `data` and gives its index; nil, with a fault noted, when it
    /// has no answer.
    func append(
        _ name: String, of folder: DataFolder, group: String, settings: CaseSettings, to data: inout TestData
    ) -> Int? {
        let path = "data/\(group)/\(name)"
        guard let inputPath = folder.files[name + ".in"], let input = content(inputPath) else {
            return nil
        }
        guard let answerPath = folder.files[name + ".ans"], let answer = content(answerPath) else {
            faults.add(path + ".in", "has no answer file \(name).ans")
            return nil
        }
        let arguments = metadata.validatorArguments + settings.validatorArguments
        data.tests.append(
            TestCase(
                name: "\(group)/\(name)", input: input, answer: answer,
                validator: metadata.usesOwnValidator ? ValidatorFlags() : flags(arguments, path: path),
                validatorArguments: arguments, arguments: checked(settings.arguments, path: path),
                files: files(of: name, in: folder), scoreRule: settings.scoreRule))
        if group == "sample" || group.hasPrefix("sample/"), showsInput {
            data.samples.append(sample(name, of: folder, input: input, answer: answer))
        }
        return data.tests.count - 1
    }

    /// The content of a test's file. Tests of several groups are often links to one file; where a copy was made by a
    /// system without links, the file holds the path of the other one instead (as Git writes it), and that one is meant.
    private func content(_ path: String) -> [UInt8]? {
        guard let bytes = tree.files[path] else { return nil }
        guard bytes.count <= Limits.linkBytes, bytes.starts(with: Array("../".utf8)), !bytes.contains(0x0a),
            let target = resolved(String(decoding: bytes, as: UTF8.self), from: path),
            target.hasPrefix("data/"), target.split(separator: ".").last == path.split(separator: ".").last
        else { return bytes }
        return tree.files[target] ?? bytes
    }

    /// A relative path as a path of the package; nil when it leads out of it.
    private func resolved(_ link: String, from path: String) -> String? {
        var parts = path.split(separator: "/").dropLast()
        for part in link.split(separator: "/") {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else if part != "." {
                parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    /// Notes answers without input, and names that a folder and a test share.
    func checkFolder(_ folder: DataFolder, group: String) {
        for name in folder.files.keys.sorted() where name.hasSuffix(".ans") {
            let base = name.dropLast(4)
            if folder.files["\(base).in"] == nil {
                faults.add("data/\(group)/\(name)", "has no input file \(base).in")
            }
        }
        for name in folder.folders.keys.sorted() {
            if name.hasSuffix(".files") {
                if folder.files[name.dropLast(6) + ".in"] == nil {
                    faults.add("data/\(group)/\(name)", "belongs to no test")
                }
            } else if folder.files[name + ".in"] != nil {
                faults.add("data/\(group)/\(name)", "a folder and a test have the same name")
            }
        }
    }

    /// What a test means to contestants of an interactive or multi-pass problem is told by `NAME.interaction` alone.
    private var showsInput: Bool { !metadata.kind.isInteractive && metadata.kind.passes == 1 }

    /// The interactions that the samples show, in order.
    func interactions(of folder: DataFolder) -> [ProblemSample] {
        guard !showsInput else { return [] }
        return folder.files.keys.filter { $0.hasSuffix(".interaction") }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .compactMap { folder.files[$0].flatMap { tree.files[$0] } }
            .map { ProblemSample(input: "", answer: "", interaction: Self.text($0)) }
    }

    private func files(of name: String, in folder: DataFolder) -> [String: [UInt8]] {
        folder.folders[name + ".files"]?.allFiles.compactMapValues { tree.files[$0] } ?? [:]
    }

    func checked(_ arguments: [String], path: String) -> [String] {
        let bytes = arguments.reduce(0) { $0 + $1.utf8.count }
        if arguments.count > Limits.testArguments || bytes > Limits.testArgumentBytes {
            faults.add(path, "has too many or too long arguments")
        }
        if arguments.contains(where: { $0.utf8.contains(0) }) {
            faults.add(path, "has an argument with a zero byte")
        }
        return arguments
    }

    /// Flags of the default validator.
    func flags(_ arguments: [String], path: String) -> ValidatorFlags {
        var problems: [String] = []
        let flags = ValidatorFlags.parse(
            arguments, refusesRepeats: !metadata.format.isLegacy,
            problems: &problems)
        for problem in problems { faults.add(path, problem) }
        return flags
    }

    private func sample(_ name: String, of folder: DataFolder, input: [UInt8], answer: [UInt8])
        -> ProblemSample
    {
        func shown(_ suffixes: [String], else fallback: [UInt8]) -> String {
            let path = suffixes.lazy.compactMap { folder.files[name + $0] }.first
            let bytes = path.flatMap { tree.files[$0] } ?? fallback
            return Self.text(bytes)
        }
        return ProblemSample(
            input: shown([".in.statement"], else: input),
            answer: shown([".ans.statement", ".out"], else: answer))
    }

    private static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix(Limits.sampleBytes), as: UTF8.self)
        return bytes.count > Limits.sampleBytes ? text + "\n[cut]\n" : text
    }
}
