import SyncProtocol
import Testing

@Suite struct FramingTests {
    private let name = "room-7/main"
    private var prefix: [UInt8] { varBytes(name.utf8) }

    // MARK: From the server

    @Test func plainFramingChangesNothing() {
        for frame in serverFrames { #expect(Framing.plain.encode(frame) == frame) }
        #expect(!Framing.plain.knowsSyncStatus)
        #expect(Framing.named(name).knowsSyncStatus)
    }

    @Test func namedFramingPutsTheNameFirst() {
        for frame in serverFrames { #expect(Framing.named(name).encode(frame) == prefix + frame) }
    }

    /// In Hocuspocus's framing auth message 0 asks for the token; permission denied is 1.
    @Test func permissionDeniedHasAnotherNumber() {
        let frame = ServerFrame.permissionDenied(reason: "reset:read_only")
        #expect(frame == [2, 0] + varBytes("reset:read_only".utf8))
        #expect(Framing.named(name).encode(frame) == prefix + [2, 1] + varBytes("reset:read_only".utf8))
    }

    @Test func longNamesHaveLongPrefixes() {
        let long = String(repeating: "ä", count: 100)
        #expect(Framing.named(long).encode([3]) == [0xC8, 0x01] + Array(long.utf8) + [3])
    }

    @Test func messagesOfTheMultiplexedFramingAlone() {
        #expect(ServerFrame.authenticated(mayWrite: true) == [2, 2] + varBytes("read-write".utf8))
        #expect(ServerFrame.authenticated(mayWrite: false) == [2, 2] + varBytes("readonly".utf8))
        #expect(ServerFrame.syncStatus(isSaved: true) == [8, 1])
        #expect(ServerFrame.syncStatus(isSaved: false) == [8, 0])
        #expect(ServerFrame.close(reason: "gone") == [7] + varBytes("gone".utf8))
    }

    private var serverFrames: [[UInt8]] {
        [
            ServerFrame.syncStep1(stateVector: [0]), ServerFrame.syncStep2(update: [0, 0]),
            ServerFrame.update(Array(repeating: 1, count: 300)), ServerFrame.awareness([0]),
            ServerFrame.stateless("{}"), ServerFrame.authenticated(mayWrite: true),
            ServerFrame.syncStatus(isSaved: true), ServerFrame.close(reason: ""),
        ]
    }

    // MARK: From the client

    @Test func readsTokensWithAndWithoutAVersion() throws {
        for version in [[], varBytes("4.8.0".utf8)] as [[UInt8]] {
            let frame = try decode(prefix + [2, 0] + varBytes("ey.token".utf8) + version)
            #expect(frame.name == name)
            #expect(try frame.content() == .token("ey.token"))
        }
        #expect(try decode(prefix + [2, 0, 0]).content() == .token(""))
    }

    @Test func readsCloseWithAndWithoutAReason() throws {
        #expect(try decode(prefix + [7]).content() == .close)
        #expect(try decode(prefix + [7] + varBytes("done".utf8)).content() == .close)
    }

    @Test(arguments: ClientMessageTests.frames)
    func otherMessagesAreThoseOfThePlainFraming(_ frame: (bytes: [UInt8], message: ClientMessage)) throws {
        let named = try decode(prefix + frame.bytes)
        #expect(named.name == name)
        guard case .message(let body) = try named.content() else {
            Issue.record("not read as a message of the document")
            return
        }
        #expect(Array(body) == frame.bytes)
        #expect(try ClientMessage(decoding: body) == frame.message)
    }

    @Test func refusesEveryTruncationOfAToken() {
        let whole = prefix + [2, 0] + varBytes("ey.token".utf8)
        for length in whole.indices {
            #expect(throws: FrameError.self, "cut to \(length) of \(whole.count) bytes") {
                try NamedFrame(decoding: whole[..<length]).content()
            }
        }
    }

    @Test func refusesNamesThatCannotBeRead() {
        let unreadable: [[UInt8]] = [
            [], [5], [0x80], [2, 0xC3, 0x28, 3], varUint(1 << 53) + [3], Array(repeating: 0xFF, count: 12),
        ]
        for bytes in unreadable {
            #expect(throws: FrameError.self, "\(bytes)") { try NamedFrame(decoding: bytes[...]) }
        }
    }

    /// A ping names no document, so it must not be taken for a frame that does.
    @Test func pingAndPongAreNoNamedFrames() {
        for bytes in [NamedFrame.ping, NamedFrame.pong] {
            #expect(throws: FrameError.self) { try NamedFrame(decoding: bytes[...]) }
        }
    }

    /// What a client does not send: auth messages of the server's, and types nobody knows.
    @Test func ofOtherAuthMessagesNothingFollows() throws {
        for sub in [1, 2, 9] as [UInt8] {
            guard case .message(let body) = try decode(prefix + [2, sub, 0]).content() else {
                Issue.record("read as something else")
                return
            }
            #expect(try ClientMessage(decoding: body) == .unknown(2))
        }
    }

    private func decode(_ bytes: [UInt8]) throws -> NamedFrame { try NamedFrame(decoding: bytes[...]) }
}
