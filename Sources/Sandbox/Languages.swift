import Foundation
import Judging

/// The languages of an installation as the sandbox knows them: those that come with it, and the operator's own.
/// Read once, at the start, while the process may still be root.
public struct Languages: Sendable {
    /// A language whose tool is here, with all that stands for something else filled in but `{memory_mib}`.
    struct Installed: Sendable, Equatable {
        var definition: LanguageDefinition
        var tool: String
        var mounts: [String]

        func resolved(_ command: [String]?) -> [String] {
            let prefix = tool.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
            let script = (definition.script ?? []).joined(separator: "\n")
            return (command ?? []).map { argument in
                argument == "{script}"
                    ? script
                    : argument.replacing("{tool}", with: tool).replacing("{prefix}", with: prefix)
            }
        }
    }

    /// All of them, in the order in which they are shown.
    public let table: LanguageTable
    let installed: [Installed]
    /// Why programs of the others are not run here, by id.
    let missing: [String: String]

    /// - Parameter folders: of further language files (`NAME.json`), in which an id that exists is replaced. A folder
    ///   that is not there is no fault.
    public init(folders: [String] = []) throws(SandboxError) {
        var definitions: [LanguageDefinition] = []
        for bytes in Self.bundled {
            definitions.append(try LanguageDefinition(parsing: Data(bytes), path: "a bundled language"))
        }
        for folder in folders { definitions += try Self.read(folder) }
        self.init(definitions)
    }

    init(_ definitions: [LanguageDefinition]) {
        table = LanguageTable(definitions.map(\.language))
        let lastOfEach = Dictionary(definitions.map { ($0.id, $0) }) { _, later in later }
        var installed: [Installed] = []
        var missing: [String: String] = [:]
        for language in table.all {
            guard let definition = lastOfEach[language.id] else { continue }
            switch Self.find(definition) {
            case .success(let found) where installed.count < Limits.languages: installed.append(found)
            case .success: missing[language.id] = "there are more than \(Limits.languages) languages"
            case .failure(let reason): missing[language.id] = reason.message
            }
        }
        self.installed = installed
        self.missing = missing
    }

    /// In the order of the contract.
    private static var bundled: [[UInt8]] {
        [
            PackageResources.c_json, PackageResources.cpp_json, PackageResources.python_json,
            PackageResources.javascript_json, PackageResources.java_json, PackageResources.rust_json,
            PackageResources.go_json, PackageResources.swift_json,
        ]
    }

    private static func read(_ folder: String) throws(SandboxError) -> [LanguageDefinition] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        var definitions: [LanguageDefinition] = []
        for name in names where name.hasSuffix(".json") && !name.hasPrefix(".") {
            let path = folder + "/" + name
            // What is read here becomes commands: whoever may write it rules the sandbox.
            if let fault = HostPath.fault(of: folder) ?? HostPath.fault(of: path) {
                throw SandboxError(.invalidLanguage, fault)
            }
            guard let content = FileManager.default.contents(atPath: path) else {
                throw SandboxError(.invalidLanguage, "\(path) cannot be read")
            }
            definitions.append(try LanguageDefinition(parsing: content, path: path))
        }
        return definitions
    }

    /// The tool that guests may use: executable, where they can see it, and nobody's but the machine's.
    private static func find(_ definition: LanguageDefinition) -> Result<Installed, SandboxError> {
        var reason = "there is no \(definition.tools.joined(separator: " or "))"
        let mounts = (definition.mounts ?? []).filter { FileManager.default.fileExists(atPath: $0) }
        for tool in definition.tools where access(tool, X_OK) == 0 {
            if let fault = HostPath.faultOfTool(tool, mounts: mounts) {
                reason = fault
                continue
            }
            if let fault = mounts.lazy.compactMap(HostPath.fault).first {
                reason = fault
                continue
            }
            return .success(Installed(definition: definition, tool: tool, mounts: mounts))
        }
        return .failure(SandboxError(.invalidLanguage, reason))
    }

    /// The table as `Sources/sandbox-helper/languages.c` reads it: texts that end in a zero, each list led by its
    /// length.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func put(_ text: String) {
            bytes += text.utf8.filter { $0 != 0 }
            bytes.append(0)
        }
        func put(_ list: [String]) {
            put(String(list.count))
            list.forEach(put)
        }
        put(String(installed.count))
        for language in installed {
            let definition = language.definition
            put(definition.id)
            put(definition.file)
            put(definition.artefact ?? "")
            put(definition.memory.rawValue)
            put(String(definition.processes))
            put(language.resolved(definition.compile))
            put(language.resolved(definition.run))
            put(language.resolved(definition.version))
            put((definition.environment ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
            put(language.mounts)
        }
        return bytes
    }
}
