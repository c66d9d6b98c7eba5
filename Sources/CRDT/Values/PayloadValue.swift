/// Values of embeds and format items as they lie in payloads.
///
/// v1 has them as JSON and v2 as `any`, which can say more: undefined, numbers that are not finite, minus zero,
/// integers of 64 bits, bytes. Where JSON says it all the payload is the string of v1. Where it does not it is a
/// zero, which is the length of no JSON text, and the value as `any`: so that v2 gives back what it was given.
enum PayloadValue {
    static let isAny: UInt8 = 0

    /// Reads a value that was checked when it was decoded.
    static func read(_ reader: inout ByteReader) throws(UpdateError) -> Value {
        let text = try reader.string()
        guard text.bytes > 0 else { return try reader.any(depth: Limits.maxValueNesting) }
        return WireValues.json(text, reader)
    }

    /// A payload as v1 has it; nil when it is that already.
    static func v1Form(_ kind: ContentKind, _ payload: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard kind == .embed || kind == .format else { return nil }
        var reader = ByteReader(payload)
        var writer = ByteWriter()
        // The payload was checked when it was decoded, so nothing is thrown here.
        do throws(UpdateError) {
            if kind == .format {
                let (start, length, _) = try reader.string()
                writer.varBytes(reader.slice(start, length))
            }
            let isAny = reader.remaining > 0 && payload[reader.offset] == Self.isAny
            guard isAny else { return nil }
            writer.string(try read(&reader).withoutBigIntegers.json)
        } catch {
            return nil
        }
        return writer.bytes
    }
}

extension Value {
    /// Whether JSON gives the value back as it is.
    var survivesJSON: Bool {
        switch self {
        case .null, .bool, .string: true
        case .number(let number): number.isFinite && !(number == 0 && number.sign == .minus)
        case .undefined, .bigint, .bytes: false
        case .array(let values): values.allSatisfy(\.survivesJSON)
        case .object(let entries): entries.allSatisfy(\.value.survivesJSON)
        }
    }
}

extension Value {
    /// The value with every integer of 64 bits as the number that a reader of JSON takes its digits for, so that v1
    /// says the same however often it is read and written. (`JSON.stringify` has no answer to such integers.)
    var withoutBigIntegers: Value {
        switch self {
        case .bigint(let integer): .number(Double(integer))
        case .array(let values): .array(values.map(\.withoutBigIntegers))
        case .object(let entries):
            .object(entries.map { Entry($0.key, $0.value.withoutBigIntegers) } as [Entry])
        case .undefined, .null, .bool, .number, .string, .bytes: self
        }
    }

    /// At least the number of bytes of the value as JSON, where a scalar takes 32 at most, a byte of text, escaped,
    /// six, and a byte of binary data, which is a member with an index, 20.
    var mostJSONBytes: Int {
        let most = (scalar: 32, unit: 6, byte: 20)
        switch self {
        case .undefined, .null, .bool, .number, .bigint: return most.scalar
        case .string(let text): return text.utf8.count * most.unit + most.scalar
        case .bytes(let bytes): return bytes.count * most.byte + most.scalar
        case .array(let values): return values.reduce(most.scalar) { $0 + $1.mostJSONBytes }
        case .object(let entries):
            return entries.reduce(most.scalar) {
                $0 + $1.key.utf8.count * most.unit + most.scalar + $1.value.mostJSONBytes
            }
        }
    }
}

extension ByteWriter {
    /// Writes the value of an embed or format item into a payload.
    mutating func payloadValue(_ value: Value) {
        if value.survivesJSON { return string(value.json) }
        byte(PayloadValue.isAny)
        any(value)
    }
}
