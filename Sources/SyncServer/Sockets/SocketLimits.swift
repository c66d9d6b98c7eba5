import Rooms

/// The bounds of sockets that an installation may set; see `Limits` for those that are fixed.
public struct SocketLimits: Sendable, Equatable {
    /// One WebSocket message from a client, bytes.
    public var messageBytes = Limits.messageBytes
    /// What one socket, and all sockets of one user, may send in a second before they are read more slowly, and at once.
    public var socketMessages = Rate(perSecond: 2_500, burst: 5_000)
    public var socketBytes = Rate(perSecond: 8 * 1_048_576, burst: 32 * 1_048_576)
    public var userMessages = Rate(perSecond: 10_000, burst: 20_000)
    public var userBytes = Rate(perSecond: 16 * 1_048_576, burst: 64 * 1_048_576)
    /// Work that a user's writes may cause beyond their size (`Document.work`).
    public var userWork = Rate(perSecond: 20_000_000, burst: 200_000_000)
    /// Open sockets of one user, and from one address: none takes all places.
    public var socketsPerUser = 256
    public var socketsPerAddress = 16_384
    /// Documents open on one multiplexed socket.
    public var documentsPerSocket = Limits.channels
    /// What a client may send before its token is checked: frames a document, bytes a document; and how long the check
    /// and the loading of the room may take, s.
    public var admissionFrames = Limits.earlyFrames
    public var admissionBytes = 2 << 20
    public var admissionSeconds = 15

    public init() {}

    public static let standard = SocketLimits()
}

/// So much a second, and so much at once for who was quiet.
public struct Rate: Sendable, Equatable {
    public var perSecond: Double
    public var burst: Double

    public init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}
