/// A program that a package brings: a validator or a grader, one file or a folder.
public struct PackageProgram: Sendable, Hashable {
    /// The file's or folder's name.
    public var name: String
    /// Path inside it → content.
    public var files: [String: [UInt8]]

    public init(name: String, files: [String: [UInt8]]) {
        self.name = name
        self.files = files
    }
}

/// Budget of each run of a validator or grader.
public struct ValidationLimits: Sendable, Equatable {
    public var timeMs: Int
    public var memoryBytes: Int64
    /// Bytes of all that it writes: its streams and its feedback files.
    public var outputBytes: Int

    public init(timeMs: Int, memoryBytes: Int64, outputBytes: Int) {
        self.timeMs = timeMs
        self.memoryBytes = memoryBytes
        self.outputBytes = outputBytes
    }
}

/// How the submissions of a problem are run.
public struct ProblemKind: Sendable, Equatable {
    /// Submission and validator talk with each other.
    public var isInteractive = false
    /// Most runs of one test; more than one only in a multi-pass problem.
    public var passes = 1
    /// A submission is the answers, not a program.
    public var isSubmitAnswer = false

    public init(isInteractive: Bool = false, passes: Int = 1, isSubmitAnswer: Bool = false) {
        self.isInteractive = isInteractive
        self.passes = passes
        self.isSubmitAnswer = isSubmitAnswer
    }
}

/// Reads the programs and included files of a package.
struct ProgramReader {
    let tree: PackageTree
    let metadata: PackageMetadata
    let faults: FaultList

    /// The package's output validators; empty where the default one judges.
    func outputValidators() -> [PackageProgram] {
        var found = metadata.format.isLegacy ? [] : folderProgram("output_validator")
        if metadata.format != .version2025 { found += programs(in: "output_validators") }
        // A legacy package may bring validators and say that the default one judges.
        if metadata.format.isLegacy, !metadata.isCustomValidated { return [] }
        if metadata.isCustomValidated, found.isEmpty {
            faults.add(MetadataReader.path, "asks for a validator of the package, which brings none")
        }
        if found.isEmpty, metadata.kind.isInteractive || metadata.kind.passes > 1 {
            faults.add("output_validator", "is missing: interactive and multi-pass problems need one")
        }
        if found.count > 1, metadata.kind.isInteractive {
            faults.add("output_validators", "an interactive problem has one validator")
        }
        return found
    }

    /// The program that reads submissions (2025-09); other versions do not know it.
    func staticValidator() -> PackageProgram? {
        guard !metadata.format.isLegacy, let program = folderProgram("static_validator").first else {
            return nil
        }
        if metadata.format != .version2025 {
            faults.add("static_validator", "is not known in the version \(metadata.format.rawValue)")
        }
        if metadata.kind.isSubmitAnswer {
            faults.add("static_validator", "is not for submit-answer problems")
        }
        return program
    }

    /// The legacy version's custom grader.
    func grader() -> PackageProgram? {
        guard metadata.format == .legacy else { return nil }
        let found = programs(in: "graders")
        if found.count > 1 { faults.add("graders", "holds more than one grader") }
        return found.first
    }

    /// Kattis's code of a language (or `default`) → path → content of the files that go with every submission.
    func includes() -> [String: [String: [UInt8]]] {
        var includes: [String: [String: [UInt8]]] = [:]
        for (path, bytes) in tree.files where path.hasPrefix("include/") {
            let parts = path.split(separator: "/", maxSplits: 2).map(String.init)
            guard parts.count == 3 else {
                faults.add(path, "must be in the folder of a language")
                continue
            }
            includes[parts[1], default: [:]][parts[2]] = filled(bytes)
        }
        return includes
    }

    /// Each file and each folder in `folder` is a program.
    private func programs(in folder: String) -> [PackageProgram] {
        var found: [String: PackageProgram] = [:]
        for (path, bytes) in tree.files where path.hasPrefix(folder + "/") {
            let parts = path.split(separator: "/", maxSplits: 2).map(String.init)
            let name = parts[1]
            let file = parts.count == 3 ? parts[2] : name
            found[name, default: PackageProgram(name: name, files: [:])].files[file] = filled(bytes)
        }
        return check(found.values.sorted { $0.name < $1.name }, in: folder)
    }

    /// The whole folder is one program.
    private func folderProgram(_ folder: String) -> [PackageProgram] {
        var program = PackageProgram(name: folder, files: [:])
        for (path, bytes) in tree.files where path.hasPrefix(folder + "/") {
            program.files[String(path.dropFirst(folder.utf8.count + 1))] = filled(bytes)
        }
        return program.files.isEmpty ? [] : check([program], in: folder)
    }

    private func check(_ programs: [PackageProgram], in folder: String) -> [PackageProgram] {
        for program in programs {
            for script in ["build", "run"] where program.files[script] != nil {
                faults.add("\(folder)/\(program.name)", "\(script) scripts are not supported yet")
            }
            if program.files.values.reduce(0, { $0 + $1.count }) > Limits.programBytes {
                faults.add("\(folder)/\(program.name)", "is larger than \(Limits.programBytes) bytes")
            }
        }
        return programs
    }

    private func filled(_ bytes: [UInt8]) -> [UInt8] {
        Constants(metadata.constants).fill(bytes)
    }
}

extension Constants {
    /// A file with the constants filled in, where it is text of a usual size.
    func fill(_ bytes: [UInt8]) -> [UInt8] {
        guard !isEmpty, bytes.count <= Limits.filledBytes, let text = String(validating: bytes, as: UTF8.self)
        else { return bytes }
        return Array(fill(text).utf8)
    }
}
