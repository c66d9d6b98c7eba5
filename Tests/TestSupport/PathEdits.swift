import CRDT

/// Edits of shared types that are named by paths, for tests that write many small ones.
public struct PathEdits {
    let document: Document

    private func text(_ path: SharedPath) throws(EditError) -> SharedText {
        if path.steps.isEmpty { return try document.getText(path.root) }
        guard case .text(let text)? = document.sharedType(at: path) else { throw EditError(.noSuchType) }
        return text
    }

    private func array(_ path: SharedPath) throws(EditError) -> SharedArray {
        if path.steps.isEmpty { return try document.getArray(path.root) }
        guard case .array(let array)? = document.sharedType(at: path) else { throw EditError(.noSuchType) }
        return array
    }

    private func map(_ path: SharedPath) throws(EditError) -> SharedMap {
        if path.steps.isEmpty { return try document.getMap(path.root) }
        guard case .map(let map)? = document.sharedType(at: path) else { throw EditError(.noSuchType) }
        return map
    }

    public func insertText(_ new: String, at position: Int, in path: SharedPath) throws(EditError) {
        try text(path).insert(new, at: position)
    }

    public func delete(at position: Int, length: Int, in path: SharedPath) throws(EditError) {
        try text(path).delete(at: position, length: length)
    }

    public func insert(_ values: [Value], at position: Int, in path: SharedPath) throws(EditError) {
        try array(path).insert(values: values, at: position)
    }

    public func set(_ key: String, to value: Value, in path: SharedPath) throws(EditError) {
        try map(path).set(key, value)
    }

    public func set(_ key: String, to new: Content, in path: SharedPath) throws(EditError) {
        try map(path).set(key, new)
    }
}

extension Document {
    /// Runs path edits as one transaction; gives its update.
    @discardableResult
    public func edit<Failure: Error>(
        _ body: (PathEdits) throws(Failure) -> Void
    ) throws(Failure) -> [UInt8]? {
        try update { () throws(Failure) in try body(PathEdits(document: self)) }
    }
}
