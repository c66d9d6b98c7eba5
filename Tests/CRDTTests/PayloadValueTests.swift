import CRDT
import Testing

/// Values of embeds and format items that JSON cannot say: v2 keeps them, as Yjs 13.6.31 does. The bytes are
/// those that Yjs gave for the edits of `edited`.
struct PayloadValueTests {
    static let embed: Value = .object([
        Value.Entry("u", .undefined), Value.Entry("n", .number(.nan)), Value.Entry("z", -0.0),
        Value.Entry("i", .number(.infinity)), Value.Entry("b", .bytes([1, 255])),
        Value.Entry("list", [.undefined, -0.0]), Value.Entry("plain", "x"),
    ])
    static let format: Value = .object([
        Value.Entry("n", .number(.nan)), Value.Entry("z", -0.0), Value.Entry("u", .undefined),
    ])
    static let updates = [
        "000001070000010407047461626301030101000001010000",
        """
        00000247010100010201c50100000000010103760701757f016e7b7ff8000000000000017a7d4001697c7f80000001627402\
        01ff046c69737475027f7d4005706c61696e77017800
        """,
        """
        0003000301024706030842060401000200034600c607046b736b7341020000000104047603016e7b7ff8000000000000017a\
        7d4001757f7705706c61696e7e7e00
        """,
    ]
    static let state = """
        00030003010247090501000842060502420002000904008400c5004600c60e08746162636b736b7341000241020101000001\
        0700760701757f016e7b7ff8000000000000017a7d4001697c7f8000000162740201ff046c69737475027f7d4005706c6169\
        6e7701787603016e7b7ff8000000000000017a7d4001757f7705706c61696e7e7e00
        """
    static let stateV1 = """
        01070700040101740161840700026263c507000701497b226e223a6e756c6c2c227a223a302c2269223a6e756c6c2c226222\
        3a7b2230223a312c2231223a3235357d2c226c697374223a5b6e756c6c2c305d2c22706c61696e223a2278227d460700016b\
        107b226e223a6e756c6c2c227a223a307dc60704070001730722706c61696e22c607030701016b046e756c6cc60706070101\
        73046e756c6c00
        """
    static let merged = """
        00030003010247080400084206050242000200070400c5004600c60d08746162636b736b7301034102010100000106007607\
        01757f016e7b7ff8000000000000017a7d4001697c7f8000000162740201ff046c69737475027f7d4005706c61696e770178\
        7603016e7b7ff8000000000000017a7d4001757f7705706c61696e7e7e00
        """
    static let difference = """
        0003000301024709050242084206050242000200078400c5004600c60805636b736b734103000000010602760701757f016e\
        7b7ff8000000000000017a7d4001697c7f8000000162740201ff046c69737475027f7d4005706c61696e7701787603016e7b\
        7ff8000000000000017a7d4001757f7705706c61696e7e7e00
        """

    private func edited() throws -> Document {
        let document = Document(clientID: 7)
        let text = try document.getText("t")
        try text.insert("abc", at: 0)
        try text.insertEmbed(.value(Self.embed), at: 1)
        try text.format(
            at: 0, length: 2, attributes: [Value.Entry("k", Self.format), Value.Entry("s", "plain")])
        return document
    }

    @Test func localEditsKeepThem() throws {
        let document = try edited()
        #expect(hex(document.encodeStateAsUpdateV2()) == Self.state)
        #expect(hex(document.encodeStateAsUpdate()) == Self.stateV1)
    }

    /// Pending ones too, and those that were merged or cut.
    @Test func updatesKeepThem() throws {
        let document = Document(clientID: 9)
        try document.applyUpdateV2(bytes(Self.updates[2]))
        #expect(document.hasPending)
        #expect(hex(document.encodeStateAsUpdateV2()) == Self.updates[2])
        for update in Self.updates[..<2] { try document.applyUpdateV2(bytes(update)) }
        #expect(hex(document.encodeStateAsUpdateV2()) == Self.state)
        #expect(hex(document.encodeStateAsUpdate()) == Self.stateV1)

        let all = try Self.updates.map { try Update(decodingV2: bytes($0)) }
        #expect(hex(Update.merge(all).encodedV2()) == Self.merged)
        let state = try Update(decodingV2: bytes(Self.state))
        #expect(hex(state.bytes) == Self.stateV1)
        #expect(hex(state.difference(since: StateVector([7: 2])).encodedV2()) == Self.difference)
    }

    /// v1 knows no such value: a zero where a JSON text's length is expected is no way to smuggle one in.
    @Test func v1RefusesTheFormInMemory() {
        #expect(throws: UpdateError.self) {
            try Update(decodingV1: bytes("01010700 05010174 007f 00"))
        }
        #expect(throws: Never.self) { try Update(decodingV1: bytes("01010700 05010174 027b7d 00")) }
    }

    @Test func snapshotsKeepThem() throws {
        let document = Document(clientID: 7, gc: false)
        let text = try document.getText("t")
        try text.insertEmbed(.value(.bigint(12_056_327_960_523_015)), at: 0)
        let before = "000001070000010503017401010100000101007a002ad52a9961f10700"
        let snapshot = document.snapshot()
        let bytesBefore = hex(document.encodeStateAsUpdateV2())
        #expect(bytesBefore == before)
        try text.insert("zz", at: 0)
        let past = try Document(from: snapshot, of: document, clientID: 8)
        #expect(hex(past.encodeStateAsUpdateV2()) == bytesBefore)
    }

    /// Bytes take a tenth of the room in v2 that JSON has for them, and a key can be named again by a byte.
    @Test func whatV1TakesIsBounded() throws {
        let limits = UpdateLimits(maxBytes: 100_000)
        let document = Document(clientID: 7)
        let text = try document.getText("t")
        try text.insertEmbed(.value(["b": .bytes(Array(repeating: 200, count: 20_000))]), at: 0)
        let update = document.encodeStateAsUpdateV2()
        #expect(throws: UpdateError.self) { try Update(decodingV2: update, limits: limits) }
        #expect(throws: Never.self) { try Update(decodingV2: update) }
        #expect(throws: UpdateError.self) {
            try Update(decodingV2: Self.formats(200, key: 2000), limits: limits)
        }
        #expect(throws: Never.self) { try Update(decodingV2: Self.formats(20, key: 2000), limits: limits) }
    }

    /// A v2 update of that many format items whose key is sent once.
    static func formats(_ count: Int, key length: Int) -> [UInt8] {
        func varUint(_ value: Int) -> [UInt8] {
            value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varUint(value >> 7)
        }
        func column(_ bytes: [UInt8]) -> [UInt8] { varUint(bytes.count) + bytes }
        let text = varUint(length + 1) + Array(repeating: 0x61, count: length + 1)
        // Lengths 1 and `length`: six bits in the first byte of a signed number.
        let lengths = [1, UInt8(length & 63 | 128)] + varUint(length >> 6)
        let keyNumbers = [1] + varUint(count - 2)
        let clients = [0x41] + varUint(count - 2)
        let leftClocks = [0, 3] + varUint(count - 3)
        return [0] + column(keyNumbers) + column(clients) + column(leftClocks) + column([])
            + column([0x06, 0, 0x86]) + column(text + lengths) + column([1]) + column([]) + column([])
            + [1] + varUint(count) + [0] + Array(repeating: 120, count: count) + [0]
    }
}
