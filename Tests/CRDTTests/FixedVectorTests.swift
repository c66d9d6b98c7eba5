import CRDT
import TestSupport
import Testing

/// Short updates whose bytes were taken down from Yjs 13.5.43 and 13.6.31.
@Suite struct FixedVectorTests {
    private func document(_ updates: String..., gc: Bool = true) throws -> Document {
        let document = Document(clientID: 0xffff, gc: gc)
        for update in updates { try document.applyUpdate(bytes(update)) }
        return document
    }

    @Test func empty() throws {
        let document = try document("0000")
        #expect(hex(document.encodeStateAsUpdate()) == "0000")
        #expect(hex(document.encodeStateVector()) == "00")
    }

    @Test func textAndDeletion() throws {
        let text = "010101000401017402616200"
        #expect(try document(text).text("t") == "ab")
        #expect(hex(try document(text).encodeStateVector()) == "010102")
        let local = Document(clientID: 1)
        #expect(hex(try #require(try insert("ab", 0, local))) == text)
        let deletion = try local.edit { (edit) throws(EditError) in
            try edit.delete(at: 0, length: 1, in: SharedPath("t"))
        }
        let state = "01020100010101740184010001620101010001"
        #expect(hex(local.encodeStateAsUpdate()) == state)
        #expect(hex(try document(text, hex(try #require(deletion))).encodeStateAsUpdate()) == state)
    }

    private func insert(_ text: String, _ at: Int, _ document: Document) throws -> [UInt8]? {
        try document.edit { (edit) throws(EditError) in
            try edit.insertText(text, at: at, in: SharedPath("t"))
        }
    }

    @Test func mapSetTwice() throws {
        let updates = ["010102002801016d016b017d0100", "01010201a80200017d020102010001"]
        let state = "010202002101016d016b01a80200017d020102010001"
        #expect(hex(try document(updates[0], updates[1]).encodeStateAsUpdate()) == state)
        let merged = Update.merge(try updates.map { try Update(decodingV1: bytes($0)) })
        #expect(hex(merged.bytes) == "010202002801016d016b017d01880200017d020102010001")
        let local = Document(clientID: 2)
        for (value, expected) in zip([1, 2], updates) {
            let update = try local.edit { (edit) throws(EditError) in
                try edit.set("k", to: .integer(value), in: SharedPath("m"))
            }
            #expect(hex(try #require(update)) == expected)
        }
    }

    @Test func surrogateSplit() throws {
        let local = Document(clientID: 3)
        _ = try insert("😀", 0, local)
        _ = try insert("x", 1, local)
        let state = "010303000401017403efbfbd84030003efbfbdc403000301017800"
        #expect(hex(local.encodeStateAsUpdate()) == state)
        #expect(try document(state).text("t") == "\u{fffd}x\u{fffd}")
    }

    @Test func formatsAreKept() throws {
        let state = "01040400040101740161840400016246040001620474727565c6040004010162046e756c6c00"
        let document = try document(state)
        #expect(hex(document.encodeStateAsUpdate()) == state)
        #expect(
            Value.array(document.delta("t")).json
                == #"[{"insert":"a","attributes":{"b":true}},{"insert":"b"}]"#)
    }

    @Test func gapMergeAndPending() throws {
        let first = "010105000401017401610"
        let parts = [first + "0", "01010502440501016300"]
        let merged = Update.merge(try parts.map { try Update(decodingV1: bytes($0)) })
        #expect(hex(merged.bytes) == "010305000401017401610a01440501016300")
        #expect(hex(merged.stateVector.encoded()) == "010501")
        let waiting = try document(parts[1])
        #expect(waiting.hasPending)
        #expect(hex(waiting.encodeStateAsUpdate()) == "01010502440501016300")
        #expect(hex(waiting.encodeStateVector()) == "00")
        #expect(
            try waiting.readiness(of: Update(decodingV1: bytes(parts[1]))) == .missing([5: 2]))
    }

    @Test func nestedArrayBecomesGarbage() throws {
        let state = "010207002101016d01780100020107010003"
        #expect(hex(try document(state).encodeStateAsUpdate()) == state)
    }

    @Test func subdocumentIsKept() throws {
        let state = "01010c002901016d01640267677602086175746f4c6f616478046d657461760101617d0100"
        #expect(hex(try document(state).encodeStateAsUpdate()) == state)
    }

    /// What Yjs would write differently is taken, in Yjs's form: an unknown option of a subdocument, an
    /// integer coded as a float, JSON with spaces.
    @Test func otherCodingsBecomeThoseOfYjs() throws {
        let head = "01010c002901016d0164026767"
        let options = head + "7602" + "0161" + "7d01" + "08" + hex(Array("autoLoad".utf8)) + "78"
        let plain = head + "7601" + "08" + hex(Array("autoLoad".utf8)) + "7800"
        #expect(hex(try document(options + "00").encodeStateAsUpdate()) == plain)
        let float = "01010100080101740" + "1" + "7b3ff0000000000000" + "00"
        #expect(hex(try document(float).encodeStateAsUpdate()) == "010101000801017401" + "7d01" + "00")
        let spaced = "0101010005010174" + "08" + hex(Array(#"{"a": 1}"#.utf8)) + "00"
        let tight = "0101010005010174" + "07" + hex(Array(#"{"a":1}"#.utf8)) + "00"
        #expect(hex(try document(spaced).encodeStateAsUpdate()) == tight)
    }

    @Test func xml() throws {
        let state =
            "01040d000701017803017028000d00016b0177017607000d000604000d0202686900"
        let document = try document(state)
        #expect(hex(document.encodeStateAsUpdate()) == state)
        #expect(document.xml("x") == #"<p k="v">hi</p>"#)
    }

    @Test func concurrentInsertions() throws {
        let state =
            "04020a00040101740141840a000142010300c40a000a010178020200c40a000a01017ac40a0002000177010100c40a000a0102797900"
        #expect(try document(state).text("t") == "AyywzxB")
        #expect(hex(try document(state).encodeStateAsUpdate()) == state)
    }

    /// The second of two neighbours was inserted before something that came between the first and what that was
    /// inserted before: Yjs does not join them.
    @Test func neighboursWithOtherRightOrigins() throws {
        let document = try document(
            "0101010004010174015200", "01010200440100016100", "01010101c402000100015800",
            "01010201c402000101016200")
        #expect(document.text("t") == "abXR")
        let state = "020202004401000161c4020001010162020100040101740152c402000100015800"
        #expect(hex(document.encodeStateAsUpdate()) == state)
    }

    /// Two texts that JavaScript cut within a pair of surrogates: the halves are a pair again in the column of
    /// strings. A half is U+FFFD here, as Yjs writes it in v1; pending structs have it too.
    @Test func halvesOfAPairInV2() throws {
        let state = "0000024300000100030400440b076178f09f9880790142000101000001020000"
        let update = try Update(decodingV2: bytes(state))
        #expect(hex(update.bytes) == "01020300040101610478efbfbd44030004efbfbd7900")
        let document = Document(clientID: 1)
        try document.applyUpdateV2(bytes(state))
        #expect(document.text("a") == "\u{FFFD}yx\u{FFFD}")
        let later = update.difference(since: StateVector([3: 2]))
        let waiting = Document(clientID: 1)
        waiting.apply(later)
        #expect(waiting.hasPending)
        #expect(hex(waiting.encodeStateAsUpdate()) == "0101030244030004efbfbd7900")
        // A name is no text.
        #expect(throws: UpdateError.self) {
            try Update(decodingV2: bytes("0000010300000104 0805f09f9880780102 0101 0000 01010000"))
        }
    }

    /// Structs that begin before the end of what was merged so far are cut there: values and text.
    @Test func overlappingStructsAreMerged() throws {
        for (updates, merged) in [
            (
                [
                    "01020300040101740361626308010161027d017d0200",
                    "01020300040101740361626308010161047d017d027d0377017800",
                ], "01030300040101740361626308010161027d017d02880304027d0377017800"
            ),
            (
                ["010105000401017402616200", "01010500040101740661626364656600"],
                "0102050004010174026162840501046364656600"
            ),
            (
                ["010205000401017402616284050102636400", "0101050184050005626364656600"],
                "010305000401017402616284050102636484050302656600"
            ),
        ] {
            let decoded = try updates.map { try Update(decodingV1: bytes($0)) }
            #expect(hex(Update.merge(decoded).bytes) == merged)
            let others = try decoded.map { try Update(decodingV2: $0.encodedV2()) }
            #expect(hex(Update.merge(others).bytes) == merged)
        }
    }

    @Test func undoAndRedoStates() throws {
        for state in ["01010100040101740261620101010002", "01020100040101740261624401000261620101010002"] {
            let kept = try document(state, gc: false)
            #expect(hex(kept.encodeStateAsUpdate()) == state)
        }
    }

    @Test func syncedPeerStillGetsTheDeleteSet() throws {
        let document = try document("010101000401017402616200", "000101010002")
        #expect(hex(document.encodeStateAsUpdate(since: document.stateVector)) == "000101010002")
    }
}
