/// What the two formats of updates do with the parts of structs and deletions (yjs `UpdateEncoderV1`,
/// `UpdateEncoderV2`), so that one walk over a document writes either.
protocol UpdateWriter: DeletionWriter, ~Copyable {
    /// Begins the structs of so many clients.
    mutating func begin(clients: Int)
    /// Begins the structs of one client.
    mutating func begin(_ client: ClientID, structs: Int, clock: UInt32)
    mutating func info(_ value: UInt8)
    mutating func origin(_ client: ClientID, _ clock: UInt32)
    mutating func rightOrigin(_ client: ClientID, _ clock: UInt32)
    mutating func parent(root name: [UInt8])
    mutating func parent(item client: ClientID, _ clock: UInt32)
    mutating func mapKey(_ name: [UInt8])
    /// The length of a struct without content, or the number of its values.
    mutating func length(_ value: UInt32)
    /// Text of so many UTF-16 units.
    mutating func text(_ bytes: UnsafeBufferPointer<UInt8>, units: Int)
    /// Values of kind `any`, as on the wire.
    mutating func values(_ bytes: UnsafeBufferPointer<UInt8>)
    mutating func type(_ kind: TypeKind, name: [UInt8]?)
    /// Other content, as it lies in payloads: in the form of v1, but for values beyond JSON (`PayloadValue`).
    mutating func content(_ kind: ContentKind, _ bytes: UnsafeBufferPointer<UInt8>)
}

/// Writes v1, in which everything stands in its place.
struct UpdateWriterV1: UpdateWriter, ~Copyable {
    private(set) var out: OutputBuffer

    init(capacity: Int) { out = OutputBuffer(capacity: capacity) }

    var bytes: [UInt8] { out.bytes }

    @inline(__always)
    mutating func begin(clients: Int) { out.varUint(UInt64(clients)) }

    @inline(__always)
    mutating func begin(_ client: ClientID, structs: Int, clock: UInt32) {
        out.varUint(UInt64(structs))
        out.varUint(client)
        out.varUint(clock)
    }

    @inline(__always)
    mutating func info(_ value: UInt8) { out.byte(value) }

    @inline(__always)
    mutating func origin(_ client: ClientID, _ clock: UInt32) {
        out.varUint(client)
        out.varUint(clock)
    }

    @inline(__always)
    mutating func rightOrigin(_ client: ClientID, _ clock: UInt32) { origin(client, clock) }

    mutating func parent(root name: [UInt8]) {
        out.byte(1)
        out.varBytes(name)
    }

    mutating func parent(item client: ClientID, _ clock: UInt32) {
        out.byte(0)
        origin(client, clock)
    }

    mutating func mapKey(_ name: [UInt8]) { out.varBytes(name) }

    @inline(__always)
    mutating func length(_ value: UInt32) { out.varUint(value) }

    @inline(__always)
    mutating func text(_ bytes: UnsafeBufferPointer<UInt8>, units: Int) { out.varBytes(bytes) }

    mutating func values(_ bytes: UnsafeBufferPointer<UInt8>) { out.raw(bytes) }

    mutating func type(_ kind: TypeKind, name: [UInt8]?) {
        out.byte(kind.rawValue)
        if let name { out.varBytes(name) }
    }

    mutating func content(_ kind: ContentKind, _ bytes: UnsafeBufferPointer<UInt8>) {
        if let other = PayloadValue.v1Form(kind, bytes) {
            other.withUnsafeBufferPointer { out.raw($0) }
        } else {
            out.raw(bytes)
        }
    }

    @inline(__always)
    mutating func beginDeletions(clients: Int) { out.varUint(UInt64(clients)) }

    @inline(__always)
    mutating func beginDeletions(_ client: ClientID, ranges: Int) {
        out.varUint(client)
        out.varUint(UInt64(ranges))
    }

    @inline(__always)
    mutating func deletion(from: UInt64, to: UInt64) {
        out.varUint(from)
        out.varUint(to - from)
    }
}
