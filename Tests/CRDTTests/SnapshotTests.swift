import CRDT
import Testing

/// Snapshots, with bytes taken down from Yjs 13.5.43.
@Suite struct SnapshotTests {
    private let base =
        "0109010004010174036162632701016d016b020400010302696e08010161017701788701060008000107037d017d027d03"
        + "070101780301700700010b060400010c02686900"
    private let edit = "0104010fc401000101025a5aa80103017d01480108017d0044010d025f5f01010201010303"

    private func document(_ updates: String..., gc: Bool = false) throws -> Document {
        let document = Document(clientID: 0xffff, gc: gc)
        for update in updates { try document.applyUpdate(bytes(update)) }
        return document
    }

    @Test func bytesOfYjs() throws {
        #expect(hex(Snapshot().encoded()) == "0000")
        #expect(hex(try document(base).snapshot().encoded()) == "0001010f")
        let now = try document(base, edit).snapshot()
        #expect(hex(now.encoded()) == "01010201010303010115")
        #expect(hex(now.encodedV2()) == "01010201000102010115")
        #expect(try Snapshot(decodingV1: now.encoded()) == now)
        #expect(try Snapshot(decodingV2: now.encodedV2()) == now)
        let deleted = try document("01020100010101740184010001620101010001").snapshot()
        #expect(hex(deleted.encoded()) == "0101010001010102")
        #expect(hex(deleted.encodedV2()) == "0101010000010102")
    }

    @Test func containsUpdates() throws {
        let (first, second) = (try Update(decodingV1: bytes(base)), try Update(decodingV1: bytes(edit)))
        let before = try document(base).snapshot()
        let after = try document(base, edit).snapshot()
        #expect(before.contains(first) && !before.contains(second))
        #expect(after.contains(first) && after.contains(second))
        #expect(Snapshot().contains(.empty) && !Snapshot().contains(first))
        // The structs are there, one of the deletions is not.
        let partly = Snapshot(
            stateVector: after.stateVector, deletes: [Update.ClientRange(client: 1, from: 1, to: 5)])
        #expect(!partly.contains(second))
        let all = [(5, 6), (1, 2), (2, 5)].map { Update.ClientRange(client: 1, from: $0, to: $1) }
        #expect(Snapshot(stateVector: after.stateVector, deletes: all).contains(second))
    }

    @Test func documentFromSnapshot() throws {
        let now = try document(base, edit)
        let state = now.encodeStateAsUpdate()
        let past = try Document(from: try document(base).snapshot(), of: now, clientID: 7)
        #expect(hex(past.encodeStateAsUpdate()) == base)
        #expect(past.text("t") == "abc")
        #expect(try Document(from: Snapshot(), of: now, clientID: 7).encodeStateAsUpdate() == bytes("0000"))
        let same = try Document(from: now.snapshot(), of: now, clientID: 7, gc: false)
        #expect(same.encodeStateAsUpdate() == state)
        #expect(now.encodeStateAsUpdate() == state)
    }

    /// The last struct is cut, also within a surrogate pair, and the document is not.
    @Test(arguments: [
        (2, "0101020008010161027d0177017800"), (4, "0101020008010161047d0177017875017d027e00"),
        (5, "0102020008010161047d0177017875017d027e04010174016100"),
        (6, "0102020008010161047d0177017875017d027e040101740461efbfbd00"),
        (7, "0102020008010161047d0177017875017d027e040101740561f09f988000"),
    ])
    func cutStructs(clock: Int, expected: String) throws {
        let whole = "0102020008010161047d0177017875017d027e040101740661f09f98806200"
        let document = try document(whole)
        let snapshot = Snapshot(stateVector: StateVector([2: UInt64(clock)]))
        let past = try Document(from: snapshot, of: document, clientID: 7)
        #expect(hex(past.encodeStateAsUpdate()) == expected)
        #expect(hex(document.encodeStateAsUpdate()) == whole)
    }

    @Test func refusals() throws {
        let snapshot = try document(base).snapshot()
        #expect(throws: SnapshotError(.garbageCollected)) {
            try Document(from: snapshot, of: try document(base, gc: true), clientID: 7)
        }
        #expect(throws: SnapshotError(.ahead)) {
            try Document(from: snapshot, of: try document(), clientID: 7)
        }
        let far = Snapshot(stateVector: StateVector([1: .max, .max: .max]))
        #expect(throws: SnapshotError(.ahead)) {
            try Document(from: far, of: try document(base), clientID: 7)
        }
        #expect(far.encoded().count > 20)
        // Deletions that nobody has made yet wait.
        let ahead = Snapshot(
            stateVector: snapshot.stateVector,
            deletes: [
                Update.ClientRange(client: 1, from: 100, to: 200),
                Update.ClientRange(client: 9, from: 3, to: 3), Update.ClientRange(client: 9, from: 3, to: 1),
            ])
        #expect(ahead.deletes.count == 1)
        let past = try Document(from: ahead, of: try document(base), clientID: 7)
        #expect(past.hasPending && past.text("t") == "abc")
    }

    // MARK: Bad input

    @Test(arguments: [
        ("", 0), ("00", 1), ("0101", 2), ("010101000001", 5), ("0000ff", 2), ("000001", 2),
        ("ffffffffff7f00", 6),
        ("0101ffffffff0f0000", 7), ("0101010000", 5), ("01010180808080100100", 9),
        ("0101ffffffffffffff7f", 10),
    ])
    func refusedBytes(text: String, offset: Int) {
        let input = bytes(text)
        do throws(UpdateError) {
            _ = try Snapshot(decodingV1: input)
            Issue.record("taken: \(text)")
        } catch {
            #expect(error.offset <= input.count)
            #expect(error.offset == offset, "\(text): \(error)")
        }
    }

    @Test func caps() throws {
        let two = bytes("0201010001020100010000")
        var limits = UpdateLimits()
        limits.maxClients = 1
        #expect(throws: UpdateError.self) { try Snapshot(decodingV1: two, limits: limits) }
        limits = UpdateLimits()
        limits.maxDeleteRanges = 1
        #expect(throws: UpdateError.self) { try Snapshot(decodingV1: two, limits: limits) }
        limits = UpdateLimits(maxBytes: 4)
        #expect(throws: UpdateError.self) { try Snapshot(decodingV1: two, limits: limits) }
    }

    @Test func mutations() throws {
        var random = SeededRandom(testSeed)
        let seeds = ["01010201010303010115", "01010201000102010115", "04d118020101030280120201010403f20b04"]
        let document = try document(base, edit)
        let state = document.encodeStateAsUpdate()
        for round in 0..<4000 * testScale {
            var input = bytes(seeds[round % seeds.count])
            for _ in 0...random.below(4) { input[random.below(input.count)] = UInt8(random.below(256)) }
            for isV2 in [false, true] {
                do throws(UpdateError) {
                    let snapshot =
                        try isV2 ? Snapshot(decodingV2: input) : Snapshot(decodingV1: input)
                    #expect(try Snapshot(decodingV1: snapshot.encoded()) == snapshot)
                    #expect(try Snapshot(decodingV2: snapshot.encodedV2()) == snapshot)
                    do throws(SnapshotError) {
                        let past = try Document(from: snapshot, of: document, clientID: 7)
                        #expect(
                            past.stateVector == snapshot.stateVector, "\(rerun(testSeed, "SnapshotTests"))")
                    } catch {
                        #expect(error.code == .ahead)
                    }
                } catch {
                    #expect(error.offset <= input.count)
                }
            }
        }
        #expect(document.encodeStateAsUpdate() == state)
    }
}
