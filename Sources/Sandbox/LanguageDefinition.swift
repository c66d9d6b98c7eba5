import Foundation
import Judging

/// One language file: all that the sandbox needs to know to compile and run its programs.
///
/// Commands are argument vectors. `{tool}` stands for the first of `tools` that is there, `{prefix}` for the folder
/// two above it (`/usr` of `/usr/bin/gcc`), `{script}` for the lines of `script`, and `{memory_mib}` for the memory
/// limit of the run.
struct LanguageDefinition: Decodable, Equatable, Sendable {
    enum MemoryModel: String, Decodable, Sendable {
        /// Where no memory group is, the address space may be limited in its stead.
        case addressSpace = "address-space"
        /// The runtime reserves far more than it uses: only resident memory can be limited.
        case resident
    }

    var id: String
    var name: String
    /// The name under which a source lies in the working folder.
    var file: String
    var suffixes: [String]
    var aliases: [String]
    /// Absolute paths of the compiler or interpreter, best first.
    var tools: [String]
    /// Host folders beside the system's that guests see, read-only; those that are not there are left out.
    var mounts: [String]?
    var compile: [String]
    var script: [String]?
    /// The file that the compiler leaves, and that runs; without one the source itself runs.
    var artefact: String?
    /// Without one the artefact is executed itself, in a root without system folders.
    var run: [String]?
    var version: [String]
    /// Added to what every guest gets.
    var environment: [String: String]?
    var memory: MemoryModel
    /// Processes and threads of a run; a smaller limit of the run itself holds.
    var processes: Int
    /// What a problem's limits are multiplied with for programs in it; 1 without.
    var timeFactor: Double?
    var memoryFactor: Double?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case id, name, file, suffixes, aliases, tools, mounts, compile, script, artefact, run, version
        case environment, memory, processes
        case timeFactor = "time_factor"
        case memoryFactor = "memory_factor"
    }

    static let keys = Set(CodingKeys.allCases.map(\.rawValue))

    /// What judging needs to know of it.
    var language: Language {
        Language(
            id: id, name: name, fileName: file, suffixes: suffixes, aliases: aliases,
            timeFactor: timeFactor ?? 1, memoryFactor: memoryFactor ?? 1)
    }

    /// Reads one file. Every fault is told, in a sentence that names the key.
    init(parsing content: Data, path: String) throws(SandboxError) {
        func refusal(_ text: String) -> SandboxError { SandboxError(.invalidLanguage, "\(path): \(text)") }
        guard content.count <= Limits.languageFileBytes else {
            throw refusal("is larger than \(Limits.languageFileBytes) bytes")
        }
        do {
            if let object = try JSONSerialization.jsonObject(with: content) as? [String: Any],
                let unknown = object.keys.sorted().first(where: { !Self.keys.contains($0) })
            {
                throw refusal("the key \"\(unknown)\" is not known")
            }
            self = try JSONDecoder().decode(Self.self, from: content)
        } catch let error as SandboxError {
            throw error
        } catch let DecodingError.keyNotFound(key, _) {
            throw refusal("the key \"\(key.stringValue)\" is missing")
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.dataCorrupted(context) {
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw refusal(key.isEmpty ? "is no JSON object" : "\"\(key)\": \(context.debugDescription)")
        } catch {
            throw refusal("is no JSON object")
        }
        if let fault = fault() { throw refusal(fault) }
    }

    /// What is wrong with the values; nil when nothing is.
    private func fault() -> String? {
        if !Self.isID(id) { return "\"id\" takes 1 to 15 of a-z, 0-9, + and -" }
        if name.isEmpty || name.utf8.count > 64 { return "\"name\" takes 1 to 64 bytes" }
        if !Self.isFileName(file) { return "\"file\" is no plain file name" }
        if let artefact, !Self.isFileName(artefact) { return "\"artefact\" is no plain file name" }
        if artefact == nil && run == nil { return "without \"artefact\" there has to be a \"run\"" }
        if tools.isEmpty { return "\"tools\" is empty" }
        for path in tools + (mounts ?? []) where !Self.isCleanPath(path) {
            return "\(path) is no absolute path without . and .."
        }
        for command in [compile, version, run ?? ["{tool}"]] {
            guard let first = command.first, command.count <= Limits.languageArguments else {
                return "a command takes 1 to \(Limits.languageArguments) arguments"
            }
            guard first.hasPrefix("/") || first.hasPrefix("{tool}") || first.hasPrefix("{prefix}/") else {
                return "a command starts with {tool}, {prefix}/… or an absolute path"
            }
        }
        if (environment?.count ?? 0) > Limits.languageVariables {
            return "\"environment\" has more than \(Limits.languageVariables) variables"
        }
        if let bad = environment?.keys.first(where: { $0.isEmpty || $0.contains("=") }) {
            return "\"environment\" has a variable \"\(bad)\""
        }
        if (mounts?.count ?? 0) > Limits.languageMounts { return "\"mounts\" is too long" }
        if !(1...512).contains(processes) { return "\"processes\" is 1 to 512" }
        for (key, factor) in [("time_factor", timeFactor), ("memory_factor", memoryFactor)] {
            let bounds = Judging.Limits.languageFactors
            if let factor, !bounds.contains(factor) {
                return "\"\(key)\" is \(Int(bounds.lowerBound)) to \(Int(bounds.upperBound))"
            }
        }
        return nil
    }

    private static func isID(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2b || byte == 0x2d
            }
    }

    private static func isFileName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }
    }

    private static func isCleanPath(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count > 1 && path.utf8.count < 200
            && !path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
                .contains { $0.isEmpty || $0 == "." || $0 == ".." }
    }
}
