import CRDT
import TestSupport
import Testing

/// Input made to break the decoder: it is refused or taken, never a trap, and a refusal changes nothing.
@Suite struct HostileInputTests {
    /// Valid updates with every kind of content.
    static let seeds = [
        "010101000401017402616200", "01020100010101740184010001620101010001",
        "010202002101016d016b01a80200017d020102010001",
        "010303000401017403efbfbd84030003efbfbdc403000301017800",
        "01040400040101740161840400016246040001620474727565c6040004010162046e756c6c00",
        "010305000401017401610a01440501016300", "010207002101016d01780100020107010003",
        "01010c002901016d01640267677602086175746f4c6f616478046d657461760101617d0100",
        "01040d000701017803017028000d00016b0177017607000d000604000d0202686900",
        "04020a00040101740141840a000142010300c40a000a010178020200c40a000a01017ac40a0002000177010100c40a000a0102797900",
        "0102f20b0a2801036d6170026b3001770176c5a00206f20b030b7b22696d616765223a317d00",
    ]

    /// Applies to a document with some content; on an error the document must be as before.
    private func attack(_ update: [UInt8], _ comment: @autoclosure () -> String) {
        let document = Document(clientID: 99)
        do throws(UpdateError) {
            for seed in Self.seeds.prefix(6) { try document.applyUpdate(bytes(seed)) }
            let before = document.encodeStateAsUpdate()
            do throws(UpdateError) {
                let decoded = try Update(decodingV1: update)
                _ = document.readiness(of: decoded)
                _ = document.newRanges(of: decoded)
                _ = Update.merge([decoded, decoded])
                #expect(
                    document.encodeStateAsUpdate() == before, "looking ahead changes nothing; \(comment())")
                try document.applyUpdate(update)
                exercise(document, comment())
            } catch {
                #expect(error.offset <= update.count)
                #expect(document.encodeStateAsUpdate() == before, "refused but changed; \(comment())")
            }
        } catch {
            Issue.record("a seed was refused: \(error)")
        }
    }

    /// Whatever was taken must be readable, writable and readable back.
    private func exercise(_ document: Document, _ comment: String) {
        for root in document.rootNames {
            _ = document.text(root).count + document.array(root).count + document.mapEntries(root).count
            _ = document.delta(root).count + document.xml(root).count
        }
        do throws(EditError) {
            _ = try document.edit { (edit) throws(EditError) in
                try edit.insertText("x", at: document.length("t"), in: SharedPath("t"))
                try edit.delete(at: 0, length: 1, in: SharedPath("t"))
            }
        } catch {
            Issue.record("\(error) \(comment)")
        }
        let state = document.encodeStateAsUpdate()
        let copy = Document(clientID: 98)
        do throws(UpdateError) { try copy.applyUpdate(state) } catch {
            Issue.record("own state refused: \(error) \(comment)")
        }
        if !document.hasPending {
            #expect(copy.encodeStateAsUpdate() == state, "state read back differs; \(comment)")
        }
    }

    @Test func truncations() {
        for seed in Self.seeds {
            let update = bytes(seed)
            for length in 0..<update.count {
                let cut = Array(update[..<length])
                #expect(throws: UpdateError.self) { try Update(decodingV1: cut) }
                attack(cut, "\(seed) cut at \(length)")
            }
        }
    }

    @Test func bitFlips() {
        var random = SeededRandom(testSeed)
        for round in 0..<4000 * testScale {
            var update = bytes(Self.seeds[random.below(Self.seeds.count)])
            for _ in 0...random.below(3) { update[random.below(update.count)] ^= 1 << UInt8(random.below(8)) }
            attack(update, "\(hex(update)) round \(round); \(rerun(testSeed, "HostileInputTests"))")
        }
    }

    @Test func randomBytes() {
        var random = SeededRandom(testSeed &+ 1)
        for _ in 0..<3000 * testScale {
            let update = (0..<random.below(60)).map { _ in
                random.below(3) == 0 ? UInt8(random.below(256)) : UInt8(random.below(12))
            }
            attack(update, "\(hex(update)); \(rerun(testSeed, "HostileInputTests"))")
        }
    }

    @Test(arguments: [
        // Updates in v2 format, one of them 23 bytes that stand for 200,000 structs.
        "00000000000001000000000000", "0000010100000104060374616201020101000001010000",
        "000000000002000100000341ffff1801c09a0c0000000000",
        // Counts without content.
        "ffffffffffffff0f", "01ffffffffffffff0f0100", "0101010008ffffffffffffff0f7f00",
        "010101000877ffffffff0f00", "00ffffffffffffff0f", "000101ffffffffffffff0f",
        // Clocks beyond the range: GC, deleted, first clock, deletions.
        "01010100 00ffffffffffffff0f00", "01010100 01010174ffffffffffffff0f00",
        "010101ffffffffffffff0f 000100",
        "0001010100ffffffffffffff0f", "00010101ffffffffffffff0f01",
        // Unknown struct, type and value kinds; integer over 53 bits.
        "010101000b0101740100", "01010100070101740700", "0101010008010174010000",
        "01ffffffffffffffffff0101000000",
        // A struct that refers to itself, to a later one, and lies in itself.
        "0101010084010001610000", "010101008401050161 00", "01010100c401050105016100",
        "0101010004000100016100",
        // A deletion of no length, which breaks Yjs where it has to wait.
        "000101010000",
        // No length; the same client twice; JSON and UTF-8 that are none; trailing bytes.
        "010101000401017400 00", "0201010004010174016101010104010174016200", "0101010005010174 017b00",
        "0101010004010174 01ff00", "0101010004010174 03eda08000", "000000",
    ])
    func refused(update: String) {
        #expect(throws: UpdateError.self) { try Update(decodingV1: bytes(update)) }
        attack(bytes(update), update)
    }

    /// 23 bytes that stand for 200,000 structs, and others made of runs without end.
    @Test func bombsInV2() {
        for bomb in [
            "00 00 01 01 00 00 01 00 01 00 00 00 04 41be9a0c 01 c09a0c 00 00",
            "00 00 01 01 00 00 01 00 01 00 00 00 02 4200 01 ffffffffffffff0f 00 00",
            "00 00 01 01 00 00 01 02 01 00 00 06 41ffffffffffff 01 01 00 00",
            "0000000000000000000000ffffffffffffff0f",
        ] {
            #expect(throws: UpdateError.self) { try Update(decodingV2: bytes(bomb)) }
        }
        #expect(throws: Never.self) { try Update(decodingV2: bytes("00000000000001000000000000")) }
    }

    /// Two updates that are taken make a document whose state is more than one update may be: only who trusts
    /// it reads it back.
    @Test func ownStatesAreReadBack() throws {
        let document = Document(clientID: 9)
        for update in ["01010100 00ffffffff03 00", "010102000801016101 7e 00", "01010300 00ffffffff03 00"] {
            try document.applyUpdate(bytes(update))
        }
        let (v1, v2) = (document.encodeStateAsUpdate(), document.encodeStateAsUpdateV2())
        #expect(throws: UpdateError.self) { try Document(clientID: 8).applyUpdate(v1) }
        for isV2 in [false, true] {
            let copy = Document(clientID: 8)
            if isV2 {
                try copy.applyUpdateV2(v2, limits: .trusted)
            } else {
                try copy.applyUpdate(v1, limits: .trusted)
            }
            #expect(copy.encodeStateAsUpdate() == v1)
        }
        // In v2 few bytes are enough for many structs.
        let maps = try document.getArray("maps")
        for _ in 0..<20_000 { try maps.push([.map]) }
        let many = document.encodeStateAsUpdateV2()
        #expect(many.count < 200)
        #expect(throws: UpdateError.self) { try Update(decodingV2: many) }
        #expect(try Update(decodingV2: many, limits: .trusted).structCount > 20_000)
    }

    @Test func damagedV2() throws {
        var random = SeededRandom(testSeed &+ 2)
        for seed in Self.seeds {
            let update = try Update(decodingV1: bytes(seed)).encodedV2()
            #expect(
                try Update(decodingV2: update).bytes
                    == Update(decodingV1: bytes(seed)).withoutSubFlags().bytes)
            for length in 0..<update.count {
                #expect(throws: UpdateError.self) { try Update(decodingV2: Array(update[..<length])) }
            }
            for _ in 0..<400 * testScale {
                var damaged = update
                for _ in 0...random.below(3) {
                    damaged[random.below(damaged.count)] ^= 1 << UInt8(random.below(8))
                }
                do throws(UpdateError) { attack(try Update(decodingV2: damaged).bytes, hex(damaged)) } catch {
                    continue
                }
            }
        }
    }

    @Test func deepValuesAreRefused() {
        for depth in [101, 100_000] {
            let nested = Array(repeating: [117, 1], count: depth).flatMap { $0 } as [UInt8]
            let update = bytes("0101010008010174") + [1] + nested + [126, 0]
            #expect(throws: UpdateError.self) { try Update(decodingV1: update) }
        }
        let allowed = Array(repeating: [117, 1], count: 99).flatMap { $0 } as [UInt8]
        #expect(throws: Never.self) {
            try Update(decodingV1: bytes("0101010008010174") + [1] + allowed + [126, 0])
        }
    }

    /// 20,000 types one in the other, then the outermost deleted: nothing may recurse as deep.
    @Test func deepTypes() throws {
        let depth = 20_000
        var update = bytes("01") + varUint(depth) + bytes("01000701017400")
        for clock in 1..<depth { update += bytes("070001") + varUint(clock - 1) + [0] }
        update += [0]
        let document = Document(clientID: 2)
        try document.applyUpdate(update)
        _ = document.array("t")
        try document.applyUpdate(bytes("000101010001"))
        #expect(
            hex(document.encodeStateAsUpdate()) == "01020100010101740100" + "9f9c01" + "0101010" + "0a09c01")
        #expect(document.array("t").isEmpty)
    }

    private func varUint(_ value: Int) -> [UInt8] {
        var rest = value
        var out: [UInt8] = []
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    /// Origins in different lists, and parents that are no types.
    @Test func crossedReferences() {
        let crossed = [
            // client 1: text in roots t and u and a map value; then items between them.
            "0105010004010174016104010175016228 01016d016b017701 78c4010001010163c4010101000164 00",
            "0104010004010174016128 01016d016b017701788401010165c4010001010166 00",
            "0103010004010174016104000100016104000100016200",
            "01030100070101740004000100016184010101620 00",
        ]
        for update in crossed { attack(bytes(update), update) }
    }

    @Test func limitsAreKept() {
        let update = bytes(
            "04020a00040101740141840a000142010300c40a000a010178020200c40a000a01017ac40a0002000177010100c40a000a0102797900"
        )
        var limits = UpdateLimits.standard
        limits.maxStructs = 5
        #expect(throws: UpdateError.self) { try Update(decodingV1: update, limits: limits) }
        limits = .standard
        limits.maxClients = 3
        #expect(throws: UpdateError.self) { try Update(decodingV1: update, limits: limits) }
        limits = .standard
        limits.maxBytes = update.count - 1
        #expect(throws: UpdateError.self) { try Update(decodingV1: update, limits: limits) }
        limits = .standard
        limits.maxClockGrowth = 6
        #expect(throws: UpdateError.self) { try Update(decodingV1: update, limits: limits) }
    }

    @Test func stateVectors() throws {
        let vector = StateVector([1: 2, 900: 7])
        #expect(try StateVector(decoding: vector.encoded()) == vector)
        #expect(hex(vector.encoded()) == "028407070102")
        for bad in ["", "01", "0101", "ffffffffffffff0f", "010102ff", "0101ffffffffffffffff01"] {
            #expect(throws: UpdateError.self) { try StateVector(decoding: bytes(bad)) }
        }
    }
}
