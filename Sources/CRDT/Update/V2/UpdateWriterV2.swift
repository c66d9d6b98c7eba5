/// Writes v2 (yjs `UpdateEncoderV2`): the parts of structs go to columns, each with its own compression.
struct UpdateWriterV2: UpdateWriter, ~Copyable {
    private var keyClocks = RunLengthDifferencesWriter()
    private var clients = RunLengthUnsignedWriter()
    private var leftClocks = RunLengthDifferencesWriter()
    private var rightClocks = RunLengthDifferencesWriter()
    private var infos = RunLengthBytesWriter()
    private var strings: StringColumnWriter
    private var parentInfos = RunLengthBytesWriter()
    private var typeRefs = RunLengthUnsignedWriter()
    private var lengths = RunLengthUnsignedWriter()
    private var rest = DeletionWriterV2()
    private var keyCount: UInt64 = 0

    init(capacity: Int = 64) { strings = StringColumnWriter(capacity: capacity) }

    /// The update; nothing is written behind it.
    mutating func finish() -> [UInt8] {
        keyClocks.flush()
        clients.flush()
        leftClocks.flush()
        rightClocks.flush()
        typeRefs.flush()
        lengths.flush()
        strings.flush()
        var out = OutputBuffer(capacity: strings.count + rest.out.count + clients.out.count + 256)
        out.byte(0)
        out.varBytes(keyClocks.out)
        out.varBytes(clients.out)
        out.varBytes(leftClocks.out)
        out.varBytes(rightClocks.out)
        out.varBytes(infos.out)
        strings.write(to: &out)
        out.varBytes(parentInfos.out)
        out.varBytes(typeRefs.out)
        out.varBytes(lengths.out)
        out.raw(rest.out)
        return out.bytes
    }

    // MARK: Structs

    mutating func begin(clients: Int) { rest.out.varUint(UInt64(clients)) }

    mutating func begin(_ client: ClientID, structs: Int, clock: UInt32) {
        rest.out.varUint(UInt64(structs))
        clients.write(client)
        rest.out.varUint(clock)
    }

    @inline(__always)
    mutating func info(_ value: UInt8) { infos.write(value) }

    @inline(__always)
    mutating func origin(_ client: ClientID, _ clock: UInt32) {
        clients.write(client)
        leftClocks.write(UInt64(clock))
    }

    @inline(__always)
    mutating func rightOrigin(_ client: ClientID, _ clock: UInt32) {
        clients.write(client)
        rightClocks.write(UInt64(clock))
    }

    mutating func parent(root name: [UInt8]) {
        parentInfos.write(1)
        mapKey(name)
    }

    mutating func parent(item client: ClientID, _ clock: UInt32) {
        parentInfos.write(0)
        origin(client, clock)
    }

    mutating func mapKey(_ name: [UInt8]) { name.withUnsafeBufferPointer { strings.write($0) } }

    @inline(__always)
    mutating func length(_ value: UInt32) { lengths.write(UInt64(value)) }

    /// The length of a Skip, which has no column.
    mutating func skip(_ length: UInt32) { rest.out.varUint(length) }

    @inline(__always)
    mutating func text(_ bytes: UnsafeBufferPointer<UInt8>, units: Int) { strings.write(bytes, units: units) }

    // MARK: Contents

    mutating func values(_ bytes: UnsafeBufferPointer<UInt8>) { rest.out.raw(bytes) }

    mutating func type(_ kind: TypeKind, name: [UInt8]?) {
        typeRefs.write(UInt64(kind.rawValue))
        name?.withUnsafeBufferPointer { key($0) }
    }

    mutating func content(_ kind: ContentKind, _ bytes: UnsafeBufferPointer<UInt8>) {
        if kind == .binary { return rest.out.raw(bytes) }
        var reader = ByteReader(bytes)
        // The content was checked when it was decoded, so nothing is thrown here.
        do throws(UpdateError) { try coded(kind, &reader) } catch { return }
    }

    /// Contents whose parts go to different columns.
    private mutating func coded(_ kind: ContentKind, _ reader: inout ByteReader) throws(UpdateError) {
        switch kind {
        case .json:
            while reader.remaining > 0 { strings.write(try Self.string(&reader)) }
        case .embed:
            rest.out.any(WireValues.embed(reader.slice(0, reader.count)))
        case .format:
            key(try Self.string(&reader))
            rest.out.any(WireValues.format(reader.slice(0, reader.count)).value)
        case .type:
            typeRefs.write(try reader.varUint())
            if reader.remaining > 0 { key(try Self.string(&reader)) }
        case .document:
            strings.write(try Self.string(&reader))
            rest.out.raw(reader.slice(reader.offset, reader.remaining))
        default:
            return
        }
    }

    private static func string(_ reader: inout ByteReader) throws(UpdateError) -> UnsafeBufferPointer<UInt8> {
        let (start, length, _) = try reader.string()
        return reader.slice(start, length)
    }

    /// Yjs numbers each key anew, even one it has sent.
    private mutating func key(_ text: UnsafeBufferPointer<UInt8>) {
        keyClocks.write(keyCount)
        keyCount += 1
        strings.write(text)
    }

    // MARK: Deletions

    mutating func beginDeletions(clients: Int) { rest.beginDeletions(clients: clients) }

    mutating func beginDeletions(_ client: ClientID, ranges: Int) {
        rest.beginDeletions(client, ranges: ranges)
    }

    @inline(__always)
    mutating func deletion(from: UInt64, to: UInt64) { rest.deletion(from: from, to: to) }
}
