/// The files of one problem package, as read from a folder or a zip: path relative to the package's root
/// (`data/secret/1.in`) → content. Whoever builds one has already refused links, devices, duplicates, absolute
/// paths and `..`; the parser never touches a file system.
public struct PackageTree: Sendable, Equatable {
    /// The package's short name: the folder's name, which becomes the problem's id.
    public var shortName: String
    public var files: [String: [UInt8]]

    public init(shortName: String, files: [String: [UInt8]]) {
        self.shortName = shortName
        self.files = files
    }

    /// The same package with a time limit beside it (`.timelimit`), where `problem.yaml` states none.
    public func withTimeLimit(ms: Int) -> PackageTree {
        var tree = self
        tree.files[".timelimit"] = Array("\(Double(ms) / 1000)\n".utf8)
        return tree
    }
}
