/// The content of a struct: checked, measured and left where it is in the update's bytes.
extension UpdateDecoder {
    /// Reads the content, notes its place and gives its length in clock units.
    mutating func content(_ record: inout StructRecord) throws(UpdateError) -> UInt64 {
        switch record.kind {
        case .deleted:
            return try reader.varUint()
        case .string:
            let (start, length, units) = try reader.string()
            record.payloadStart = UInt32(start)
            record.payloadLength = UInt32(length)
            return UInt64(units)
        case .json, .any:
            return try values(&record)
        default:
            let start = reader.offset
            try single(&record)
            record.payloadStart = UInt32(start)
            record.payloadLength = UInt32(reader.offset - start)
            return 1
        }
    }

    private mutating func values(_ record: inout StructRecord) throws(UpdateError) -> UInt64 {
        let count = try reader.varUint()
        guard count <= UInt64(reader.remaining) else {
            throw reader.error(.malformed, "\(count) values announced")
        }
        let start = reader.offset
        var canonical = true
        for _ in 0..<count {
            let one = record.kind == .any ? try reader.skipAny(depth: limits.maxNesting) : try json()
            canonical = one && canonical
        }
        record.payloadStart = UInt32(start)
        record.payloadLength = UInt32(reader.offset - start)
        if !canonical {
            let payload =
                record.kind == .any ? try rewrittenValues(start, count) : try rewrittenJSON(start, count)
            rewrites.append((records.count, payload))
        }
        return count
    }

    private mutating func single(_ record: inout StructRecord) throws(UpdateError) {
        let start = reader.offset
        switch record.kind {
        case .binary:
            try reader.skip(try reader.length())
        case .embed:
            if !(try json()) { rewrites.append((records.count, try rewrittenJSON(start, 1))) }
        case .format:
            _ = try key()
            let value = reader.offset
            if !(try json()) {
                let key = Array(reader.slice(start, value - start))
                rewrites.append((records.count, key + (try rewrittenJSON(value, 1))))
            }
        case .type:
            let ref = try reader.varUint()
            guard ref <= 6 else { throw reader.error(.malformed, "unknown type reference \(ref)") }
            record.typeRef = UInt8(ref)
            if ref == 3 || ref == 5 { _ = try key() }
        case .document:
            _ = try key()
            let value = reader.offset
            _ = try reader.skipAny(depth: limits.maxNesting)
            let options = try subdocumentOptions(value)
            if !reader.slice(value, reader.offset - value).elementsEqual(options) {
                rewrites.append((records.count, Array(reader.slice(start, value - start)) + options))
            }
        default:
            throw reader.error(.malformed, "unexpected struct kind")
        }
    }

    /// Checks one JSON text; true when it is as JSON.stringify writes it. The legacy JSON content knows the
    /// word `undefined`.
    private mutating func json() throws(UpdateError) -> Bool {
        let (start, length, _) = try reader.string()
        let text = Array(reader.slice(start, length))
        if text.elementsEqual("undefined".utf8) { return true }
        guard let (value, isLossy) = JSONParser.parse(utf8: text, maxNesting: limits.maxNesting) else {
            throw reader.error(.malformed, "content is not JSON")
        }
        if isLossy { return true }
        var written: [UInt8] = []
        JSONWriter.write(value, into: &written, depth: Limits.maxValueNesting)
        return written == text
    }

    /// The options of a subdocument as Yjs would write them again: those that differ from the defaults.
    private func subdocumentOptions(_ start: Int) throws(UpdateError) -> [UInt8] {
        var source = ByteReader(reader.slice(0, reader.offset))
        try source.skip(start)
        let given = try source.any(depth: limits.maxNesting)
        var options: [Value.Entry] = []
        if let gc = given["gc"], gc != .undefined, !gc.isTruthy { options.append(Value.Entry("gc", false)) }
        if let load = given["autoLoad"], load.isTruthy { options.append(Value.Entry("autoLoad", true)) }
        if let meta = given["meta"], meta != .undefined, meta != .null {
            options.append(Value.Entry("meta", meta))
        }
        var writer = ByteWriter()
        writer.any(.object(options))
        return writer.bytes
    }

    /// `count` values from `start` on, as Yjs would write them again.
    private func rewrittenValues(_ start: Int, _ count: UInt64) throws(UpdateError) -> [UInt8] {
        var source = ByteReader(reader.slice(0, reader.offset))
        try source.skip(start)
        var writer = ByteWriter()
        for _ in 0..<count { writer.any(try source.any(depth: limits.maxNesting)) }
        return writer.bytes
    }

    /// `count` JSON strings from `start` on, as Yjs would write them again.
    private func rewrittenJSON(_ start: Int, _ count: UInt64) throws(UpdateError) -> [UInt8] {
        var source = ByteReader(reader.slice(0, reader.offset))
        try source.skip(start)
        var writer = ByteWriter()
        for _ in 0..<count {
            let (textStart, length, _) = try source.string()
            let text = Array(source.slice(textStart, length))
            var written = text
            if let (value, isLossy) = JSONParser.parse(utf8: text, maxNesting: limits.maxNesting), !isLossy {
                written.removeAll()
                JSONWriter.write(value, into: &written, depth: Limits.maxValueNesting)
            }
            writer.varBytes(written)
        }
        return writer.bytes
    }
}
