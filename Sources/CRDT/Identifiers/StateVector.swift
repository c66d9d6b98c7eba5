/// The next expected clock of every known client (Yjs, "state vector"). A client that is absent has clock 0.
public struct StateVector: Sendable, Equatable {
    /// Clients with their next clock; never holds a zero.
    public private(set) var clients: [ClientID: UInt64] = [:]

    public init() {}

    public init(_ clients: [ClientID: UInt64]) {
        self.clients = clients.filter { $0.value > 0 }
    }

    public subscript(client: ClientID) -> UInt64 {
        get { clients[client] ?? 0 }
        set { clients[client] = newValue == 0 ? nil : newValue }
    }

    /// Decodes `varUint n, (varUint client, varUint clock)*`. Refuses trailing bytes.
    public init(decoding bytes: [UInt8]) throws(UpdateError) {
        self.clients = try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var reader = ByteReader(buffer)
            let count = try reader.varUint()
            // Every entry takes two bytes at least, so a count beyond that is a lie.
            guard count <= UInt64(reader.remaining / 2) else {
                throw reader.error(.malformed, "\(count) clients announced")
            }
            guard count <= UInt64(Limits.maxStateVectorEntries) else {
                throw reader.error(.tooLarge, "state vector of \(count) entries")
            }
            var clients: [ClientID: UInt64] = [:]
            for _ in 0..<count {
                let client = try reader.varUint()
                let clock = try reader.varUint()
                if clock > 0 { clients[client] = clock }
            }
            try reader.expectEnd()
            return clients
        }
    }

    /// The encoding of Yjs: clients in descending order.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.varUint(UInt64(clients.count))
        for (client, clock) in clients.sorted(by: { $0.key > $1.key }) {
            writer.varUint(client)
            writer.varUint(clock)
        }
        return writer.bytes
    }

    /// Whether every clock of `other` is reached.
    public func covers(_ other: StateVector) -> Bool {
        other.clients.allSatisfy { self[$0.key] >= $0.value }
    }

    /// Raises each clock to that of `other`.
    public mutating func merge(_ other: StateVector) {
        for (client, clock) in other.clients where clock > self[client] { clients[client] = clock }
    }
}
