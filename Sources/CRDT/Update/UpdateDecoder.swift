/// Decodes v1 updates (yjs `readClientsStructRefs` and `readDeleteSet`) into records.
struct UpdateDecoder {
    var reader: ByteReader
    let limits: UpdateLimits
    private var clientTable: [ClientID] = []
    private var clientIndex: [ClientID: UInt32] = [:]
    private var lastClient: UInt32 = 0
    var records: [StructRecord] = []
    private var groups: [Update.Group] = []
    private var rootNames = Set<[UInt8]>()
    private var lastRoot: (start: Int, length: Int)?
    private var growth: UInt64 = 0
    /// Payloads to put in the place of those that Yjs would write differently.
    var rewrites: [(record: Int, payload: [UInt8])] = []

    /// Above this many clients the table is searched by hash.
    private static let linearClients = 8

    private init(_ buffer: UnsafeBufferPointer<UInt8>, _ limits: UpdateLimits) {
        reader = ByteReader(buffer)
        self.limits = limits
    }

    static func decode(_ bytes: [UInt8], limits: UpdateLimits) throws(UpdateError) -> Update {
        guard bytes.count <= limits.maxBytes else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "update of \(bytes.count) bytes")
        }
        return try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var decoder = UpdateDecoder(buffer, limits)
            try decoder.structs()
            let deletes = try DeleteRanges.read(&decoder.reader, isV2: false, limits: limits)
            try decoder.reader.expectEnd()
            return decoder.finish(bytes, deletes)
        }
    }

    private mutating func finish(_ bytes: [UInt8], _ deletes: [Update.ClientRange]) -> Update {
        var storage = bytes
        for (record, payload) in rewrites {
            records[record].payloadStart = UInt32(storage.count)
            records[record].payloadLength = UInt32(payload.count)
            storage.append(contentsOf: payload)
        }
        return Update(
            storage: storage, encodedCount: bytes.count, clientTable: clientTable, records: records,
            groups: groups, deletes: deletes)
    }

    // MARK: Clients and clocks

    private mutating func client() throws(UpdateError) -> UInt32 {
        let id = try reader.varUint()
        if Int(lastClient) < clientTable.count, clientTable[Int(lastClient)] == id { return lastClient }
        if clientTable.count <= Self.linearClients {
            for (index, known) in clientTable.enumerated() where known == id {
                lastClient = UInt32(index)
                return lastClient
            }
        } else if let known = clientIndex[id] {
            lastClient = known
            return known
        }
        guard clientTable.count < limits.maxClients else { throw reader.error(.tooLarge, "too many clients") }
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
    private mutating func clock() throws(UpdateError) -> UInt32 {
        let value = try reader.varUint()
        guard value <= Limits.maxClock else { throw reader.error(.tooLarge, "clock \(value)") }
        return UInt32(truncatingIfNeeded: value)
    }

    // MARK: Structs

    private mutating func structs() throws(UpdateError) {
        let groupCount = try reader.varUint()
        // A group takes three bytes at least, a struct two.
        guard groupCount <= UInt64(reader.remaining / 3) + 1 else {
            throw reader.error(.malformed, "\(groupCount) clients announced")
        }
        var seen = Set<UInt32>()
        for _ in 0..<groupCount {
            let structCount = try reader.varUint()
            guard structCount <= UInt64(reader.remaining) else {
                throw reader.error(.malformed, "\(structCount) structs announced")
            }
            guard structCount <= UInt64(max(0, limits.maxStructs - records.count)) else {
                throw reader.error(.tooLarge, "too many structs")
            }
            let client = try client()
            var clock = try clock()
            if groupCount > 1, !seen.insert(client).inserted {
                throw reader.error(.malformed, "client \(clientTable[Int(client)]) twice")
            }
            let start = records.count
            for _ in 0..<structCount {
                try record(client, clock)
                clock = records.last?.end ?? clock
            }
            groups.append(Update.Group(client: client, start: start, end: records.count))
        }
    }

    private mutating func record(_ client: UInt32, _ clock: UInt32) throws(UpdateError) {
        let info = try reader.byte()
        guard let kind = ContentKind(rawValue: info & 0x1f) else {
            throw reader.error(.malformed, "unknown struct kind \(info & 0x1f)")
        }
        var record = StructRecord(kind: kind, client: client, clock: clock, length: 0)
        let length: UInt64
        if kind == .gc || kind == .skip {
            guard info == kind.rawValue else { throw reader.error(.malformed, "flags on a GC or Skip") }
            length = try reader.varUint()
        } else {
            try neighbours(info, &record)
            length = try content(&record)
        }
        guard length > 0 else { throw reader.error(.malformed, "struct of no length") }
        // A Skip is a gap and fills no clocks.
        if kind != .skip { growth += length }
        guard growth <= limits.maxClockGrowth, UInt64(clock) + length <= Limits.maxClock else {
            throw reader.error(.tooLarge, "clocks grow by \(length)")
        }
        record.length = UInt32(length)
        records.append(record)
    }

    private mutating func neighbours(_ info: UInt8, _ record: inout StructRecord) throws(UpdateError) {
        record.hasSubFlag = info & 0x20 != 0
        if info & 0x80 != 0 {
            (record.originClient, record.originClock) = try reference(record)
        }
        if info & 0x40 != 0 {
            (record.rightClient, record.rightClock) = try reference(record)
        }
        guard info & 0xc0 == 0 else { return }
        if try reader.varUint() == 1 {
            let (start, length) = try key()
            try countRoot(start, length)
            record.nameStart = UInt32(start)
            record.nameLength = UInt32(length)
        } else {
            (record.parentClient, record.parentClock) = try reference(record)
        }
        if record.hasSubFlag {
            let (start, length) = try key()
            record.subStart = UInt32(start)
            record.subLength = UInt32(length)
        }
    }

    /// An id that a struct refers to. One of its own client must lie before it: Yjs fails half-way otherwise.
    private mutating func reference(_ record: StructRecord) throws(UpdateError) -> (UInt32, UInt32) {
        let client = try client()
        let clock = try clock()
        if client == record.client && clock >= record.clock {
            throw reader.error(.malformed, "struct refers to itself or a later one of its client")
        }
        return (client, clock)
    }

    mutating func key() throws(UpdateError) -> (start: Int, length: Int) {
        let (start, length, _) = try reader.string()
        guard length <= limits.maxKeyBytes else { throw reader.error(.tooLarge, "name of \(length) bytes") }
        return (start, length)
    }

    private mutating func countRoot(_ start: Int, _ length: Int) throws(UpdateError) {
        let name = reader.slice(start, length)
        if let last = lastRoot, last.length == length, reader.slice(last.start, length).elementsEqual(name) {
            return
        }
        lastRoot = (start, length)
        if rootNames.insert(Array(name)).inserted, rootNames.count > limits.maxRoots {
            throw reader.error(.tooLarge, "too many root types")
        }
    }
}
