/// Decodes v1 updates (yjs `readClientsStructRefs` and `readDeleteSet`) into records.
struct UpdateDecoder {
    var reader: ByteReader
    var assembly: UpdateAssembly
    var limits: UpdateLimits { assembly.limits }
    /// Payloads to put in the place of those that Yjs would write differently.
    var rewrites: [(record: Int, payload: [UInt8])] = []
    /// Whether the bytes are this engine's own (`UpdateBuilder.Form.own`).
    private let isOwn: Bool
    /// Whether there was a value that v1 cannot say.
    private var isBeyondV1 = false

    private init(_ buffer: UnsafeBufferPointer<UInt8>, _ limits: UpdateLimits, isOwn: Bool) {
        self.isOwn = isOwn
        reader = ByteReader(buffer)
        assembly = UpdateAssembly(limits: limits)
    }

    static func decode(
        _ bytes: [UInt8], limits: UpdateLimits, isOwn: Bool = false
    ) throws(UpdateError) -> Update {
        guard bytes.count <= limits.maxBytes else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "update of \(bytes.count) bytes")
        }
        return try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var decoder = UpdateDecoder(buffer, limits, isOwn: isOwn)
            try decoder.structs()
            let deletes = try DeleteRanges.read(&decoder.reader, isV2: false, limits: limits)
            try decoder.reader.expectEnd()
            return decoder.finish(bytes, deletes)
        }
    }

    private mutating func finish(_ bytes: [UInt8], _ deletes: [Update.ClientRange]) -> Update {
        var storage = bytes
        for (record, payload) in rewrites {
            assembly.replacePayload(of: record, start: storage.count, length: payload.count)
            storage.append(contentsOf: payload)
        }
        return assembly.update(
            storage: storage, encodedCount: bytes.count, isV1: !isBeyondV1, deletes: deletes)
    }

    // MARK: Structs

    private mutating func structs() throws(UpdateError) {
        let groupCount = try reader.varUint()
        // A group takes three bytes at least, a struct two.
        guard groupCount <= UInt64(reader.remaining / 3) + 1 else {
            throw reader.error(.malformed, "\(groupCount) clients announced")
        }
        for _ in 0..<groupCount {
            let structCount = try reader.varUint()
            guard structCount <= UInt64(reader.remaining) else {
                throw reader.error(.malformed, "\(structCount) structs announced")
            }
            guard structCount <= UInt64(max(0, limits.maxStructs - assembly.records.count)) else {
                throw reader.error(.tooLarge, "too many structs")
            }
            let client = try assembly.client(try reader.varUint(), at: reader.place)
            var clock = try assembly.clock(try reader.varUint(), at: reader.place)
            try assembly.beginGroup(client, structs: structCount, at: reader.place)
            for _ in 0..<structCount { clock = try record(client, clock) }
            assembly.endGroup()
        }
    }

    /// Reads one struct and gives the clock behind it.
    private mutating func record(_ client: UInt32, _ clock: UInt32) throws(UpdateError) -> UInt32 {
        let info = try reader.byte()
        guard let kind = ContentKind(rawValue: info & 0x1f) else {
            throw reader.error(.malformed, "unknown struct kind \(info & 0x1f)")
        }
        var record = StructRecord(kind: kind, client: client, clock: clock)
        let length: UInt64
        if kind == .gc || kind == .skip {
            guard info == kind.rawValue else { throw reader.error(.malformed, "flags on a GC or Skip") }
            length = try reader.varUint()
        } else {
            try neighbours(info, &record)
            length = try content(&record)
        }
        return try assembly.append(record, length: length, at: reader.place)
    }

    @inline(__always)
    private mutating func neighbours(_ info: UInt8, _ record: inout StructRecord) throws(UpdateError) {
        record.hasSubFlag = info & 0x20 != 0
        if info & 0x80 != 0 {
            record.setOrigin(try reference(record))
        }
        if info & 0x40 != 0 {
            record.setRightOrigin(try reference(record))
        }
        if info & 0xc0 == 0 { try parent(&record) }
    }

    private mutating func parent(_ record: inout StructRecord) throws(UpdateError) {
        if try reader.varUint() == 1 {
            let (start, length) = try key()
            try assembly.countRoot(reader.slice(start, length), at: reader.place)
            record.setRoot(start: start, length: length)
        } else {
            record.setParent(try reference(record))
        }
        if record.hasSubFlag {
            let (start, length) = try key()
            record.setKey(start: start, length: length)
        }
    }

    @inline(__always)
    private mutating func reference(_ record: StructRecord) throws(UpdateError) -> (
        client: UInt32, clock: UInt32
    ) {
        let client = try reader.varUint()
        return try assembly.reference(
            client, try reader.varUint(), from: record.client, record.clock, at: reader.place)
    }

    /// Passes over a value that is no JSON text, where there may be such.
    mutating func passesAny() throws(UpdateError) -> Bool {
        guard isOwn, reader.remaining > 0, try reader.peek() == PayloadValue.isAny else { return false }
        isBeyondV1 = true
        try reader.skip(1)
        _ = try reader.skipAny(depth: Limits.maxValueNesting)
        return true
    }

    mutating func key() throws(UpdateError) -> (start: Int, length: Int) {
        let (start, length, _) = try reader.string()
        try assembly.checkKey(length, at: reader.place)
        return (start, length)
    }
}
