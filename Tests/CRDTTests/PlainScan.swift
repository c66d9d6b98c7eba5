import CRDT

/// Insertions at one list, each of a run of units, and the order Yjs gives them: its scan over single units with
/// its two sets, word for word (`Item.integrate`), in time n for each insertion. What the engine is compared with.
struct PlainScan {
    struct Insertion {
        var client: ClientID
        var clock: UInt64
        var origin: ID?
        var right: ID?
        var text: String

        var end: UInt64 { clock + UInt64(text.utf8.count) }
    }

    struct Unit {
        var id: ID
        var origin: ID?
        var right: ID?
        var text: UInt8
        var isDeleted = false
    }

    private(set) var units: [Unit] = []
    /// Blocks passed by scans.
    private(set) var passed = 0

    var text: String { String(decoding: units.lazy.filter { !$0.isDeleted }.map(\.text), as: UTF8.self) }

    mutating func insert(_ insertion: Insertion) {
        var origin = insertion.origin
        for (offset, byte) in insertion.text.utf8.enumerated() {
            let id = ID(client: insertion.client, clock: insertion.clock + UInt64(offset))
            insert(Unit(id: id, origin: origin, right: insertion.right, text: byte))
            origin = id
        }
    }

    private mutating func insert(_ new: Unit) {
        let start = new.origin.flatMap(index(of:)).map { $0 + 1 } ?? 0
        let end = new.right.flatMap(index(of:)) ?? units.count
        var left = start
        var other = start
        var before = Set<ID>()
        var conflicting = Set<ID>()
        while other < units.count, other != end {
            passed += 1
            let it = units[other]
            before.insert(it.id)
            conflicting.insert(it.id)
            if it.origin == new.origin {
                if it.id.client < new.id.client {
                    left = other + 1
                    conflicting.removeAll()
                } else if it.right == new.right {
                    break
                }
            } else if let origin = it.origin, before.contains(origin) {
                if !conflicting.contains(origin) {
                    left = other + 1
                    conflicting.removeAll()
                }
            } else {
                break
            }
            other += 1
        }
        units.insert(new, at: left)
    }

    func index(of id: ID) -> Int? { units.firstIndex { $0.id == id } }

    mutating func delete(_ id: ID) {
        if let index = index(of: id) { units[index].isDeleted = true }
    }
}

extension PlainScan.Insertion {
    /// The insertion as a v1 update: a string in the root text `t`, or a value of key `k` of the root map `t`.
    func update(isKey: Bool = false) -> [UInt8] {
        var out: [UInt8] = [1, 1]
        Self.varUint(client, &out)
        Self.varUint(clock, &out)
        let isFirst = origin == nil && right == nil
        out.append(
            (isKey ? 8 : 4) | (origin == nil ? 0 : 0x80) | (right == nil ? 0 : 0x40)
                | (isKey && isFirst ? 0x20 : 0))
        for id in [origin, right] {
            guard let id else { continue }
            Self.varUint(id.client, &out)
            Self.varUint(id.clock, &out)
        }
        if isFirst { out += [1, 1, 0x74] + (isKey ? [1, 0x6b] : []) }
        if isKey { out += [1, 119] }
        Self.varUint(UInt64(text.utf8.count), &out)
        return out + Array(text.utf8) + [0]
    }

    static func deletion(_ id: ID, length: UInt64 = 1) -> [UInt8] {
        var out: [UInt8] = [0, 1]
        varUint(id.client, &out)
        out.append(1)
        varUint(id.clock, &out)
        varUint(length, &out)
        return out
    }

    private static func varUint(_ value: UInt64, _ out: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(rest))
    }
}
