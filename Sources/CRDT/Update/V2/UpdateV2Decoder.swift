/// Decodes v2 updates (yjs `UpdateDecoderV2`) from their columns into records. A few bytes of a v2 update can
/// stand for any number of structs, so their number is bounded by the bytes.
struct UpdateV2Decoder {
    /// Structs that any update may have; see `UpdateLimits.maxStructsPerByte`.
    private static let freeStructs: UInt64 = 10_000

    private var clients: RunLengthUnsigned
    private var leftClocks: RunLengthDifferences
    private var rightClocks: RunLengthDifferences
    var infos: RunLengthBytes
    private var parentInfos: RunLengthBytes
    var keyClocks: RunLengthDifferences
    var strings: StringColumn
    var typeRefs: RunLengthUnsigned
    var lengths: RunLengthUnsigned
    /// What has no column, the delete set last.
    var rest: ByteReader
    private var assembly: UpdateAssembly
    private var structsLeft: UInt64
    /// Keys that may be named by number: places in the text of `strings`.
    var keys: [StringColumn.Part] = []
    /// Payloads that do not lie in the update as v1 has them; they are put behind its bytes.
    var tail = PayloadTail()
    var limits: UpdateLimits { assembly.limits }

    private init(_ buffer: UnsafeBufferPointer<UInt8>, _ limits: UpdateLimits) throws(UpdateError) {
        var reader = ByteReader(buffer)
        guard try reader.varUint() == 0 else { throw reader.error(.unsupported, "unknown feature flag") }
        func column(_ reader: inout ByteReader) throws(UpdateError) -> ByteReader {
            let length = try reader.length()
            let start = reader.offset
            try reader.skip(length)
            return ByteReader(reader.slice(start, length), origin: start)
        }
        keyClocks = RunLengthDifferences(try column(&reader))
        clients = RunLengthUnsigned(try column(&reader))
        leftClocks = RunLengthDifferences(try column(&reader))
        rightClocks = RunLengthDifferences(try column(&reader))
        infos = RunLengthBytes(try column(&reader))
        strings = try StringColumn(try column(&reader))
        parentInfos = RunLengthBytes(try column(&reader))
        typeRefs = RunLengthUnsigned(try column(&reader))
        lengths = RunLengthUnsigned(try column(&reader))
        rest = reader
        assembly = UpdateAssembly(limits: limits)
        tail = PayloadTail(start: buffer.count, limit: limits.maxBytes)
        let (more, isBeyond) = UInt64(buffer.count).multipliedReportingOverflow(
            by: UInt64(max(0, limits.maxStructsPerByte)))
        let bound = isBeyond || more > Limits.maxSafeInteger ? Limits.maxSafeInteger : Self.freeStructs + more
        structsLeft = min(UInt64(max(0, limits.maxStructs)), bound)
    }

    static func decode(_ bytes: [UInt8], limits: UpdateLimits) throws(UpdateError) -> Update {
        guard bytes.count <= limits.maxBytes else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "update of \(bytes.count) bytes")
        }
        return try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var decoder = try UpdateV2Decoder(buffer, limits)
            try decoder.structs()
            let deletes = try DeleteRanges.read(&decoder.rest, isV2: true, limits: limits)
            try decoder.rest.expectEnd()
            return try decoder.finish(bytes, deletes)
        }
    }

    private func finish(_ bytes: [UInt8], _ deletes: [Update.ClientRange]) throws(UpdateError) -> Update {
        let update = assembly.update(
            storage: tail.bytes.isEmpty ? bytes : bytes + tail.bytes, encodedCount: bytes.count, isV1: false,
            deletes: deletes)
        // What the update would take in v1 is bounded like an update in v1.
        guard update.v1Bound + tail.jsonBytes <= limits.maxBytes || update.bytes.count <= limits.maxBytes
        else {
            throw rest.error(.tooLarge, "update too large")
        }
        return update
    }

    // MARK: Structs

    private mutating func structs() throws(UpdateError) {
        let groupCount = try rest.varUint()
        guard groupCount <= UInt64(rest.remaining) else {
            throw rest.error(.malformed, "\(groupCount) clients announced")
        }
        for _ in 0..<groupCount {
            let structCount = try rest.varUint()
            guard structCount <= structsLeft else {
                throw rest.error(.tooLarge, "\(structCount) structs announced")
            }
            structsLeft -= structCount
            let client = try assembly.client(try clients.next(), at: clients.place)
            var clock = try assembly.clock(try rest.varUint(), at: rest.place)
            try assembly.beginGroup(client, structs: structCount, at: rest.place)
            for _ in 0..<structCount { clock = try record(client, clock) }
            assembly.endGroup()
        }
    }

    /// Reads one struct and gives the clock behind it.
    @inline(__always)
    private mutating func record(_ client: UInt32, _ clock: UInt32) throws(UpdateError) -> UInt32 {
        let info = try infos.next()
        guard let kind = ContentKind(rawValue: info & 0x1f) else {
            throw infos.error(.malformed, "unknown struct kind \(info & 0x1f)")
        }
        var record = StructRecord(kind: kind, client: client, clock: clock)
        let length: UInt64
        if kind == .gc || kind == .skip {
            guard info == kind.rawValue else { throw infos.error(.malformed, "flags on a GC or Skip") }
            length = kind == .gc ? try lengths.next() : try rest.varUint()
        } else {
            record.hasSubFlag = info & 0x20 != 0
            if info & 0x80 != 0 {
                record.setOrigin(try left(record))
            }
            if info & 0x40 != 0 {
                record.setRightOrigin(
                    try assembly.reference(
                        try clients.next(), try rightClocks.next(), from: client, clock, at: rightClocks.place
                    ))
            }
            if info & 0xc0 == 0 { try parent(&record) }
            length = try kind == .string ? text(&record) : content(&record)
        }
        return try assembly.append(record, length: length, at: infos.place)
    }

    @inline(__always)
    private mutating func left(_ record: StructRecord) throws(UpdateError) -> (client: UInt32, clock: UInt32)
    {
        try assembly.reference(
            try clients.next(), try leftClocks.next(), from: record.client, record.clock, at: leftClocks.place
        )
    }

    private mutating func parent(_ record: inout StructRecord) throws(UpdateError) {
        if try parentInfos.next() == 1 {
            let name = try key()
            try assembly.countRoot(strings.bytes(name), at: strings.place(of: name))
            record.setRoot(start: strings.place(of: name), length: name.length)
        } else {
            record.setParent(try left(record))
        }
        if record.hasSubFlag {
            let key = try key()
            record.setKey(start: strings.place(of: key), length: key.length)
        }
    }

    /// The next string, as the name of something.
    mutating func key() throws(UpdateError) -> StringColumn.Part {
        let name = try wholeString()
        try assembly.checkKey(name.length, at: strings.place(of: name))
        return name
    }

    /// The next string, which is no text and so has no halves of surrogate pairs.
    mutating func wholeString() throws(UpdateError) -> StringColumn.Part {
        let part = try strings.next()
        guard !part.hasHalves else {
            throw UpdateError(
                code: .malformed, offset: strings.place(of: part), message: "name ends within a character")
        }
        return part
    }

    @inline(__always)
    private mutating func text(_ record: inout StructRecord) throws(UpdateError) -> UInt64 {
        let part = try strings.next()
        if part.hasHalves { return try cutText(part, &record) }
        record.payloadStart = UInt32(truncatingIfNeeded: strings.place(of: part))
        record.payloadLength = UInt32(truncatingIfNeeded: part.length)
        return part.units
    }
}

extension Update {
    /// Decodes a v2 update. The rules and limits of v1 hold for what it says; `bytes` is its v1 form.
    public init(decodingV2 bytes: [UInt8], limits: UpdateLimits = .standard) throws(UpdateError) {
        self = try UpdateV2Decoder.decode(bytes, limits: limits)
    }
}
