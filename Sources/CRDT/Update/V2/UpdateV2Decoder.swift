/// Reads a v2 update and writes the same structs as v1, which is then decoded and checked like any other. A
/// few bytes of a v2 update can stand for any number of structs, so their number is bounded by the bytes.
struct UpdateV2Decoder {
    /// Structs that any update may have; see `UpdateLimits.maxStructsPerByte`.
    private static let freeStructs: UInt64 = 10_000

    private var keyClocks: RunLengthDifferences
    private var clients: RunLengthUnsigned
    private var leftClocks: RunLengthDifferences
    private var rightClocks: RunLengthDifferences
    private var infos: RunLengthBytes
    private var strings: StringColumn
    private var parentInfos: RunLengthBytes
    private var typeRefs: RunLengthUnsigned
    private var lengths: RunLengthUnsigned
    private var rest: ByteReader
    private let limits: UpdateLimits
    private var keys: [[UInt8]] = []
    private var structsLeft: UInt64

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
        self.limits = limits
        let (more, isBeyond) = UInt64(buffer.count).multipliedReportingOverflow(
            by: UInt64(max(0, limits.maxStructsPerByte)))
        let bound = isBeyond || more > Limits.maxSafeInteger ? Limits.maxSafeInteger : Self.freeStructs + more
        structsLeft = min(UInt64(max(0, limits.maxStructs)), bound)
    }

    /// The v1 form of a v2 update.
    static func v1(of bytes: [UInt8], limits: UpdateLimits) throws(UpdateError) -> [UInt8] {
        guard bytes.count <= limits.maxBytes else {
            throw UpdateError(code: .tooLarge, offset: 0, message: "update of \(bytes.count) bytes")
        }
        return try bytes.withUnsafeBufferPointer { buffer throws(UpdateError) in
            var decoder = try UpdateV2Decoder(buffer, limits)
            var out = OutputBuffer(capacity: 2 * buffer.count)
            _ = try decoder.structs(to: &out)
            try decoder.deleteSet(to: &out)
            try decoder.rest.expectEnd()
            return out.bytes
        }
    }

    /// Where a v2 update says what its v1 form says at `offset`: the struct's place in the info column, or
    /// the end where it is no struct.
    static func place(ofV1 offset: Int, in bytes: [UInt8], limits: UpdateLimits) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            do throws(UpdateError) {
                var decoder = try UpdateV2Decoder(buffer, limits)
                var out = OutputBuffer(capacity: 2 * buffer.count)
                return try decoder.structs(to: &out, until: offset) ?? decoder.rest.place
            } catch {
                return error.offset
            }
        }
    }

    /// `until` is a length of the v1 form: gives the place of the struct that reaches it, and stops.
    private mutating func structs(
        to out: inout OutputBuffer, until end: Int = .max
    ) throws(UpdateError) -> Int? {
        let groups = try rest.varUint()
        guard groups <= UInt64(rest.remaining) else {
            throw rest.error(.malformed, "\(groups) clients announced")
        }
        out.varUint(groups)
        for _ in 0..<groups {
            let count = try rest.varUint()
            guard count <= structsLeft else { throw rest.error(.tooLarge, "\(count) structs announced") }
            structsLeft -= count
            out.varUint(count)
            out.varUint(try clients.next())
            out.varUint(try rest.varUint())
            for _ in 0..<count {
                let place = infos.reader.place
                try record(to: &out)
                if out.count > end { return place }
                guard out.count <= limits.maxBytes else {
                    throw rest.error(.tooLarge, "update too large")
                }
            }
        }
        return nil
    }

    private mutating func record(to out: inout OutputBuffer) throws(UpdateError) {
        let info = try infos.next()
        out.byte(info)
        guard let kind = ContentKind(rawValue: info & 0x1f) else {
            throw rest.error(.malformed, "unknown struct kind \(info & 0x1f)")
        }
        if kind == .gc { return out.varUint(try lengths.next()) }
        if kind == .skip { return out.varUint(try rest.varUint()) }
        if info & 0x80 != 0 {
            out.varUint(try clients.next())
            out.varUint(try leftClocks.next())
        }
        if info & 0x40 != 0 {
            out.varUint(try clients.next())
            out.varUint(try rightClocks.next())
        }
        if info & 0xc0 == 0 {
            if try parentInfos.next() == 1 {
                out.byte(1)
                try string(to: &out)
            } else {
                out.byte(0)
                out.varUint(try clients.next())
                out.varUint(try leftClocks.next())
            }
            if info & 0x20 != 0 { try string(to: &out) }
        }
        try content(kind, to: &out)
    }

    private mutating func string(to out: inout OutputBuffer) throws(UpdateError) {
        let text = try strings.next()
        out.varUint(UInt64(text.count))
        out.raw(text)
    }

    /// A key is sent once and may be named by number again.
    private mutating func key(to out: inout OutputBuffer) throws(UpdateError) {
        let clock = try keyClocks.next()
        if clock >= UInt64(keys.count) { keys.append(Array(try strings.next())) }
        out.varBytes(clock < UInt64(keys.count) ? keys[Int(clock)] : keys[keys.count - 1])
    }

    private mutating func any(to out: inout OutputBuffer) throws(UpdateError) {
        let start = rest.offset
        _ = try rest.skipAny(depth: limits.maxNesting)
        out.raw(rest.slice(start, rest.offset - start))
    }

    /// Embeds and format values are values here and JSON in v1.
    private mutating func json(to out: inout OutputBuffer) throws(UpdateError) {
        out.varBytes(Array(try rest.any(depth: limits.maxNesting).json.utf8))
    }

    private mutating func content(_ kind: ContentKind, to out: inout OutputBuffer) throws(UpdateError) {
        switch kind {
        case .deleted: out.varUint(try lengths.next())
        case .json, .any:
            let count = try lengths.next()
            out.varUint(count)
            // A value of `any` takes a byte of its own; strings may be empty, so their number is bounded too.
            guard count <= UInt64(kind == .any ? rest.remaining : limits.maxStructs) else {
                throw rest.error(.malformed, "\(count) values announced")
            }
            for _ in 0..<count {
                if kind == .any { try any(to: &out) } else { try string(to: &out) }
            }
        case .binary:
            let length = try rest.length()
            out.varUint(UInt64(length))
            out.raw(rest.slice(rest.offset, length))
            try rest.skip(length)
        case .string: try string(to: &out)
        case .embed: try json(to: &out)
        case .format:
            try key(to: &out)
            try json(to: &out)
        case .type:
            let ref = try typeRefs.next()
            out.varUint(ref)
            if ref == 3 || ref == 5 { try key(to: &out) }
        case .document:
            try string(to: &out)
            try any(to: &out)
        case .gc, .skip: break
        }
    }

    private mutating func deleteSet(to out: inout OutputBuffer) throws(UpdateError) {
        let clientCount = try rest.varUint()
        out.varUint(clientCount)
        guard clientCount <= UInt64(rest.remaining) else {
            throw rest.error(.malformed, "delete set of \(clientCount) clients")
        }
        for _ in 0..<clientCount {
            out.varUint(try rest.varUint())
            let count = try rest.varUint()
            guard count <= UInt64(rest.remaining) else {
                throw rest.error(.malformed, "\(count) deletions announced")
            }
            out.varUint(count)
            var clock: UInt64 = 0
            for _ in 0..<count {
                let start = clock + (try rest.varUint())
                let length = try rest.varUint() + 1
                clock = start + length
                guard clock <= Limits.maxSafeInteger else {
                    throw rest.error(.tooLarge, "deletion at clock \(start)")
                }
                out.varUint(start)
                out.varUint(length)
            }
        }
    }
}

extension Update {
    /// Decodes a v2 update. The rules and limits of v1 hold for what it says; `bytes` is its v1 form.
    public init(decodingV2 bytes: [UInt8], limits: UpdateLimits = .standard) throws(UpdateError) {
        let v1 = try UpdateV2Decoder.v1(of: bytes, limits: limits)
        do throws(UpdateError) { self = try Update(decodingV1: v1, limits: limits) } catch {
            throw UpdateError(
                code: error.code,
                offset: UpdateV2Decoder.place(ofV1: error.offset, in: bytes, limits: limits),
                message: error.message)
        }
    }
}
