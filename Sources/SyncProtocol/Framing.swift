/// How the messages of a document travel on a socket. The messages are the same; see protocol/sync.md.
public enum Framing: Hashable, Sendable {
    /// y-websocket's: one document a socket, named by the socket's path.
    case plain
    /// Hocuspocus's: one socket for many documents; each message begins with its document's name.
    case named(String)

    /// Whether clients of this framing know sync status; others are not sent it.
    public var knowsSyncStatus: Bool { self != .plain }

    /// A message of `ServerFrame` as this framing spells it.
    ///
    /// - Complexity: O(frame size); the plain framing hands the same bytes back.
    public func encode(_ frame: [UInt8]) -> [UInt8] {
        guard case .named(let name) = self else { return frame }
        var named: [UInt8] = []
        named.reserveCapacity(name.utf8.count + frame.count + 10)
        named.appendVarBytes(name.utf8)
        if frame.starts(with: ServerFrame.permissionDeniedStart) {
            // The one message with another number: 0 asks a Hocuspocus client for its token.
            named.appendVarUint(MessageType.auth)
            named.appendVarUint(NamedAuthType.permissionDenied)
            named.append(contentsOf: frame.dropFirst(ServerFrame.permissionDeniedStart.count))
        } else {
            named.append(contentsOf: frame)
        }
        return named
    }
}

/// A message from a client in the multiplexed framing: the document's name, then what is said about it.
public struct NamedFrame: Equatable, Sendable {
    public enum Content: Equatable, Sendable {
        /// The client asks to open the document with this token.
        case token(String)
        /// The client leaves the document; the socket stays.
        case close
        /// Any other message, as `ClientMessage` reads it.
        case message(ArraySlice<UInt8>)
    }

    /// Messages of the connection itself, which name no document: Hocuspocus's ping and its answer.
    public static let ping: [UInt8] = [9]
    public static let pong: [UInt8] = [10]

    public let name: String
    private let body: ArraySlice<UInt8>

    /// Reads the name.
    ///
    /// - Throws: `FrameError` when the frame ends within it or it is no UTF-8.
    public init(decoding frame: ArraySlice<UInt8>) throws(FrameError) {
        var reader = ByteReader(frame)
        name = try reader.varString()
        body = reader.rest
    }

    /// Reads what follows the name.
    ///
    /// - Throws: `FrameError` when the type or a token cannot be read. The content of other messages is not looked at.
    public func content() throws(FrameError) -> Content {
        var reader = ByteReader(body)
        switch try reader.varUint() {
        case MessageType.auth where try reader.varUint() == NamedAuthType.token:
            // The client's version may follow; nothing depends on it.
            return .token(try reader.varString())
        case MessageType.close: return .close
        default: return .message(body)
        }
    }
}

/// What an auth message says in the multiplexed framing.
enum NamedAuthType {
    static let token: UInt64 = 0
    static let permissionDenied: UInt64 = 1
    static let authenticated: UInt64 = 2
}
