/// Arguments of the default output validator.
public struct ValidatorFlags: Sendable, Equatable {
    /// Tokens must match byte for byte; otherwise ASCII letters match in either case.
    public var caseSensitive: Bool
    /// White space must match byte for byte, leading and trailing included.
    public var spaceChangeSensitive: Bool
    public var relativeTolerance: Double?
    public var absoluteTolerance: Double?

    public init(
        caseSensitive: Bool = false, spaceChangeSensitive: Bool = false, relativeTolerance: Double? = nil,
        absoluteTolerance: Double? = nil
    ) {
        self.caseSensitive = caseSensitive
        self.spaceChangeSensitive = spaceChangeSensitive
        self.relativeTolerance = relativeTolerance
        self.absoluteTolerance = absoluteTolerance
    }

    /// Reads the arguments; `problems` gets a sentence for each that is unknown, malformed or, with
    /// `refusesRepeats` (2025-09), a tolerance given twice or `float_tolerance` beside one of its parts. Otherwise the
    /// last one counts.
    static func parse(
        _ arguments: [String], refusesRepeats: Bool, problems: inout [String]
    ) -> ValidatorFlags {
        var flags = ValidatorFlags()
        var seen: Set<String> = []
        var index = 0
        while index < arguments.count {
            let name = arguments[index]
            index += 1
            switch name {
            case "case_sensitive": flags.caseSensitive = true
            case "space_change_sensitive": flags.spaceChangeSensitive = true
            case "float_tolerance", "float_relative_tolerance", "float_absolute_tolerance":
                guard index < arguments.count, let value = DecimalFloat.parse(arguments[index].utf8),
                    value.isFinite, value >= 0
                else {
                    problems.append("\(name) needs a number of at least 0 after it")
                    if index < arguments.count, !isName(arguments[index]) { index += 1 }
                    continue
                }
                index += 1
                if refusesRepeats { noteRepeat(of: name, seen: &seen, problems: &problems) }
                if name != "float_absolute_tolerance" { flags.relativeTolerance = value }
                if name != "float_relative_tolerance" { flags.absoluteTolerance = value }
            default: problems.append("unknown argument of the output validator: \(name.forMessage)")
            }
        }
        return flags
    }

    private static func isName(_ argument: String) -> Bool {
        argument.hasSuffix("_tolerance") || argument.hasSuffix("_sensitive")
    }

    private static func noteRepeat(of name: String, seen: inout Set<String>, problems: inout [String]) {
        let isRepeat = !seen.insert(name).inserted
        let parts: Set<String> = ["float_relative_tolerance", "float_absolute_tolerance"]
        let conflicts =
            name == "float_tolerance" ? !seen.isDisjoint(with: parts) : seen.contains("float_tolerance")
        if isRepeat {
            problems.append("\(name) is given twice")
        } else if conflicts {
            problems.append(
                "float_tolerance stands beside float_relative_tolerance or float_absolute_tolerance")
        }
    }
}

extension String {
    /// A short, printable rendering of text from a package for a message.
    var forMessage: String {
        let clean = unicodeScalars.prefix(60).map { scalar -> String in
            scalar.value < 0x20 || scalar.value == 0x7f ? "?" : String(scalar)
        }
        return "'" + clean.joined() + (unicodeScalars.count > 60 ? "…'" : "'")
    }
}
