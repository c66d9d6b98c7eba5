import CRDT

/// One edit of a document by somebody who holds no replica of it: places are named from the roots down.
public enum DocumentEdit: Sendable, Equatable {
    /// Positions and lengths of texts are UTF-16 units.
    case insertText(DocumentPath, at: Int, String)
    case deleteText(DocumentPath, at: Int, length: Int)
    /// Makes a text read so by the shortest edits found; where a map has no such key, the text is made.
    case replaceText(DocumentPath, String)
    /// Sets a key of a map to a plain value.
    case set(DocumentPath, Value)
    /// Removes a key of a map or an element of a list.
    case remove(DocumentPath)
    /// Inserts plain values in a list.
    case insertValues(DocumentPath, at: Int, [Value])
}

/// A place in a document, as a JSON Pointer (RFC 6901) from the roots: `/files/main.py`.
public struct DocumentPath: Sendable, Hashable {
    public let root: String
    public let steps: [String]

    private static let maximumSteps = 32

    /// Nil for what is no pointer, or points at the whole document.
    public init?(pointer: String) {
        guard pointer.first == "/" else { return nil }
        let parts = pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
        guard parts.count <= Self.maximumSteps + 1 else { return nil }
        root = parts[0]
        steps = Array(parts.dropFirst())
    }

    init(root: String, steps: [String]) {
        self.root = root
        self.steps = steps
    }
}

/// Finds places and edits them in a document that nobody else holds: a root gets the type it is used as.
struct DocumentEditor {
    let document: Document

    func run(_ edits: [DocumentEdit]) throws(EditError) {
        for edit in edits { try run(edit) }
    }

    private func run(_ edit: DocumentEdit) throws(EditError) {
        switch edit {
        case .insertText(let path, let position, let text):
            try withText(path) { (target) throws(EditError) in try target.insert(text, at: position) }
        case .deleteText(let path, let position, let length):
            try withText(path) { (target) throws(EditError) in
                try target.delete(at: position, length: length)
            }
        case .replaceText(let path, let text):
            if let map = try emptyPlace(path) { _ = try map.set(path.steps.last ?? "", .text) }
            try withText(path) { (target) throws(EditError) in
                try target.change(to: text)
            }
        case .set(let path, let value):
            guard let key = path.steps.last else { throw EditError(.wrongType) }
            try holder(of: path, else: .map).set(key, value)
        case .remove(let path): try remove(path)
        case .insertValues(let path, let position, let values):
            guard case .array(let array)? = try find(path, else: .array) else { throw EditError(.wrongType) }
            try array.insert(values: values, at: position)
        }
    }

    private func withText(
        _ path: DocumentPath, _ body: (any TextType) throws(EditError) -> Void
    ) throws(EditError) {
        guard let found = try find(path, else: .text) else { throw EditError(.noSuchType) }
        guard let text = found.textType else { throw EditError(.wrongType) }
        try body(text)
    }

    /// The map that a text is to be made in, where its key has no value.
    private func emptyPlace(_ path: DocumentPath) throws(EditError) -> SharedMap? {
        guard let key = path.steps.last else { return nil }
        let map = try holder(of: path, else: .map)
        return map.has(key) ? nil : map
    }

    private func holder(of path: DocumentPath, else kind: SharedKind) throws(EditError) -> SharedMap {
        let outer = DocumentPath(root: path.root, steps: path.steps.dropLast())
        guard case .map(let map)? = try find(outer, else: kind) else { throw EditError(.wrongType) }
        return map
    }

    private func remove(_ path: DocumentPath) throws(EditError) {
        guard let last = path.steps.last else { throw EditError(.wrongType) }
        let outer = try find(DocumentPath(root: path.root, steps: path.steps.dropLast()), else: .map)
        guard let outer else { throw EditError(.noSuchType) }
        if case .map(let map) = outer { return try map.delete(last) }
        guard let list = outer.listType else { throw EditError(.wrongType) }
        try list.delete(at: Self.index(last), length: 1)
    }

    private static func index(_ text: String) throws(EditError) -> Int {
        guard let index = Int(text), index >= 0 else { throw EditError(.outOfRange) }
        return index
    }

    /// What is at a place; a root in which nothing is visible is taken as `kind`.
    func find(_ path: DocumentPath, else kind: SharedKind) throws(EditError) -> SharedValue? {
        var kind = path.steps.isEmpty ? kind : SharedKind.map
        let known = document.rootKind(path.root)
        if known != .absent { kind = known }
        var value: SharedValue
        switch kind {
        case .text: value = .text(try document.getText(path.root))
        case .array: value = .array(try document.getArray(path.root))
        case .xml: value = .xmlFragment(try document.getXMLFragment(path.root))
        case .map, .value, .absent: value = .map(try document.getMap(path.root))
        }
        for step in path.steps {
            switch value {
            case .map(let map):
                guard let inner = map[step] else { return nil }
                value = inner
            case .array, .xmlFragment, .xmlElement:
                guard let index = Int(step), let inner = value.listType?[index] else { return nil }
                value = inner
            case .value(let plain):
                guard let inner = plain[step] ?? Int(step).flatMap({ plain.element($0) }) else { return nil }
                value = .value(inner)
            case .text, .xmlText, .xmlHook, .document: return nil
            }
        }
        return value
    }
}

extension SharedValue {
    /// The text that it is, of either kind.
    var textType: (any TextType)? {
        switch self {
        case .text(let text): text
        case .xmlText(let text): text
        default: nil
        }
    }

    /// The list that it is, of any kind.
    var listType: (any ListType)? {
        switch self {
        case .array(let list): list
        case .xmlFragment(let list): list
        case .xmlElement(let list): list
        default: nil
        }
    }
}

extension Value {
    fileprivate func element(_ index: Int) -> Value? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }
}
