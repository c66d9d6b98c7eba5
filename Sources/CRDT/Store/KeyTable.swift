/// Names (map keys, root names) as small numbers. Names are compared as bytes: Swift's string equality would
/// take different spellings of a letter for one.
struct KeyTable {
    private(set) var names: [[UInt8]] = []
    private var index: [[UInt8]: UInt32] = [:]
    /// Approximate memory.
    private(set) var byteSize = 0

    func find(_ name: [UInt8]) -> UInt32? { index[name] }

    mutating func intern(_ name: [UInt8]) -> UInt32 {
        if let known = index[name] { return known }
        let next = UInt32(names.count)
        names.append(name)
        index[name] = next
        byteSize += 2 * name.count + 120
        return next
    }

    subscript(key: UInt32) -> [UInt8] { names[Int(key)] }

    func string(_ key: UInt32) -> String { String(decoding: names[Int(key)], as: UTF8.self) }
}
