/// What `problem.yaml` says, with the version's differences smoothed out.
struct PackageMetadata {
    var format: PackageFormat = .legacy
    var isScoring = false
    /// Language code → name; the empty code stands for "the only language".
    var names: [String: String] = [:]
    var license = "unknown"
    var author = ""
    var source = ""
    var rightsOwner = ""
    var keywords: [String] = []
    var allowedLanguages: [String]?
    var constants: [String: String] = [:]
    var limits = StatedLimits()
    /// Arguments of the output validator for the whole package (legacy).
    var validatorArguments: [String] = []
    var kind = ProblemKind()
    /// `validation: custom` (legacy): a validator of the package judges.
    var isCustomValidated = false
    /// `validation: custom score` (legacy): its `score.txt` counts.
    var hasValidatorScore = false
    /// Whether the package's own output validators judge.
    var usesOwnValidator = false
}

/// `limits` of `problem.yaml`; nil where the package states nothing.
struct StatedLimits {
    var timeLimitMs: Int?
    /// Safety factors of a limit inferred from submissions.
    var acceptedToLimit = 2.0
    var limitToExceeded = 1.5
    /// Seconds of which an inferred limit is a multiple.
    var resolution = 1.0
    var memoryMiB: Int?
    var outputMiB: Int?
    var codeKiB: Int?
    var validationSeconds: Int?
    var validationMemoryMiB: Int?
    var validationOutputMiB: Int?
}

extension StatedLimits {
    var validation: ValidationLimits {
        ValidationLimits(
            timeMs: (validationSeconds ?? Limits.defaultValidationSeconds) * 1000,
            memoryBytes: Int64(validationMemoryMiB ?? Limits.defaultValidationMemoryMiB) << 20,
            outputBytes: (validationOutputMiB ?? Limits.defaultValidationOutputMiB) << 20)
    }

    var timing: TimingRule {
        TimingRule(
            acceptedToLimit: acceptedToLimit, limitToExceeded: limitToExceeded,
            resolutionSeconds: resolution)
    }
}

/// Reads `problem.yaml`.
struct MetadataReader {
    let root: YAMLMapping
    let faults: FaultList

    static let path = "problem.yaml"
    private static let licenses: Set<String> = [
        "unknown", "public domain", "cc0", "cc by", "cc by-sa", "educational", "permission",
    ]

    static func read(_ tree: PackageTree, faults: FaultList) -> PackageMetadata? {
        guard let bytes = tree.files[path] else {
            faults.add(path, "is missing")
            return nil
        }
        guard let root = YAMLDocument.load(bytes, path: path, faults: faults) else { return nil }
        guard var metadata = MetadataReader(root: root, faults: faults).read() else { return nil }
        func holds(_ folder: String) -> Bool { tree.files.keys.contains { $0.hasPrefix(folder + "/") } }
        switch metadata.format {
        case .legacy, .legacyICPC: metadata.usesOwnValidator = metadata.isCustomValidated
        case .draft2023:
            metadata.usesOwnValidator = holds("output_validator") || holds("output_validators")
        case .version2025: metadata.usesOwnValidator = holds("output_validator")
        }
        return metadata
    }

    private func read() -> PackageMetadata? {
        var metadata = PackageMetadata()
        if let version = root.string("problem_format_version") {
            guard let format = PackageFormat(rawValue: version) else {
                root.fault("problem_format_version", "\(version.forMessage) is not supported")
                return nil
            }
            metadata.format = format
        }
        if metadata.format.isLegacy { readLegacy(&metadata) } else { readCurrent(&metadata) }
        readNames(&metadata)
        readRights(&metadata)
        metadata.limits = LimitsReader(root: root, format: metadata.format).read(&metadata.kind)
        root.finish()
        return metadata
    }

    private func readLegacy(_ metadata: inout PackageMetadata) {
        switch root.string("type") {
        case nil, "pass-fail"?: break
        case "scoring"? where metadata.format == .legacy: metadata.isScoring = true
        case let other?: root.fault("type", "cannot be \(other.forMessage)")
        }
        _ = root.string("uuid")
        metadata.author = root.string("author") ?? ""
        metadata.source = root.string("source") ?? ""
        if root.string("source_url") != nil, metadata.source.isEmpty {
            root.fault("source_url", "is given without source")
        }
        metadata.keywords = words(root.strings("keywords") ?? [])
        readLegacyValidation(&metadata)
        guard let grading = root.mapping("grading") else { return }
        if !metadata.isScoring { root.fault("grading", "is only for scoring problems") }
        switch grading.string("objective") {
        case nil, "max"?: break
        case "min"?: grading.fault("objective", "min is not supported yet")
        case let other?: grading.fault("objective", "cannot be \(other.forMessage)")
        }
        _ = grading.boolean("show_test_data_groups")
        grading.finish()
    }

    private func readLegacyValidation(_ metadata: inout PackageMetadata) {
        let validation = words([root.string("validation") ?? "default"])
        switch validation.first {
        case "default"? where validation.count == 1: break
        case "custom"?: readCustomValidation(Array(validation.dropFirst()), &metadata)
        default:
            root.fault(
                "validation", "is \(validation.joined(separator: " ").forMessage), not default or custom")
        }
        metadata.validatorArguments = words(root.strings("validator_flags") ?? [])
    }

    private func readCustomValidation(_ modes: [String], _ metadata: inout PackageMetadata) {
        metadata.isCustomValidated = true
        for mode in modes {
            switch mode {
            case "interactive": metadata.kind.isInteractive = true
            case "score":
                metadata.hasValidatorScore = true
                if !metadata.isScoring { root.fault("validation", "score is only for scoring problems") }
            case "multipass", "multi-pass": metadata.kind.passes = 2
            default: root.fault("validation", "cannot be custom \(mode.forMessage)")
            }
        }
    }

    private func readCurrent(_ metadata: inout PackageMetadata) {
        let isDraft = metadata.format == .draft2023
        var types = root.strings("type") ?? ["pass-fail"]
        if isDraft || !root.isSequence("type") { types = words(types) }
        readTypes(types, &metadata)
        if root.string("uuid") == nil, !isDraft { root.fault("uuid", "is missing") }
        _ = root.string("version")
        readCredits(&metadata)
        readSource(&metadata)
        _ = root.string("embargo_until")
        if isDraft { readLegacyValidation(&metadata) }
        metadata.keywords = root.strings("keywords") ?? []
        if let languages = root.strings("languages"), languages != ["all"] {
            if languages.isEmpty { root.fault("languages", "is empty") }
            metadata.allowedLanguages = languages
        }
        // Guests may write into their own box in any case.
        _ = root.boolean("allow_file_writing")
        readConstants(&metadata)
    }

    private func readTypes(_ types: [String], _ metadata: inout PackageMetadata) {
        if types.isEmpty { root.fault("type", "is empty") }
        if Set(types).count != types.count { root.fault("type", "repeats a value") }
        if types.contains("scoring"), types.contains("pass-fail") {
            root.fault("type", "cannot be pass-fail and scoring")
        }
        if types.contains("submit-answer"), types.contains("interactive") || types.contains("multi-pass") {
            root.fault("type", "cannot be submit-answer and interactive or multi-pass")
        }
        for type in types {
            switch type {
            case "pass-fail": break
            case "scoring": metadata.isScoring = true
            case "interactive": metadata.kind.isInteractive = true
            case "multi-pass": metadata.kind.passes = 2
            case "submit-answer": metadata.kind.isSubmitAnswer = true
            default: root.fault("type", "cannot be \(type.forMessage)")
            }
        }
    }

    private func readConstants(_ metadata: inout PackageMetadata) {
        guard let constants = root.mapping("constants") else { return }
        for name in constants.keys.prefix(Limits.constants) {
            guard isIdentifier(name) else {
                constants.fault(name.forMessage, "is no name of a constant")
                _ = constants.node(name)
                continue
            }
            if constants.isMapping(name), let variants = constants.mapping(name) {
                if !variants.has("value") { variants.fault("value", "is missing") }
                for variant in variants.keys {
                    metadata.constants["\(name).\(variant)"] = variants.string(variant)
                }
                metadata.constants[name] = variants.string("value")
            } else {
                metadata.constants[name] = constants.string(name)
                metadata.constants["\(name).value"] = metadata.constants[name]
            }
        }
        constants.finish()
        for (name, value) in metadata.constants where value.count > Limits.constantCharacters {
            constants.fault(name.forMessage, "has more than \(Limits.constantCharacters) characters")
        }
    }

    private func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, first == 0x5f || isASCIILetter(first) else { return false }
        return name.utf8.allSatisfy { $0 == 0x5f || isASCIILetter($0) || isASCIIDigit($0) }
    }

    /// Names by language. The legacy version knows one string; a map, which later tools write there too, is taken.
    private func readNames(_ metadata: inout PackageMetadata) {
        if root.isMapping("name"), let map = root.mapping("name") {
            for language in map.keys {
                guard isLanguageCode(language) else {
                    _ = map.node(language)
                    map.fault(language.forMessage, "is no language code")
                    continue
                }
                metadata.names[language] = map.string(language)
            }
            if metadata.names.isEmpty { root.fault("name", "is empty") }
        } else if let name = root.string("name") {
            metadata.names = ["": name]
        } else if !metadata.format.isLegacy {
            root.fault("name", "is missing")
        }
        for (_, name) in metadata.names
        where name.isEmpty || name.count > Limits.titleCharacters || name.contains(where: \.isNewline) {
            root.fault("name", "must be one line of 1 to \(Limits.titleCharacters) characters")
        }
    }

    private func readRights(_ metadata: inout PackageMetadata) {
        metadata.license = root.string("license") ?? "unknown"
        if !Self.licenses.contains(metadata.license) {
            root.fault("license", "cannot be \(metadata.license.forMessage)")
        }
        let stated = root.string("rights_owner")
        if metadata.license == "public domain", stated != nil {
            root.fault("rights_owner", "must not be given for the public domain")
        }
        metadata.rightsOwner =
            [stated ?? "", metadata.author, metadata.source].first { !$0.isEmpty } ?? ""
        if metadata.rightsOwner.isEmpty, !["unknown", "public domain"].contains(metadata.license) {
            root.fault("rights_owner", "is missing: the licence needs an owner, an author or a source")
        }
    }
}

/// White-space separated words of all texts.
func words(_ texts: [String]) -> [String] {
    texts.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
}

func isASCIILetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) }

func isASCIIDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

/// Two or three lower-case letters, optionally a hyphen and two capitals: `en`, `fil`, `pt-BR`.
func isLanguageCode(_ code: String) -> Bool {
    let parts = code.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard let language = parts.first, (2...3).contains(language.utf8.count),
        language.utf8.allSatisfy({ (0x61...0x7a).contains($0) })
    else { return false }
    guard parts.count == 2 else { return true }
    return parts[1].utf8.count == 2 && parts[1].utf8.allSatisfy { (0x41...0x5a).contains($0) }
}
