/// A Yjs client id, at most 2^53 - 1.
public typealias ClientID = UInt64

/// Names one unit of content: the client that made it and that client's clock.
public struct ID: Hashable, Sendable {
    public var client: ClientID
    public var clock: UInt64

    public init(client: ClientID, clock: UInt64) {
        self.client = client
        self.clock = clock
    }
}
