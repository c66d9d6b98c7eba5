import CRDT
import Testing

/// The whole state as bytes: kept while nothing changes, and the same as if it were made anew.
@Suite struct EncodedStateTests {
    /// The state as a document gives it that never encoded before.
    private static func fresh(_ document: Document, gc: Bool) throws -> (v1: [UInt8], v2: [UInt8]) {
        let first = Document(clientID: 1, gc: gc)
        try first.applyUpdate(document.encodeStateAsUpdate())
        return (first.encodeStateAsUpdate(), first.encodeStateAsUpdateV2())
    }

    /// A struct that is known is not taken, but what it refers to is cut, and with it a pair of surrogates.
    @Test func aCutPairIsEncodedAnew() throws {
        let document = Document(clientID: 7)
        let text = "010103000401017404f09f9880"
        try document.applyUpdate(bytes("0102" + text.dropFirst(4) + "84030101" + "78" + "00"))
        let before = document.encodeStateAsUpdate()
        #expect(try Self.fresh(document, gc: true).v1 == before)
        try document.applyUpdate(bytes("01010302" + "84030001" + "7800"))
        #expect(document.text("t") == "\u{fffd}\u{fffd}x")
        #expect(document.encodeStateAsUpdate() != before)
        #expect(try Self.fresh(document, gc: true).v1 == document.encodeStateAsUpdate())
    }

    @Test func statesFollowEveryChange() throws {
        for round in 0..<4 * testScale {
            let seed = testSeed &+ UInt64(round)
            var random = SeededRandom(seed)
            let gc = round % 2 == 0
            let document = Document(clientID: 7, gc: gc)
            let text = try document.getText("t")
            let note = rerun(seed, "EncodedStateTests")
            var last: [UInt8] = []
            for _ in 0..<300 {
                let length = text.length
                if random.below(3) > 0 || length == 0 {
                    try text.insert(["x", "ab", "😀"][random.below(3)], at: random.below(length + 1))
                } else {
                    let place = random.below(length)
                    try text.delete(at: place, length: 1 + random.below(min(5, length - place)))
                }
                let v1 = document.encodeStateAsUpdate()
                let v2 = document.encodeStateAsUpdateV2()
                try #require(v1 != last, "\(note)")
                last = v1
                #expect(document.encodeStateAsUpdate() == v1)
                #expect(document.encodeStateAsUpdateV2() == v2)
                let copy = try Self.fresh(document, gc: gc)
                try #require(copy.v1 == v1 && copy.v2 == v2, "\(note)")
                // A text has no map keys, whose flags the byte-level conversion loses.
                try #require(try Update(decodingV1: v1).encodedV2() == v2, "\(note)")
            }
        }
    }

    /// A state asked for by an observer, before the transaction's blocks are joined, is not what stays.
    @Test func statesOfObserversAreNotKept() throws {
        let document = Document(clientID: 7)
        let text = try document.getText("t")
        var seen: [UInt8] = []
        _ = text.observe { _ in seen = document.encodeStateAsUpdate() }
        try text.insert("a", at: 0)
        try text.insert("b", at: 1)
        let state = document.encodeStateAsUpdate()
        let copy = try Self.fresh(document, gc: true)
        #expect(state == copy.v1)
        #expect(seen.count > state.count)
        #expect(document.encodeStateAsUpdateV2() == copy.v2)
    }

    /// What is pending is part of the state and changes it without a struct taking effect.
    @Test func pendingPartsAreNotKept() throws {
        let document = Document(clientID: 7)
        try document.getText("t").insert("abc", at: 0)
        let whole = document.encodeStateAsUpdate()
        let wholeV2 = document.encodeStateAsUpdateV2()
        try document.applyUpdate(PlainScan.Insertion.deletion(ID(client: 9, clock: 0)))
        #expect(document.hasPending)
        #expect(document.encodeStateAsUpdate() != whole)
        #expect(document.encodeStateAsUpdateV2() != wholeV2)
        try document.applyUpdate(PlainScan.Insertion(client: 9, clock: 0, text: "z").update())
        #expect(!document.hasPending)
        #expect(document.encodeStateAsUpdate() == (try Self.fresh(document, gc: true)).v1)
    }

    @Test func keptStatesCountAsMemory() throws {
        let document = Document(clientID: 7)
        try document.getText("t").insert(String(repeating: "long ", count: 1000), at: 0)
        let before = document.byteSize
        let state = document.encodeStateAsUpdate()
        #expect(document.byteSize >= before + state.count)
        try document.getText("t").insert("x", at: 0)
        #expect(document.byteSize < before + 1000)
    }
}
