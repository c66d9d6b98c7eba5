import CRDT
import Testing

/// Relative positions, with bytes and indices taken down from Yjs 13.5.43.
@Suite struct RelativePositionTests {
    struct Case: Sendable {
        var path: SharedPath
        var index: Int
        var assoc: Int
        var bytes: String
        var json: String
        /// Where it is after `edit`, without and with garbage collection.
        var after: Int?
        var collected: Int?

        init(
            _ path: SharedPath, _ index: Int, _ assoc: Int, _ bytes: String, _ json: String, _ after: Int?,
            _ collected: Int?
        ) {
            (self.path, self.index, self.assoc, self.bytes) = (path, index, assoc, bytes)
            (self.json, self.after, self.collected) = (json, after, collected)
        }
    }

    private static let base =
        "0109010004010174036162632701016d016b020400010302696e08010161017701788701060008000107037d017d027d03"
        + "070101780301700700010b060400010c02686900"
    private static let edit = "0104010fc401000101025a5aa80103017d01480108017d0044010d025f5f01010201010303"

    private static let text = SharedPath("t")
    private static let nested = SharedPath("m").key("k")
    private static let array = SharedPath("a").index(1)
    private static let element = SharedPath("x").index(0)
    private static let deep = SharedPath("x").index(0).index(0)

    static let cases = [
        Case(text, 1, 0, "00010100", #"{"tname":"t","item":{"client":1,"clock":1},"assoc":0}"#, 3, 3),
        Case(text, 3, 0, "01017400", #"{"tname":"t","assoc":0}"#, 4, 4),
        Case(text, 0, -1, "01017441", #"{"tname":"t","assoc":-1}"#, 0, 0),
        Case(text, 3, -1, "00010241", #"{"tname":"t","item":{"client":1,"clock":2},"assoc":-1}"#, 4, 4),
        Case(text, 9, -1, "00010241", #"{"tname":"t","item":{"client":1,"clock":2},"assoc":-1}"#, 4, 4),
        Case(
            nested, 1, 0, "00010500",
            #"{"type":{"client":1,"clock":3},"item":{"client":1,"clock":5},"assoc":0}"#, 0, nil),
        Case(nested, 2, 0, "02010300", #"{"type":{"client":1,"clock":3},"assoc":0}"#, 0, nil),
        Case(nested, 0, -1, "02010341", #"{"type":{"client":1,"clock":3},"assoc":-1}"#, 0, nil),
        Case(
            array, 2, -1, "00010941",
            #"{"type":{"client":1,"clock":7},"item":{"client":1,"clock":9},"assoc":-1}"#, 3, 3),
        Case(array, 3, 0, "02010700", #"{"type":{"client":1,"clock":7},"assoc":0}"#, 4, 4),
        Case(
            deep, 1, 5, "00010e05",
            #"{"type":{"client":1,"clock":12},"item":{"client":1,"clock":14},"assoc":5}"#, 3, 3),
        Case(element, 1, 0, "02010b00", #"{"type":{"client":1,"clock":11},"assoc":0}"#, 1, 1),
    ]

    @Test(arguments: cases) func sameAsYjs(_ expected: Case) throws {
        for gc in [false, true] {
            let document = Document(clientID: 9, gc: gc)
            try document.applyUpdate(bytes(Self.base))
            let state = document.encodeStateAsUpdate()
            let position = try document.relativePosition(
                in: expected.path, at: expected.index, assoc: expected.assoc)
            #expect(hex(position.encoded()) == expected.bytes)
            #expect(position.json.json == expected.json)
            let parsed = try #require(JSONParser.parse(expected.json))
            #expect(try RelativePosition(json: parsed) == position)
            let read = try RelativePosition(decoding: bytes(expected.bytes))
            #expect(read.encoded() == position.encoded())
            let type = document.sharedTypeID(at: expected.path)
            let now = document.absolutePosition(of: read)
            #expect(
                now?.type == type
                    && now?.index == min(expected.index, document.length(at: expected.path) ?? 0))
            #expect(document.encodeStateAsUpdate() == state, "asking changes nothing")
            try document.applyUpdate(bytes(Self.edit))
            let then = document.absolutePosition(of: read)
            #expect(then?.index == (gc ? expected.collected : expected.after), "gc \(gc)")
            #expect(then == nil || then?.type == type)
        }
    }

    @Test func whatIsNotThere() throws {
        let empty = Document(clientID: 9)
        for expected in Self.cases {
            let read = try RelativePosition(decoding: bytes(expected.bytes))
            let isRoot = expected.bytes.hasPrefix("01")
            #expect(empty.absolutePosition(of: read)?.index == (isRoot ? 0 : nil))
        }
        #expect(empty.rootNames.isEmpty)
        let end = try empty.relativePosition(in: Self.text, at: 4)
        #expect(hex(end.encoded()) == "01017400")
        #expect(throws: EditError(.outOfRange)) { try empty.relativePosition(in: Self.text, at: -1) }
        #expect(throws: EditError(.noSuchType)) { try empty.relativePosition(in: Self.nested, at: 0) }
        // A unit of the text is no type; a type is a unit of its list.
        try empty.applyUpdate(bytes(Self.base))
        let unit = RelativePosition(type: .item(ID(client: 1, clock: 0)))
        #expect(empty.absolutePosition(of: unit) == nil)
        let far = RelativePosition(item: ID(client: .max, clock: .max), assoc: .min)
        #expect(empty.absolutePosition(of: far) == nil)
        #expect(far.encoded().count > 10)
    }

    /// Names that Swift's strings take for equal are different roots.
    @Test func namesAreBytes() {
        #expect(SharedTypeID.root("\u{e9}") != .root("e\u{301}"))
        #expect(Set([SharedTypeID.root("\u{e9}"), .root("e\u{301}"), .root("\u{e9}")]).count == 2)
    }

    // MARK: Bad input

    @Test func withoutAssoc() throws {
        #expect(
            try RelativePosition(decoding: bytes("000101")) == RelativePosition(item: ID(client: 1, clock: 1))
        )
        #expect(try RelativePosition(decoding: bytes("010174")) == RelativePosition(type: .root("t")))
    }

    @Test(arguments: [
        "", "00", "0001", "03", "0300", "0001010000", "0105", "0101ff00", "02018080808010",
        "00ffffffffffffffff7f00",
        "000101ffffffffffffffff7f", "01ffffff7f",
    ])
    func refusedBytes(text: String) {
        let input = bytes(text)
        do throws(UpdateError) {
            _ = try RelativePosition(decoding: input)
            Issue.record("taken: \(text)")
        } catch {
            #expect(error.offset <= input.count)
        }
        let name: [UInt8] = [0x01, 0x81, 0x20] + [UInt8](repeating: 0x61, count: 4097)
        #expect(throws: UpdateError.self) { try RelativePosition(decoding: name) }
    }

    @Test(arguments: [
        "1", "[]", "{}", #"{"assoc":0}"#, #"{"tname":""}"#, #"{"tname":1}"#, #"{"item":{}}"#,
        #"{"item":[1,2]}"#,
        #"{"item":{"client":-1,"clock":0}}"#, #"{"item":{"client":1,"clock":1.5}}"#,
        #"{"item":{"client":1e300,"clock":0}}"#, #"{"item":{"client":1,"clock":4294967296}}"#,
        #"{"tname":"t","assoc":0.5}"#, #"{"tname":"t","assoc":1e17}"#, #"{"tname":"t","assoc":"0"}"#,
        #"{"type":null,"item":null}"#, #"{"type":7}"#,
    ])
    func refusedJSON(text: String) throws {
        let value = try #require(JSONParser.parse(text))
        #expect(throws: UpdateError.self) { try RelativePosition(json: value) }
    }

    @Test func mutations() throws {
        var random = SeededRandom(testSeed)
        let document = Document(clientID: 9, gc: false)
        for update in [Self.base, Self.edit] { try document.applyUpdate(bytes(update)) }
        let state = document.encodeStateAsUpdate()
        for round in 0..<4000 * testScale {
            var input = bytes(Self.cases[round % Self.cases.count].bytes)
            for _ in 0...random.below(3) { input[random.below(input.count)] = UInt8(random.below(40)) }
            do throws(UpdateError) {
                let position = try RelativePosition(decoding: input)
                #expect(try RelativePosition(decoding: position.encoded()) == position)
                if let place = document.absolutePosition(of: position) {
                    #expect(place.index >= 0, "\(rerun(testSeed, "RelativePositionTests"))")
                }
            } catch {
                #expect(error.offset <= input.count)
            }
        }
        #expect(document.encodeStateAsUpdate() == state)
    }
}
