/// The whole state as it was last encoded, for as long as nothing changes.
struct EncodedState {
    private var changes: UInt64 = 0
    private var first: [UInt8]?
    private var second: [UInt8]?

    /// Memory in bytes.
    var byteSize: Int { (first?.count ?? 0) + (second?.count ?? 0) }

    func v1(at changes: UInt64) -> [UInt8]? { self.changes == changes ? first : nil }

    func v2(at changes: UInt64) -> [UInt8]? { self.changes == changes ? second : nil }

    mutating func set(v1 bytes: [UInt8], at changes: UInt64) {
        forget(unless: changes)
        first = bytes
    }

    mutating func set(v2 bytes: [UInt8], at changes: UInt64) {
        forget(unless: changes)
        second = bytes
    }

    /// Drops what belongs to another number of changes than this.
    @inline(__always)
    mutating func forget(unless changes: UInt64) {
        if self.changes == changes { return }
        self.changes = changes
        first = nil
        second = nil
    }
}
