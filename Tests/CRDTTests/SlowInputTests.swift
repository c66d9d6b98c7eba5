import CRDT
import DecoderFuzzing
import Testing

/// Inputs of at most 64 KiB that make a decoder or the document do as much as their bytes allow. Each must be
/// over within two seconds of processor time, whether it is refused or taken, and without more work than its
/// size explains.
@Suite(.serialized) struct SlowInputTests {
    static let mostBytes = 64 << 10
    #if DEBUG
        static let mostTime = Duration.seconds(60)
    #else
        static let mostTime = Duration.seconds(2)
    #endif
    /// Units of `Document.work` that one input may cause: each of its structs may meet each of the others.
    static func mostWork(structs: Int, bytes: Int) -> UInt64 { UInt64(structs) * UInt64(structs + bytes) }

    @Test(arguments: SlowUpdate.all) func updates(_ slow: SlowUpdate) throws {
        let input = slow.bytes
        #expect(input.count <= Self.mostBytes)
        let document = Document(clientID: 1)
        var structs = 0
        let time = ThreadTime.measure {
            do throws(UpdateError) {
                let update = slow.isV2 ? try Update(decodingV2: input) : try Update(decodingV1: input)
                structs = update.structCount
                _ = document.readiness(of: update)
                document.apply(update)
            } catch {
                #expect(error.offset <= input.count)
            }
        }
        #expect(time < Self.mostTime, "\(slow.name): \(structs) structs took \(time)")
        #expect(document.work <= Self.mostWork(structs: structs + 8, bytes: input.count), "\(slow.name)")
        let after = ThreadTime.measure {
            for root in document.rootNames {
                _ = document.text(root).utf8.count + document.xml(root).utf8.count
                _ = document.delta(root).count + document.mapEntries(root).count + document.array(root).count
            }
            _ = document.encodeStateAsUpdate().count + document.encodeStateAsUpdateV2().count
        }
        #expect(after < Self.mostTime, "\(slow.name): reading took \(after)")
    }

    @Test func otherFormats() {
        var vector: [UInt8] = []
        vector.appendVarUint(16_000)
        for client in 0..<16_000 { vector.appendVarUint(UInt64(client)); vector.append(1) }
        measure("state vector", vector) { (bytes) throws(UpdateError) in _ = try StateVector(decoding: bytes)
        }

        var snapshot: [UInt8] = [1, 1]
        snapshot.appendVarUint(15_000)
        for range in 0..<15_000 { snapshot.appendVarUint(UInt64(30_000 - 2 * range)); snapshot.append(1) }
        snapshot.append(0)
        measure("snapshot of ranges from the last to the first", snapshot) { (bytes) throws(UpdateError) in
            _ = try Snapshot(decodingV1: bytes)
        }

        var awareness: [UInt8] = []
        awareness.appendVarUint(1000)
        for client in 0..<1000 {
            awareness.appendVarUint(UInt64(client))
            awareness.append(1)
            awareness.appendField(Array("{\"user\":{\"name\":\"\(client)\"},\"x\":[[[[0]]]]}".utf8))
        }
        measure("awareness of 1000 clients", awareness) { (bytes) throws(UpdateError) in
            var states = AwarenessStates()
            for time in 0..<10 { states.apply(try AwarenessUpdate(decoding: bytes), atMs: Int64(time)) }
        }
        var digits: [UInt8] = [1, 1, 1]
        digits.appendField(Array(repeating: UInt8(ascii: "9"), count: 16_000))
        measure("a number of 16,000 digits", digits) { (bytes) throws(UpdateError) in
            _ = try AwarenessUpdate(decoding: bytes)
        }
    }

    private func measure(_ name: String, _ input: [UInt8], _ read: ([UInt8]) throws(UpdateError) -> Void) {
        #expect(input.count <= Self.mostBytes)
        let time = ThreadTime.measure {
            do throws(UpdateError) { try read(input) } catch { Issue.record("\(name) is refused: \(error)") }
        }
        #expect(time < Self.mostTime, "\(name) took \(time)")
    }
}
