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
            rewrites.append((assembly.records.count, payload))
        }
        return count
    }

    private mutating func single(_ record: inout StructRecord) throws(UpdateError) {
        let start = reader.offset
        let longForms = reader.longForms
        let isCanonical = try passSingle(&record)
        if !isCanonical || reader.longForms != longForms {
            rewrites.append((assembly.records.count, try rewrittenSingle(record, start)))
        }
    }

    /// Checks a content of one unit; gives whether its values are coded as Yjs codes them.
    private mutating func passSingle(_ record: inout StructRecord) throws(UpdateError) -> Bool {
        switch record.kind {
        case .binary:
            try reader.skip(try reader.length())
            return true
        case .embed:
            return try passesAny() ? true : try json()
        case .format:
            _ = try key()
            return try passesAny() ? true : try json()
        case .type:
            let ref = try reader.varUint()
            guard ref <= 6 else { throw reader.error(.malformed, "unknown type reference \(ref)") }
            record.typeRef = UInt8(ref)
            if ref == 3 || ref == 5 { _ = try key() }
            return true
        case .document:
            _ = try key()
            let start = reader.offset
            let options = try SubdocumentOptions.read(&reader, depth: limits.maxNesting)
            return reader.slice(start, reader.offset - start).elementsEqual(options)
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
            writer.raw(try SubdocumentOptions.read(&source, depth: limits.maxNesting))
        default:
            writer.raw(try rewrittenJSON(start, 1))
        }
        return writer.bytes
    }

    /// Checks one JSON text; true when it is as JSON.stringify writes it.
    private mutating func json(isLegacy: Bool = false) throws(UpdateError) -> Bool {
        let (start, length, _) = try reader.string()
        let text = Array(reader.slice(start, length))
        guard
            let written = JSONContent.rewritten(text, maxNesting: limits.maxNesting, isLegacy: isLegacy)
        else { throw reader.error(.malformed, "content is not JSON") }
        return written == text
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
            let written = JSONContent.rewritten(text, maxNesting: limits.maxNesting, isLegacy: true)
            writer.varBytes(written ?? text)
        }
        return writer.bytes
    }
}

/// JSON texts in contents.
enum JSONContent {
    /// The text as JSON.stringify would write its value again; nil when it is no JSON.
    /// - Parameter isLegacy: whether it is JSON content, which knows the word `undefined` as well.
    static func rewritten(_ text: [UInt8], maxNesting: Int, isLegacy: Bool) -> [UInt8]? {
        if isLegacy && text.elementsEqual("undefined".utf8) { return text }
        guard let (value, isLossy) = JSONParser.parse(utf8: text, maxNesting: maxNesting) else { return nil }
        if isLossy { return text }
        var written: [UInt8] = []
        JSONWriter.write(value, into: &written, depth: Limits.maxValueNesting)
        return written
    }
}

enum SubdocumentOptions {
    /// Reads the options of a subdocument and gives them as Yjs would write them again: those that differ from
    /// the defaults.
    static func read(_ reader: inout ByteReader, depth: Int) throws(UpdateError) -> [UInt8] {
        let given = try reader.any(depth: depth)
        guard given != .undefined, given != .null else {
            throw reader.error(.malformed, "subdocument without options")
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
}
