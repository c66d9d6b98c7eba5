/// Why a frame could not be read. The socket that sent it is told `reset:malformed`.
public enum FrameError: Error, Equatable, Sendable {
    /// What is wrong, and at which byte of the message it was seen.
    case malformed(String, offset: Int)
}

/// A message from a client about one document (y-protocols; see protocol/sync.md). The wire carries Yjs updates of
/// version 1 only.
public enum ClientMessage: Equatable, Sendable {
    /// "This is what I have": an encoded state vector.
    case syncStep1([UInt8])
    /// The answer to the server's step 1: an update.
    case syncStep2([UInt8])
    case update([UInt8])
    /// An encoded awareness update.
    case awareness([UInt8])
    case queryAwareness
    /// A JSON text that is no part of a document: chat, submit.
    case stateless(String)
    /// A type this server does not know; ignored and counted.
    case unknown(UInt64)

    /// Reads one message: the first of the frame. Stock clients send one message a frame.
    ///
    /// - Throws: `FrameError` when the frame ends early, or a number or text in it is invalid.
    /// - Complexity: O(frame size).
    public init(decoding frame: ArraySlice<UInt8>) throws(FrameError) {
        var reader = ByteReader(frame)
        switch try reader.varUint() {
        case MessageType.sync:
            switch try reader.varUint() {
            case SyncType.step1: self = .syncStep1(Array(try reader.varBytes()))
            case SyncType.step2: self = .syncStep2(Array(try reader.varBytes()))
            case SyncType.update: self = .update(Array(try reader.varBytes()))
            case let other: throw .malformed("sync message of unknown type \(other)", offset: reader.offset)
            }
        case MessageType.awareness: self = .awareness(Array(try reader.varBytes()))
        case MessageType.queryAwareness: self = .queryAwareness
        case MessageType.stateless: self = .stateless(try reader.varString())
        case let other: self = .unknown(other)
        }
    }
}

/// Frames from the server, one message each, in the plain framing; `Framing.encode` makes the others of them.
public enum ServerFrame {
    public static func syncStep1(stateVector: [UInt8]) -> [UInt8] { sync(SyncType.step1, stateVector) }
    public static func syncStep2(update: [UInt8]) -> [UInt8] { sync(SyncType.step2, update) }
    public static func update(_ update: [UInt8]) -> [UInt8] { sync(SyncType.update, update) }

    /// The update in a frame that `update` made; nil for any other frame.
    public static func updateBytes(of frame: [UInt8]) -> ArraySlice<UInt8>? {
        guard frame.starts(with: updateStart) else { return nil }
        var reader = ByteReader(frame[updateStart.count...])
        return try? reader.varBytes()
    }

    private static let updateStart = [UInt8(MessageType.sync), UInt8(SyncType.update)]

    public static func awareness(_ update: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(update.count + 6)
        frame.appendVarUint(MessageType.awareness)
        frame.appendVarBytes(update)
        return frame
    }

    /// "Permission denied" with a reason, the one message by which a refusal is said in band.
    public static func permissionDenied(reason: String) -> [UInt8] {
        var frame = permissionDeniedStart
        frame.appendVarBytes(reason.utf8)
        return frame
    }

    static let permissionDeniedStart: [UInt8] = [UInt8(MessageType.auth), 0]

    public static func stateless(_ json: String) -> [UInt8] {
        var frame: [UInt8] = []
        frame.appendVarUint(MessageType.stateless)
        frame.appendVarBytes(json.utf8)
        return frame
    }

    /// The document is open. Only for the multiplexed framing.
    public static func authenticated(mayWrite: Bool) -> [UInt8] {
        var frame: [UInt8] = []
        frame.appendVarUint(MessageType.auth)
        frame.appendVarUint(NamedAuthType.authenticated)
        frame.appendVarBytes((mayWrite ? "read-write" : "readonly").utf8)
        return frame
    }

    /// A write of the client is on disk, or was refused. Only for the multiplexed framing.
    public static func syncStatus(isSaved: Bool) -> [UInt8] {
        var frame: [UInt8] = []
        frame.appendVarUint(MessageType.syncStatus)
        frame.appendVarUint(isSaved ? 1 : 0)
        return frame
    }

    /// The server has closed the document; the socket stays. Only for the multiplexed framing.
    public static func close(reason: String) -> [UInt8] {
        var frame: [UInt8] = []
        frame.appendVarUint(MessageType.close)
        frame.appendVarBytes(reason.utf8)
        return frame
    }

    private static func sync(_ type: UInt64, _ field: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(field.count + 7)
        frame.appendVarUint(MessageType.sync)
        frame.appendVarUint(type)
        frame.appendVarBytes(field)
        return frame
    }
}

enum MessageType {
    static let sync: UInt64 = 0
    static let awareness: UInt64 = 1
    static let auth: UInt64 = 2
    static let queryAwareness: UInt64 = 3
    static let stateless: UInt64 = 5
    static let close: UInt64 = 7
    static let syncStatus: UInt64 = 8
}

enum SyncType {
    static let step1: UInt64 = 0
    static let step2: UInt64 = 1
    static let update: UInt64 = 2
}
