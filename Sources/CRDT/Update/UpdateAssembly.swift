/// What the decoders of both formats put together: clients, structs in their groups, and the caps on them.
struct UpdateAssembly {
    let limits: UpdateLimits
    private(set) var clientTable: [ClientID] = []
    private var clientIndex: [ClientID: UInt32] = [:]
    private var lastClient: UInt32 = 0
    private(set) var records: [StructRecord] = []
    private var groups: [Update.Group] = []
    /// Clients that have a group, looked at only where there is more than one.
    private var owners = Set<UInt32>()
    private var rootNames = Set<[UInt8]>()
    private var lastRoot: [UInt8]?
    private var growth: UInt64 = 0

    /// Above this many clients the table is searched by hash.
    private static let linearClients = 8
    /// Room is made at once for at most so many records; what is announced need not be there.
    private static let reservedRecords = 1 << 16

    init(limits: UpdateLimits) { self.limits = limits }

    /// The update of which all was taken in.
    func update(
        storage: [UInt8], encodedCount: Int, isV1: Bool, deletes: [Update.ClientRange]
    ) -> Update {
        Update(
            storage: storage, encodedCount: encodedCount, isV1: isV1, clientTable: clientTable,
            records: records, groups: groups, deletes: deletes)
    }

    // MARK: Clients and clocks

    /// The place in the table of a client named at `place` of the update.
    @inline(__always)
    mutating func client(_ id: ClientID, at place: Int) throws(UpdateError) -> UInt32 {
        if Int(lastClient) < clientTable.count, clientTable[Int(lastClient)] == id { return lastClient }
        return try otherClient(id, at: place)
    }

    private mutating func otherClient(_ id: ClientID, at place: Int) throws(UpdateError) -> UInt32 {
        if clientTable.count <= Self.linearClients {
            for (index, known) in clientTable.enumerated() where known == id {
                lastClient = UInt32(index)
                return lastClient
            }
        } else if let known = clientIndex[id] {
            lastClient = known
            return known
        }
        guard clientTable.count < limits.maxClients else {
            throw UpdateError(code: .tooLarge, offset: place, message: "too many clients")
        }
        lastClient = UInt32(clientTable.count)
        clientTable.append(id)
        if clientTable.count == Self.linearClients + 1 {
            for (index, known) in clientTable.enumerated() { clientIndex[known] = UInt32(index) }
        } else if clientTable.count > Self.linearClients {
            clientIndex[id] = lastClient
        }
        return lastClient
    }

    @inline(__always)
    func clock(_ value: UInt64, at place: Int) throws(UpdateError) -> UInt32 {
        guard value <= Limits.maxClock else {
            throw UpdateError(code: .tooLarge, offset: place, message: "clock \(value)")
        }
        return UInt32(truncatingIfNeeded: value)
    }

    /// An id that a struct of `owner` beginning at `own` refers to. One of the same client must lie before it:
    /// Yjs fails half-way otherwise.
    @inline(__always)
    mutating func reference(
        _ id: ClientID, _ clock: UInt64, from owner: UInt32, _ own: UInt32, at place: Int
    ) throws(UpdateError) -> (client: UInt32, clock: UInt32) {
        let client = try client(id, at: place)
        let clock = try self.clock(clock, at: place)
        if client == owner && clock >= own {
            throw UpdateError(
                code: .malformed, offset: place,
                message: "struct refers to itself or a later one of its client")
        }
        return (client, clock)
    }

    // MARK: Structs

    /// Begins the structs of a client, of which `count` are announced.
    mutating func beginGroup(_ client: UInt32, structs count: UInt64, at place: Int) throws(UpdateError) {
        if !groups.isEmpty {
            if owners.isEmpty { owners.insert(groups[0].client) }
            guard owners.insert(client).inserted else {
                throw UpdateError(
                    code: .malformed, offset: place, message: "client \(clientTable[Int(client)]) twice")
            }
        }
        if count > UInt64(Self.worthReserving), records.isEmpty {
            records.reserveCapacity(Int(min(count, UInt64(Self.reservedRecords))))
        }
        groups.append(Update.Group(client: client, start: records.count, end: records.count))
    }

    /// Groups of fewer structs grow as they come.
    private static let worthReserving = 16

    mutating func endGroup() { groups[groups.count - 1].end = records.count }

    /// Takes a struct of that length in and gives the clock behind it.
    @inline(__always)
    mutating func append(
        _ record: StructRecord, length: UInt64, at place: Int
    ) throws(UpdateError) -> UInt32 {
        guard length > 0 else {
            throw UpdateError(code: .malformed, offset: place, message: "struct of no length")
        }
        // A Skip is a gap and fills no clocks.
        if record.kind != .skip { growth &+= length }
        guard length <= Limits.maxClock, growth <= limits.maxClockGrowth,
            UInt64(record.clock) + length <= Limits.maxClock
        else {
            throw UpdateError(code: .tooLarge, offset: place, message: "clocks grow by \(length)")
        }
        var record = record
        record.length = UInt32(truncatingIfNeeded: length)
        records.append(record)
        return record.clock &+ record.length
    }

    /// Points a struct to another payload.
    mutating func replacePayload(of record: Int, start: Int, length: Int) {
        records[record].payloadStart = UInt32(start)
        records[record].payloadLength = UInt32(length)
    }

    // MARK: Names

    func checkKey(_ length: Int, at place: Int) throws(UpdateError) {
        guard length <= limits.maxKeyBytes else {
            throw UpdateError(code: .tooLarge, offset: place, message: "name of \(length) bytes")
        }
    }

    mutating func countRoot(_ name: UnsafeBufferPointer<UInt8>, at place: Int) throws(UpdateError) {
        if let last = lastRoot, last.elementsEqual(name) { return }
        let name = Array(name)
        lastRoot = name
        if rootNames.insert(name).inserted, rootNames.count > limits.maxRoots {
            throw UpdateError(code: .tooLarge, offset: place, message: "too many root types")
        }
    }
}
