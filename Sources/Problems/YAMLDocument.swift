import Yams

/// Reads one YAML file of a package. Anchors, and nesting beyond `Limits`, are refused before the YAML parser, which
/// recurses, sees the text; so time and stack are bounded by the file's size.
enum YAMLDocument {
    /// The file's root mapping; nil, with a fault noted, when it is none. An empty file is an empty mapping.
    static func load(_ bytes: [UInt8], path: String, faults: FaultList) -> YAMLMapping? {
        guard let text = checkedText(bytes, path: path, faults: faults) else { return nil }
        do {
            let parser = try Parser(yaml: text)
            guard let root = try parser.singleRoot(), !isNull(root) else {
                return YAMLMapping(path: path, prefix: "", entries: [], faults: faults)
            }
            guard case .mapping(let mapping) = root else {
                faults.add(path, "must be a map of keys to values")
                return nil
            }
            return YAMLMapping(path: path, prefix: "", mapping: mapping, faults: faults)
        } catch {
            faults.add(path, "is not valid YAML: \(shortMessage(of: error))")
            return nil
        }
    }

    static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else {
            return false
        }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func checkedText(_ bytes: [UInt8], path: String, faults: FaultList) -> String? {
        guard bytes.count <= Limits.yamlBytes else {
            faults.add(path, "is larger than \(Limits.yamlBytes) bytes")
            return nil
        }
        guard !bytes.starts(with: [0xef, 0xbb, 0xbf]) else {
            faults.add(path, "begins with a byte-order mark")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            faults.add(path, "is not UTF-8 text")
            return nil
        }
        guard isShallow(bytes) else {
            faults.add(path, "is nested too deep")
            return nil
        }
        guard !hasAnchor(bytes) else {
            faults.add(path, "uses anchors, which are not supported")
            return nil
        }
        return text
    }

    /// Bounds the depth of flow collections by the number of their opening brackets, and of block collections by the
    /// columns that indentation and indicators take at the start of a line.
    private static func isShallow(_ bytes: [UInt8]) -> Bool {
        var brackets = 0
        var indent = 0
        var inIndent = true
        for byte in bytes {
            switch byte {
            case 0x0a, 0x0d:
                indent = 0
                inIndent = true
            case 0x5b, 0x7b:
                inIndent = false
                brackets += 1
            case 0x20, 0x09, 0x2d, 0x3f, 0x3a:
                if inIndent { indent += 1 }
            default: inIndent = false
            }
            if brackets > Limits.yamlBrackets || indent > Limits.yamlIndent { return false }
        }
        return true
    }

    /// Whether a token may begin with `&`. Without anchors there are no aliases that could multiply a node.
    private static func hasAnchor(_ bytes: [UInt8]) -> Bool {
        for (index, byte) in bytes.enumerated() where byte == 0x26 {
            let before = index > 0 ? bytes[index - 1] : 0x20
            let after = index + 1 < bytes.count ? bytes[index + 1] : 0x20
            let beginsToken = [0x20, 0x09, 0x0a, 0x0d, 0x5b, 0x7b, 0x2c].contains(before)
            if beginsToken, ![0x20, 0x09, 0x0a, 0x0d].contains(after) { return true }
        }
        return false
    }

    private static func shortMessage(of error: any Error) -> String {
        let line = "\(error)".split(whereSeparator: \.isNewline).first.map(String.init) ?? "unreadable"
        return String(line.prefix(200))
    }
}

/// A mapping of a YAML file. Every key must be asked for: `finish()` notes those that nobody knew.
final class YAMLMapping {
    let path: String
    private let prefix: String
    private var entries: [(key: String, node: Node)]
    private var known: Set<String> = []
    private let faults: FaultList

    init(path: String, prefix: String, entries: [(key: String, node: Node)], faults: FaultList) {
        self.path = path
        self.prefix = prefix
        self.entries = entries
        self.faults = faults
    }

    convenience init(path: String, prefix: String, mapping: Node.Mapping, faults: FaultList) {
        var entries: [(key: String, node: Node)] = []
        for (key, value) in mapping {
            if case .scalar(let scalar) = key {
                entries.append((scalar.string, value))
            } else {
                faults.add(path, "\(prefix)a key is not a string")
            }
        }
        self.init(path: path, prefix: prefix, entries: entries, faults: faults)
    }

    var keys: [String] { entries.map(\.key) }

    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    func fault(_ key: String, _ message: String) { faults.add(path, "\(prefix)\(key) \(message)") }

    /// Notes every key that was not asked for.
    func finish() {
        for entry in entries where !known.contains(entry.key) {
            faults.add(path, "unknown key \((prefix + entry.key).forMessage)")
        }
    }

    /// The value of a key, nil when absent or null.
    func node(_ key: String) -> Node? {
        known.insert(key)
        guard let node = entries.first(where: { $0.key == key })?.node, !YAMLDocument.isNull(node) else {
            return nil
        }
        return node
    }

    /// The key's text; numbers and booleans are given as written.
    func string(_ key: String) -> String? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let scalar) = node else {
            fault(key, "must be a string")
            return nil
        }
        return scalar.string
    }

    /// Text out of a fixed choice.
    func choice<Value: RawRepresentable>(_ key: String, _ type: Value.Type) -> Value?
    where Value.RawValue == String {
        guard let text = string(key) else { return nil }
        guard let value = Value(rawValue: text) else {
            fault(key, "cannot be \(text.forMessage)")
            return nil
        }
        return value
    }

    /// A finite number of at least `minimum` (above it, with `exclusive`).
    func number(_ key: String, atLeast minimum: Double, exclusive: Bool = false) -> Double? {
        guard let text = string(key) else { return nil }
        guard let value = DecimalFloat.parse(text.utf8), value.isFinite,
            exclusive ? value > minimum : value >= minimum
        else {
            fault(
                key,
                "must be a number \(exclusive ? "above" : "of at least") \(minimum), not \(text.forMessage)")
            return nil
        }
        return value
    }

    /// A whole number of at least `minimum`.
    func integer(_ key: String, atLeast minimum: Int) -> Int? {
        guard let text = string(key) else { return nil }
        guard let value = Int(text), value >= minimum else {
            fault(key, "must be a whole number of at least \(minimum), not \(text.forMessage)")
            return nil
        }
        return value
    }

    func boolean(_ key: String) -> Bool? {
        guard let text = string(key) else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            fault(key, "must be true or false, not \(text.forMessage)")
            return nil
        }
    }

    /// A string or a sequence of strings.
    func strings(_ key: String) -> [String]? {
        guard let node = node(key) else { return nil }
        switch node {
        case .scalar(let scalar): return [scalar.string]
        case .sequence(let sequence):
            var values: [String] = []
            for item in sequence {
                guard case .scalar(let scalar) = item else {
                    fault(key, "must hold strings only")
                    return nil
                }
                values.append(scalar.string)
            }
            return values
        default:
            fault(key, "must be a string or a list of strings")
            return nil
        }
    }

    func mapping(_ key: String) -> YAMLMapping? {
        guard let node = node(key) else { return nil }
        guard case .mapping(let mapping) = node else {
            fault(key, "must be a map")
            return nil
        }
        return YAMLMapping(path: path, prefix: "\(prefix)\(key).", mapping: mapping, faults: faults)
    }

    func isMapping(_ key: String) -> Bool {
        guard case .mapping? = node(key) else { return false }
        return true
    }

    func isSequence(_ key: String) -> Bool {
        guard case .sequence? = node(key) else { return false }
        return true
    }

    /// An element of a sequence that holds strings and maps.
    enum Element {
        case text(String)
        case map(YAMLMapping)
    }

    /// The strings and maps of a sequence; others are faults.
    func elements(_ key: String) -> [Element] {
        guard case .sequence(let sequence)? = node(key) else { return [] }
        var elements: [Element] = []
        for item in sequence {
            switch item {
            case .scalar(let scalar): elements.append(.text(scalar.string))
            case .mapping(let mapping):
                elements.append(
                    .map(
                        YAMLMapping(path: path, prefix: "\(prefix)\(key).", mapping: mapping, faults: faults))
                )
            default: fault(key, "must hold strings or maps")
            }
        }
        return elements
    }
}
