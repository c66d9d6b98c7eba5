import CRDT
import Testing

@Suite struct AwarenessTests {
    private func update(_ client: ClientID, _ clock: UInt64, _ json: String) -> AwarenessUpdate {
        AwarenessUpdate(entries: [.init(client: client, clock: clock, json: json)])
    }

    @Test func coding() throws {
        let message = AwarenessUpdate(entries: [
            .init(client: 300, clock: 2, json: #"{"user":{"name":"é"}}"#),
            .init(client: 1, clock: 5, json: "null"),
        ])
        #expect(try AwarenessUpdate(decoding: message.encoded()) == message)
        #expect(message.entries[1].isRemoval && !message.entries[0].isRemoval)
        let encoded = message.encoded()
        for length in 0..<encoded.count {
            #expect(throws: UpdateError.self) { try AwarenessUpdate(decoding: Array(encoded[..<length])) }
        }
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        for bad in ["", "{", "{}x", "undefined", "NaN", deep] {
            #expect(throws: UpdateError.self) { try AwarenessUpdate(decoding: update(1, 1, bad).encoded()) }
        }
        #expect(throws: UpdateError.self) { try AwarenessUpdate(decoding: encoded, maxEntries: 1) }
        #expect(throws: UpdateError.self) { try AwarenessUpdate(decoding: encoded, maxStateBytes: 20) }
    }

    @Test func clockRules() {
        var states = AwarenessStates()
        #expect(states.apply(update(1, 0, "{}"), atMs: 0).isEmpty, "a first clock of 0 is ignored")
        #expect(states.apply(update(1, 1, "{}"), atMs: 0).added == [1])
        #expect(states.apply(update(1, 1, #"{"a":1}"#), atMs: 5).isEmpty)
        #expect(states.apply(update(1, 2, #"{"a":1}"#), atMs: 10).updated == [1])
        #expect(states.json(of: 1) == #"{"a":1}"#)
        #expect(states.apply(update(1, 2, "null"), atMs: 20).removed == [1], "same clock, a removal")
        #expect(states.apply(update(1, 2, "{}"), atMs: 30).isEmpty, "an old state does not bring it back")
        #expect(states.apply(update(1, 3, "{}"), atMs: 40).updated == [1])
        #expect(states.count == 1 && states.clients == [1])
        #expect(states.apply(update(7, 4, "null"), atMs: 40).isEmpty)
    }

    @Test func timeoutAndRemoval() throws {
        var states = AwarenessStates()
        states.apply(update(1, 1, "{}"), atMs: 1000)
        states.apply(update(2, 1, "{}"), atMs: 20_000)
        #expect(states.outdated(atMs: 30_999).isEmpty)
        #expect(states.outdated(atMs: 31_000) == [1])
        #expect(states.remove([1, 9]) == [1])
        #expect(states.remove([1]).isEmpty)
        let told = try AwarenessUpdate(decoding: states.encode([1, 2, 9]))
        #expect(told.entries.map(\.json) == ["null", "{}"])
        #expect(told.entries.map(\.clock) == [1, 1])
    }

    @Test func clientsThatWentAreForgottenInTime() {
        var states = AwarenessStates()
        for client in 1...10_000 as ClosedRange<ClientID> {
            states.apply(update(client, 1, "{}"), atMs: Int64(client))
            states.remove([client])
        }
        #expect(states.count == 0)
        #expect(states.clock(of: 1) == nil && states.clock(of: 10_000) == 1)
    }

    @Test func rewriting() {
        func rewritten(_ json: String) -> String? {
            AwarenessUpdate.rewritingUser(json, id: "u1", name: "A\"b")
        }
        #expect(rewritten("null") == "null")
        #expect(rewritten("{}") == #"{"user":{"id":"u1","name":"A\"b"}}"#)
        #expect(
            rewritten(#"{"cursor":1.5,"user":{"color":"red","id":"me","name":"x"},"z":[]}"#)
                == #"{"cursor":1.5,"user":{"color":"red","id":"u1","name":"A\"b"},"z":[]}"#)
        #expect(rewritten(#"{"user":3,"user":"twice"}"#) == #"{"user":{"id":"u1","name":"A\"b"}}"#)
        for bad in ["", "1", "[]", "\"x\"", "{", "{}{}", String(repeating: "{\"a\":", count: 50)] {
            #expect(rewritten(bad) == nil)
        }
    }
}

@Suite struct ValueTests {
    @Test(arguments: [
        "0", "-1.5", "1e+21", "1e-7", "123456789012345680000", "0.000001", "5e-324",
        "1.7976931348623157e+308",
        "0.1", "100", "1e+22", "4294967296.5", #""\u0001\n\"\\é😀""#,
        #"{"1":0,"2":0,"b":1,"a":[null,true,{}]}"#,
    ])
    func jsonIsAsJavaScriptWritesIt(_ text: String) {
        #expect(JSONParser.parse(text)?.json == text)
    }

    @Test func jsonOfJavaScript() {
        #expect(JSONParser.parse(#"{"b":1,"2":1,"1":2,"b":3}"#)?.json == #"{"1":2,"2":1,"b":3}"#)
        #expect(JSONParser.parse(#""\ud83d\ude00""#)?.string == "😀")
        #expect(JSONParser.parse(" [ -0 , 1E2 ] ")?.json == "[0,100]")
        for bad in [
            "01", "1.", ".5", "+1", "[1,]", "{\"a\"}", "'a'", "\"\t\"", "\"\\x\"", "tru", "--1", "1e",
        ] {
            #expect(JSONParser.parse(bad) == nil, "\(bad)")
        }
        let value: Value = ["a": .undefined, "b": [.undefined, 1], "c": .bytes([0, 255])]
        #expect(value.json == #"{"b":[null,1],"c":{"0":0,"1":255}}"#)
        #expect(Value.number(.nan).json == "null")
    }
}
