/// Values as they lie in the arena: one behind the other, in the form of the wire. They were checked when
/// they were decoded, so reading them cannot fail; should it, reading stops.
enum WireValues {
    /// Byte offset of the value with that index.
    static func offset(of index: Int, in bytes: UnsafeBufferPointer<UInt8>, kind: ContentKind) -> Int {
        var reader = ByteReader(bytes)
        do throws(UpdateError) {
            for _ in 0..<index { try skip(&reader, kind) }
        } catch {
            return bytes.count
        }
        return reader.offset
    }

    private static func skip(_ reader: inout ByteReader, _ kind: ContentKind) throws(UpdateError) {
        if kind == .any {
            try reader.passAny()
        } else {
            try reader.skip(try reader.length())
        }
    }

    /// The values of an `any` or `json` run.
    static func values(_ bytes: UnsafeBufferPointer<UInt8>, kind: ContentKind) -> [Value] {
        var reader = ByteReader(bytes)
        var values: [Value] = []
        do throws(UpdateError) {
            while reader.remaining > 0 {
                if kind == .any {
                    values.append(try reader.any(depth: Limits.maxValueNesting))
                } else {
                    values.append(json(try reader.string(), reader))
                }
            }
        } catch {
            return values
        }
        return values
    }

    /// The last value of a run, which is the value of a map key.
    static func last(_ bytes: UnsafeBufferPointer<UInt8>, kind: ContentKind) -> Value {
        values(bytes, kind: kind).last ?? .undefined
    }

    /// The value of an embed.
    static func embed(_ bytes: UnsafeBufferPointer<UInt8>) -> Value {
        var reader = ByteReader(bytes)
        do throws(UpdateError) { return try PayloadValue.read(&reader) } catch { return .undefined }
    }

    /// Key and value of a format marker.
    static func format(_ bytes: UnsafeBufferPointer<UInt8>) -> (key: String, value: Value) {
        var reader = ByteReader(bytes)
        do throws(UpdateError) {
            let (start, length, _) = try reader.string()
            let key = String(decoding: reader.slice(start, length), as: UTF8.self)
            return (key, try PayloadValue.read(&reader))
        } catch {
            return ("", .null)
        }
    }

    /// Bytes of a binary content.
    static func binary(_ bytes: UnsafeBufferPointer<UInt8>) -> Value {
        var reader = ByteReader(bytes)
        do throws(UpdateError) {
            let length = try reader.length()
            return .bytes(Array(reader.slice(reader.offset, length)))
        } catch {
            return .undefined
        }
    }

    /// The guid of a subdocument.
    static func guid(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        var reader = ByteReader(bytes)
        do throws(UpdateError) {
            let (start, length, _) = try reader.string()
            return String(decoding: reader.slice(start, length), as: UTF8.self)
        } catch {
            return ""
        }
    }

    /// The value of a JSON text as Yjs writes it: `undefined` is no JSON.
    static func json(_ text: (start: Int, bytes: Int, units: Int), _ reader: ByteReader) -> Value {
        let bytes = Array(reader.slice(text.start, text.bytes))
        if bytes.elementsEqual("undefined".utf8) { return .undefined }
        return JSONParser.parse(utf8: bytes, maxNesting: Limits.maxValueNesting)?.value ?? .undefined
    }
}

extension ByteReader {
    /// Passes over a value that was checked before, without looking into strings.
    fileprivate mutating func passAny() throws(UpdateError) {
        var open: UInt64 = 1
        // Elements still to pass, over all levels: object keys are strings before each value, so objects
        // recurse.
        while open > 0 {
            open -= 1
            switch try byte() {
            case 127, 126, 121, 120: break
            case 125: _ = try varInt()
            case 124: try skip(4)
            case 123, 122: try skip(8)
            case 119, 116: try skip(try length())
            case 117: open += try varUint()
            case 118:
                for _ in 0..<(try varUint()) {
                    try skip(try length())
                    try passAny()
                }
            default: throw error(.malformed, "unknown value tag")
            }
        }
    }
}
