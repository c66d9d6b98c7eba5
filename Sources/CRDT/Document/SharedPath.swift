/// Where a shared type is: a root, then map keys and list positions down to it.
public struct SharedPath: Hashable, Sendable {
    public enum Step: Hashable, Sendable {
        case key(String)
        case index(Int)
    }

    public var root: String
    public var steps: [Step]

    public init(_ root: String, _ steps: [Step] = []) {
        self.root = root
        self.steps = steps
    }

    /// The type under a map key of this one.
    public func key(_ key: String) -> SharedPath { SharedPath(root, steps + [.key(key)]) }

    /// The type at a list position of this one.
    public func index(_ index: Int) -> SharedPath { SharedPath(root, steps + [.index(index)]) }
}

/// What a value or list element is.
public enum SharedKind: Sendable, Hashable {
    case absent
    case text
    case map
    case array
    /// An XML element, fragment, hook or text.
    case xml
    /// A plain value.
    case value
}

/// Why a local edit was refused; the edits before it in the same transaction stand.
public struct EditError: Error, Sendable, Equatable {
    public enum Code: String, Sendable {
        /// The path leads to no shared type, or the type is not there any more.
        case noSuchType
        /// The root was given another type before, or the content cannot be put there.
        case wrongType
        /// The subdocument is in a document already.
        case alreadyInserted
        /// A position or length beyond the end.
        case outOfRange
        /// The document has reached the engine's limits.
        case full
    }

    public var code: Code

    public init(_ code: Code) { self.code = code }
}
