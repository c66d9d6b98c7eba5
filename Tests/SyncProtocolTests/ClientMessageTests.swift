import SyncProtocol
import TestSupport
import Testing

/// lib0's number, written independently of the module.
func varUint(_ value: UInt64) -> [UInt8] {
    value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varUint(value >> 7)
}

func varBytes(_ bytes: some Collection<UInt8>) -> [UInt8] { varUint(UInt64(bytes.count)) + bytes }

@Suite struct ClientMessageTests {
    /// One frame of every type, with what it must be read as.
    static let frames: [(bytes: [UInt8], message: ClientMessage)] = [
        ([0, 0] + varBytes([1, 7, 5]), .syncStep1([1, 7, 5])),
        ([0, 1] + varBytes([0, 0]), .syncStep2([0, 0])),
        ([0, 2] + varBytes(Array(repeating: 3, count: 200)), .update(Array(repeating: 3, count: 200))),
        ([1] + varBytes([1, 9, 1, 2, 0x7B, 0x7D]), .awareness([1, 9, 1, 2, 0x7B, 0x7D])),
        ([3], .queryAwareness),
        ([5] + varBytes("{\"text\":\"grüße\"}".utf8), .stateless("{\"text\":\"grüße\"}")),
        (varUint(1_000) + [1, 2, 3], .unknown(1_000)),
    ]

    @Test(arguments: frames) func reads(_ frame: (bytes: [UInt8], message: ClientMessage)) throws {
        #expect(try ClientMessage(decoding: frame.bytes[...]) == frame.message)
        // A slice of a larger buffer is read as well, and what follows the message is left alone.
        let shifted = [0xFF, 0xFF] + frame.bytes + [0xFF]
        #expect(try ClientMessage(decoding: shifted[2...]) == frame.message)
    }

    @Test(arguments: frames) func refusesEveryTruncation(
        _ frame: (bytes: [UInt8], message: ClientMessage)
    ) throws {
        if case .unknown = frame.message { return }
        for length in frame.bytes.indices {
            #expect(throws: FrameError.self, "cut to \(length) of \(frame.bytes.count) bytes") {
                try ClientMessage(decoding: frame.bytes[..<length])
            }
        }
    }

    @Test func refusesNumbersOver53Bits() throws {
        let most = varUint((1 << 53) - 1)
        #expect(try ClientMessage(decoding: most[...]) == .unknown((1 << 53) - 1))
        let tooLarge: [[UInt8]] = [
            varUint(1 << 53), varUint(1 << 63), varUint(.max), Array(repeating: 0xFF, count: 8) + [0x01],
            Array(repeating: 0x80, count: 8) + [0x01], Array(repeating: 0xFF, count: 100),
            Array(repeating: 0x80, count: 100) + [0],
        ]
        for number in tooLarge {
            for prefix in [[], [0], [0, 2], [1], [5]] as [[UInt8]] {
                #expect(throws: FrameError.self, "\(prefix) \(number)") {
                    try ClientMessage(decoding: (prefix + number)[...])
                }
            }
        }
        // lib0 reads redundant zero groups; so do we, up to a length.
        #expect(try ClientMessage(decoding: [0x83, 0x80, 0x80, 0x00]) == .queryAwareness)
    }

    @Test func refusesLengthsThatTheFrameDoesNotHold() {
        for length in [2, 127, 128, 1 << 20, 1 << 32, (1 << 53) - 1] as [UInt64] {
            for start in [[0, 0], [0, 1], [0, 2], [1], [5]] as [[UInt8]] {
                #expect(throws: FrameError.self) {
                    try ClientMessage(decoding: (start + varUint(length) + [0])[...])
                }
            }
        }
    }

    @Test func refusesTextThatIsNotUTF8AndUnknownSyncTypes() {
        #expect(throws: FrameError.self) { try ClientMessage(decoding: [5, 2, 0xC3, 0x28]) }
        #expect(throws: FrameError.self) { try ClientMessage(decoding: [0, 3, 0]) }
        #expect(throws: FrameError.self) { try ClientMessage(decoding: [][...]) }
    }

    /// Any bytes are either read or refused; nothing traps.
    @Test func survivesRandomBytes() {
        var random = SeededGenerator()
        print(random)
        for _ in 0..<(20_000 * testScale) {
            var bytes: [UInt8]
            if Bool.random(using: &random), var known = Self.frames.randomElement(using: &random)?.bytes {
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    known[Int.random(in: known.indices, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
                bytes = known
            } else {
                let count = Int.random(in: 0...64, using: &random)
                bytes = (0..<count).map { _ in .random(in: 0...255, using: &random) }
            }
            if Bool.random(using: &random) {
                bytes[0..<min(1, bytes.count)] = [.random(in: 0...8, using: &random)]
            }
            _ = try? ClientMessage(decoding: bytes[...])
            _ = try? NamedFrame(decoding: bytes[...]).content()
        }
    }
}
