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
        let longForms = reader.longForms
        var isCanonical = true
        for _ in 0..<count {
            let one =
                record.kind == .any
                ? try reader.skipAny(depth: limits.maxNesting) : try json(isLegacy: true)
            isCanonical = one && isCanonical
        }
        record.payloadStart = UInt32(start)
        record.payloadLength = UInt32(reader.offset - start)
        if !isCanonical || reader.longForms != longForms {
            let payload =
                record.kind == .any ? try rewrittenValues(start, count) : try rewrittenJSON(start, count)
            rewrites.append((records.count, payload))
        }
        return count
    }

    private mutating func single(_ record: inout StructRecord) throws(UpdateError) {
        let start = reader.offset
        let longForms = reader.longForms
        let isCanonical = try passSingle(&record)
        if !isCanonical || reader.longForms != longForms {
            rewrites.append((records.count, try rewrittenSingle(record, start)))
        }
    }

    /// Checks a content of one unit; gives whether its values are coded as Yjs codes them.
    private mutating func passSingle(_ record: inout StructRecord) throws(UpdateError) -> Bool {
        switch record.kind {
        case .binary:
            try reader.skip(try reader.length())
            return true
        case .embed:
            return try json()
        case .format:
            _ = try key()
            return try json()
        case .type:
            let ref = try reader.varUint()
            guard ref <= 6 else { throw reader.error(.malformed, "unknown type reference \(ref)") }
            record.typeRef = UInt8(ref)
            if ref == 3 || ref == 5 { _ = try key() }
            return true
        case .document:
            _ = try key()
            let start = reader.offset
            _ = try reader.skipAny(depth: limits.maxNesting)
            return reader.slice(start, reader.offset - start).elementsEqual(try subdocumentOptions(start))
        default:
            throw reader.error(.malformed, "unexpected struct kind")
        }
    }

    /// A content of one unit from `start` on, as Yjs would write it again.
    private func rewrittenSingle(_ record: StructRecord, _ start: Int) throws(UpdateError) -> [UInt8] {
        var source = ByteReader(reader.slice(0, reader.offset))
        try source.skip(start)
        var writer = ByteWriter()
        func copyString() throws(UpdateError) {
            let (text, length, _) = try source.string()
            writer.varBytes(Array(source.slice(text, length)))
        }
        switch record.kind {
        case .binary:
            let length = try source.length()
            writer.varBytes(Array(source.slice(source.offset, length)))
        case .format:
            try copyString()
            writer.raw(try rewrittenJSON(source.offset, 1))
        case .type:
            writer.varUint(try source.varUint())
            if record.typeRef == 3 || record.typeRef == 5 { try copyString() }
        case .document:
            try copyString()
            writer.raw(try subdocumentOptions(source.offset))
        default:
            writer.raw(try rewrittenJSON(start, 1))
        }
        return writer.bytes
    }

    /// Checks one JSON text; true when it is as JSON.stringify writes it.
    /// - Parameter isLegacy: whether it is JSON content, which knows the word `undefined` as well.
    private mutating func json(isLegacy: Bool = false) throws(UpdateError) -> Bool {
        let (start, length, _) = try reader.string()
        let text = Array(reader.slice(start, length))
        if isLegacy && text.elementsEqual("undefined".utf8) { return true }
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
        guard given != .undefined, given != .null else {
            throw source.error(.malformed, "subdocument without options")
        }
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
