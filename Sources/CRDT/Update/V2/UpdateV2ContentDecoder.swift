/// Payloads in their form of v1, put behind the bytes of an update that has them in another.
struct PayloadTail {
    private(set) var bytes: [UInt8] = []
    /// Bytes that v1 takes at most for values that lie here in another form.
    private(set) var jsonBytes = 0
    private let start: Int
    private let limit: Int

    init(start: Int = 0, limit: Int = 0) {
        self.start = start
        self.limit = limit
    }

    /// Takes a payload in and lets the struct point to it. The few bytes by which a key is named again can
    /// stand for all of it, so the sum is bounded.
    mutating func append(
        _ payload: ByteWriter, for record: inout StructRecord, at place: Int
    ) throws(UpdateError) {
        try check(payload.bytes.count, at: place)
        record.payloadStart = UInt32(start + bytes.count)
        record.payloadLength = UInt32(payload.bytes.count)
        bytes.append(contentsOf: payload.bytes)
    }

    /// Counts what a value takes in v1 too: JSON has many digits for a byte.
    mutating func count(json value: Value, at place: Int) throws(UpdateError) {
        let most = value.mostJSONBytes
        try check(most, at: place)
        jsonBytes += most
    }

    private func check(_ more: Int, at place: Int) throws(UpdateError) {
        guard more <= limit - bytes.count - jsonBytes else {
            throw UpdateError(code: .tooLarge, offset: place, message: "update too large")
        }
    }
}

/// Contents other than text: values stay where they are, everything whose parts lie in several columns is put
/// together in the tail.
extension UpdateV2Decoder {
    /// Reads the content, notes its place and gives its length in clock units.
    mutating func content(_ record: inout StructRecord) throws(UpdateError) -> UInt64 {
        switch record.kind {
        case .deleted: return try lengths.next()
        case .any: return try values(&record)
        case .json: return try legacyValues(&record)
        case .binary: try binary(&record)
        default: try composed(&record)
        }
        return 1
    }

    /// Text that begins or ends within a surrogate pair, with U+FFFD there, as v1 has it.
    mutating func cutText(
        _ part: StringColumn.Part, _ record: inout StructRecord
    ) throws(UpdateError) -> UInt64 {
        let (a, b, c) = UTF8Text.replacement
        var payload = ByteWriter()
        if part.beginsWithHalf { payload.raw([a, b, c]) }
        payload.raw(strings.bytes(part))
        if part.endsWithHalf { payload.raw([a, b, c]) }
        try tail.append(payload, for: &record, at: strings.place(of: part))
        return part.units
    }

    private mutating func values(_ record: inout StructRecord) throws(UpdateError) -> UInt64 {
        let count = try lengths.next()
        guard count <= UInt64(rest.remaining) else {
            throw lengths.error(.malformed, "\(count) values announced")
        }
        let (start, longForms) = (rest.offset, rest.longForms)
        var isCanonical = true
        for _ in 0..<count { isCanonical = try rest.skipAny(depth: limits.maxNesting) && isCanonical }
        if isCanonical, rest.longForms == longForms {
            record.payloadStart = UInt32(start)
            record.payloadLength = UInt32(rest.offset - start)
            return count
        }
        var source = ByteReader(rest.slice(0, rest.offset))
        try source.skip(start)
        var payload = ByteWriter()
        for _ in 0..<count { payload.any(try source.any(depth: limits.maxNesting)) }
        try tail.append(payload, for: &record, at: start)
        return count
    }

    /// Each value is a JSON text among the strings.
    private mutating func legacyValues(_ record: inout StructRecord) throws(UpdateError) -> UInt64 {
        let count = try lengths.next()
        // A text may be empty in its column, so its bytes do not bound their number.
        guard count <= UInt64(max(0, limits.maxStructs)) else {
            throw lengths.error(.malformed, "\(count) values announced")
        }
        var payload = ByteWriter()
        for _ in 0..<count {
            let part = try wholeString()
            let text = Array(strings.bytes(part))
            guard let written = JSONContent.rewritten(text, maxNesting: limits.maxNesting, isLegacy: true)
            else {
                throw UpdateError(
                    code: .malformed, offset: strings.place(of: part), message: "content is not JSON")
            }
            payload.varBytes(written)
        }
        try tail.append(payload, for: &record, at: lengths.place)
        return count
    }

    private mutating func binary(_ record: inout StructRecord) throws(UpdateError) {
        let (start, longForms) = (rest.offset, rest.longForms)
        let length = try rest.length()
        let contents = rest.slice(rest.offset, length)
        try rest.skip(length)
        if rest.longForms == longForms {
            record.payloadStart = UInt32(start)
            record.payloadLength = UInt32(rest.offset - start)
            return
        }
        var payload = ByteWriter()
        payload.varUint(UInt64(length))
        payload.raw(contents)
        try tail.append(payload, for: &record, at: start)
    }

    private mutating func composed(_ record: inout StructRecord) throws(UpdateError) {
        let start = rest.place
        var payload = ByteWriter()
        switch record.kind {
        case .embed: try value(to: &payload)
        case .format:
            payload.varBytes(try numberedKey())
            try value(to: &payload)
        case .type:
            let ref = try typeRefs.next()
            guard ref <= 6 else { throw typeRefs.error(.malformed, "unknown type reference \(ref)") }
            record.typeRef = UInt8(ref)
            payload.varUint(ref)
            if ref == 3 || ref == 5 { payload.varBytes(try numberedKey()) }
        case .document:
            payload.varBytes(strings.bytes(try key()))
            payload.raw(try SubdocumentOptions.read(&rest, depth: limits.maxNesting))
        default: throw infos.error(.malformed, "unexpected struct kind")
        }
        try tail.append(payload, for: &record, at: start)
    }

    /// A key is sent once and may be named by number again.
    private mutating func numberedKey() throws(UpdateError) -> UnsafeBufferPointer<UInt8> {
        let number = try keyClocks.next()
        if number >= UInt64(keys.count) {
            let key = try key()
            keys.append(key)
            return strings.bytes(key)
        }
        return strings.bytes(keys[Int(number)])
    }

    /// A value of an embed or a format.
    private mutating func value(to payload: inout ByteWriter) throws(UpdateError) {
        let value = try rest.any(depth: limits.maxNesting)
        if !value.survivesJSON { try tail.count(json: value, at: rest.place) }
        payload.payloadValue(value)
    }
}
