/// Why a store of another server could not be read or written.
public struct ForeignStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// A document as another server kept it: updates of Yjs, version 1, in order.
public struct ForeignDocument: Sendable, Equatable {
    public var name: String
    public var updates: [[UInt8]]

    public init(name: String, updates: [[UInt8]]) {
        self.name = name
        self.updates = updates
    }
}
