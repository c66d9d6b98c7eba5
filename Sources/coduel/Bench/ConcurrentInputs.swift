import CRDT

/// The edits of B2, the same in every language: xorshift32 from a fixed seed.
struct ConcurrentInputs {
    private struct Random {
        var state: UInt32

        mutating func below(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return Int(state % UInt32(bound))
        }

        mutating func word(_ low: Int, _ high: Int) -> String {
            let length = low + below(high - low + 1)
            return String(decoding: (0..<length).map { _ in UInt8(97 + below(26)) }, as: UTF8.self)
        }
    }

    /// What both clients begin with.
    let initial: String
    /// The patches of each of the two clients.
    let patches: [[EditingTrace.Patch]]

    enum Case: String, CaseIterable {
        /// One insertion of N characters.
        case oneInsertion = "b2.1"
        /// N characters.
        case characters = "b2.2"
        /// N words.
        case words = "b2.3"
        /// N words, each followed by another one or a deletion.
        case insertionsAndDeletions = "b2.4"
    }

    init(_ kind: Case, n: Int) {
        var random = Random(state: UInt32(truncatingIfNeeded: 12345 + n))
        let initial = random.word(100, 100)
        self.initial = initial
        patches = (0..<2).map { _ in Self.patches(kind, n, initial.utf8.count, &random) }
    }

    private static func patches(
        _ kind: Case, _ n: Int, _ initial: Int, _ random: inout Random
    ) -> [EditingTrace.Patch] {
        if kind == .oneInsertion {
            return [EditingTrace.Patch(position: 0, deleted: 0, inserted: random.word(n, n))]
        }
        var length = initial
        var out: [EditingTrace.Patch] = []
        func insert(_ text: String, _ position: Int) {
            out.append(EditingTrace.Patch(position: position, deleted: 0, inserted: text))
            length += text.utf8.count
        }
        for _ in 0..<n {
            let position = random.below(length)
            insert(kind == .characters ? random.word(1, 1) : random.word(3, 9), position)
            guard kind == .insertionsAndDeletions else { continue }
            if random.below(2) == 0 {
                insert(random.word(2, 10), position)
            } else {
                let deleted = 1 + random.below(min(8, length - position))
                out.append(EditingTrace.Patch(position: position, deleted: deleted, inserted: ""))
                length -= deleted
            }
        }
        return out
    }
}
