/// One thing wrong with a package.
public struct PackageFault: Sendable, Equatable, CustomStringConvertible {
    /// The file or folder inside the package it was found in.
    public var path: String
    /// What is wrong, as a sentence for the package's author.
    public var message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// The error of everything that reads, keeps or looks up problems.
public struct ProblemsError: Error, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The package breaks its specification or our limits; `faults` lists everything found.
        case invalidPackage
        /// A zip or folder could not be read as a package at all; `faults` lists why.
        case unreadablePackage
        case notFound
        /// The store failed.
        case unavailable
    }

    public var code: Code
    public var message: String
    public var faults: [PackageFault]

    public init(code: Code, message: String, faults: [PackageFault] = []) {
        self.code = code
        self.message = message
        self.faults = faults
    }

    public var description: String {
        ([message] + faults.map { "  - \($0)" }).joined(separator: "\n")
    }
}

/// Collects the faults of one package while its parts are read, bounded.
final class FaultList {
    private(set) var faults: [PackageFault] = []
    private var leftOut = 0

    var isEmpty: Bool { faults.isEmpty }

    func add(_ path: String, _ message: String) {
        guard faults.count < Limits.faults else {
            leftOut += 1
            return
        }
        faults.append(PackageFault(path: path, message: message))
    }

    /// The faults, with a last line that says how many more there were.
    var listed: [PackageFault] {
        leftOut == 0 ? faults : faults + [PackageFault(path: "", message: "\(leftOut) more faults")]
    }
}
