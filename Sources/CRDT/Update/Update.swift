/// A decoded update. It was validated on its own and holds no reference to a document: applying it to any
/// document cannot fail on the format.
public struct Update: Sendable {
    /// A run of clocks of one client: `from` included, `to` excluded.
    public struct ClientRange: Sendable, Hashable {
        public var client: ClientID
        public var from: UInt64
        public var to: UInt64

        public init(client: ClientID, from: UInt64, to: UInt64) {
            self.client = client
            self.from = from
            self.to = to
        }
    }

    /// The structs of one client: a run of `records`.
    struct Group: BitwiseCopyable {
        var client: UInt32
        var start: Int
        var end: Int
    }

    /// The encoded update, then the payloads that do not lie in it as Yjs would write them in v1.
    let storage: [UInt8]
    let encodedCount: Int
    /// Whether `storage` begins with the update in v1.
    let isV1: Bool
    /// Client ids named by the records.
    let clientTable: [ClientID]
    let records: [StructRecord]
    /// One entry a client, in the order of the update.
    let groups: [Group]
    /// The delete set as it was written.
    public let deletes: [ClientRange]
    /// Whether a byte-level function made the update, so that its map key flags are as that leaves them: on an
    /// item without origins that was cut Yjs keeps it, on others with an origin it does not.
    var hasFinalFlags = false

    init(
        storage: [UInt8], encodedCount: Int, isV1: Bool, clientTable: [ClientID], records: [StructRecord],
        groups: [Group], deletes: [ClientRange]
    ) {
        self.storage = storage
        self.encodedCount = encodedCount
        self.isV1 = isV1
        self.clientTable = clientTable
        self.records = records
        self.groups = groups
        self.deletes = deletes
    }

    /// Decodes and validates. Refuses what Yjs could not apply either (it would throw half-way) and
    /// everything over `limits`. Memory taken is bounded by a small multiple of `bytes`.
    public init(decodingV1 bytes: [UInt8], limits: UpdateLimits = .standard) throws(UpdateError) {
        self = try UpdateDecoder.decode(bytes, limits: limits)
    }

    /// The update in v1: the bytes it was decoded from, or, when those were v2, the same structs and deletions
    /// written anew, O(n).
    public var bytes: [UInt8] {
        guard isV1 else { return UpdateBuilder.bytes(of: self) }
        return storage.count == encodedCount ? storage : Array(storage[..<encodedCount])
    }

    /// Number of bytes this update was decoded from.
    public var byteCount: Int { encodedCount }

    /// At least the number of bytes that the update takes in v1. O(1).
    var v1Bound: Int {
        isV1
            ? encodedCount
            : storage.count + records.count * Self.mostStructBytes + deletes.count * Self.mostRangeBytes
    }

    /// Most bytes of a struct in v1 besides its payload and names: two ids of 8 and 5 bytes, info, lengths; its
    /// share of what heads a group.
    private static let mostStructBytes = 64
    /// Most bytes of a deleted range in v1, with its client.
    private static let mostRangeBytes = 24

    /// Whether the update has neither structs (Skips aside) nor deletions.
    public var isEmpty: Bool { deletes.isEmpty && records.allSatisfy { $0.kind == .skip } }

    /// Number of structs, Skips included.
    public var structCount: Int { records.count }

    /// What the update brings of each client, adjacent structs joined, Skips left out, in the update's order.
    public var ranges: [ClientRange] {
        var ranges: [ClientRange] = []
        for group in groups {
            let client = clientTable[Int(group.client)]
            for record in records[group.start..<group.end] where record.kind != .skip {
                if let last = ranges.last, last.client == client, last.to == UInt64(record.clock) {
                    ranges[ranges.count - 1].to = UInt64(record.end)
                } else {
                    let range = ClientRange(
                        client: client, from: UInt64(record.clock), to: UInt64(record.end))
                    ranges.append(range)
                }
            }
        }
        return ranges
    }

    /// First clock and end of what the update says of each client, gaps included, in the update's order (yjs
    /// `parseUpdateMeta`). O(clients).
    public var meta: [ClientRange] {
        groups.compactMap { group in
            guard group.start < group.end else { return nil }
            return ClientRange(
                client: clientTable[Int(group.client)], from: UInt64(records[group.start].clock),
                to: UInt64(records[group.end - 1].end))
        }
    }
}
