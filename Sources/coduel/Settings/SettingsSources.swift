import Foundation
import Yams

/// A fault of the configuration, told to whoever starts the server.
struct SettingsError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Where settings come from: flags, then the environment, then the configuration file.
struct SettingsSources {
    private let flags: [SettingKey: String]
    private let environment: [String: String]
    private let file: [SettingKey: String]

    /// Outside services of larger installations. Going on with SQLite where somebody named a database would put the
    /// data where nobody looks for it.
    private static let services = [
        "CODUEL_DATABASE_URL", "CODUEL_DATABASE_REPLICA_URLS", "CODUEL_NATS_URL", "CODUEL_REDIS_URL",
    ].flatMap { [$0, $0 + "_FILE"] }

    /// - Throws: for a file that cannot be read, a key in it that does not exist, or a service that is named and that
    ///   this version has no client for.
    init(flags: [SettingKey: String], environment: [String: String], configurationPath: String?) throws {
        self.flags = flags
        self.environment = environment
        if let name = Self.services.first(where: { environment[$0]?.isEmpty == false }) {
            throw SettingsError(
                "\(name) is set, but this version keeps everything in the data folder and has no client for it; "
                    + "unset it")
        }
        let path = configurationPath ?? environment["CODUEL_CONFIG"]
        file = try path.map(Self.read) ?? [:]
    }

    func text(_ key: SettingKey) -> String? {
        flags[key] ?? environment[key.environmentName] ?? file[key]
    }

    func flag(_ key: SettingKey) throws -> Bool? {
        guard let text = text(key) else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw SettingsError("\(key.rawValue) is \"\(text)\"; it takes true or false")
        }
    }

    func integer(_ key: SettingKey, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = text(key) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw SettingsError(
                "\(key.rawValue) is \"\(text)\"; it takes a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// A secret: `CODUEL_NAME`, or the first line of the file that `CODUEL_NAME_FILE` names. No flag, and no key of
    /// the configuration file: both are read by others.
    func secret(_ name: SecretName) throws -> String? {
        let variable = name.variable
        if let text = environment[variable], !text.isEmpty { return text }
        guard let path = environment[variable + "_FILE"], !path.isEmpty else { return nil }
        guard let data = FileManager.default.contents(atPath: path),
            let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { throw SettingsError("\(variable)_FILE: \(path) cannot be read, or is empty") }
        return String(line)
    }

    func list(_ key: SettingKey) -> [String] {
        (text(key) ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    private static func read(_ path: String) throws -> [SettingKey: String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SettingsError("the configuration file \(path) cannot be read")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: String(decoding: data, as: UTF8.self))
        } catch {
            throw SettingsError("\(path) is not valid YAML: \(error)")
        }
        guard let node else { return [:] }
        guard let mapping = node.mapping else {
            throw SettingsError("\(path) is not a list of keys and values")
        }
        var values: [SettingKey: String] = [:]
        for (name, value) in mapping {
            let name = name.string ?? "?"
            guard let key = SettingKey(fileKey: name) else {
                let known = SettingKey.allCases.map(\.rawValue).sorted().joined(separator: ", ")
                throw SettingsError("\(path): there is no setting \"\(name)\"; known: \(known)")
            }
            values[key] = try text(of: value, name, path)
        }
        return values
    }

    /// A scalar as it stands, a list joined by commas, a mapping as `key=value` pairs joined by commas.
    private static func text(of node: Node, _ name: String, _ path: String) throws -> String {
        if let scalar = node.scalar { return scalar.string }
        if let sequence = node.sequence { return sequence.compactMap(\.string).joined(separator: ",") }
        if let mapping = node.mapping {
            return mapping.compactMap { key, value in
                key.string.flatMap { key in value.string.map { "\(key)=\($0)" } }
            }.joined(separator: ",")
        }
        throw SettingsError("\(path): \(name) has a value of an unknown kind")
    }
}
