import CRDT
import NIOCore

/// Every bound of this module, in one place.
public enum Limits {
    /// One WebSocket message from a client, bytes. A sync frame adds a few bytes to an update.
    public static let messageBytes = (1 << 20) + 64
    /// One update from a client. Integrating costs time that grows with the structs of an update times those it
    /// conflicts with; an editor sends one to a few, a client that was offline some thousands.
    public static let update: UpdateLimits = {
        var limits = UpdateLimits.standard
        limits.maxStructs = 20_000
        return limits
    }()
    /// Fragments of one message that carry nothing; the others are bounded by the message.
    public static let emptyFragments = 1_024
    /// Frames that may arrive while the token is being checked, a document.
    public static let earlyFrames = 64
    /// Documents open on one multiplexed socket; their names, and the tokens that open them, bytes.
    public static let channels = 32
    public static let nameBytes = 512
    public static let tokenBytes = 16 << 10
    /// Tokens that may be refused, or overtaken by the next, on a multiplexed socket before it is closed.
    public static let refusals = 32
    /// A multiplexed socket without an open document is closed after so long.
    public static let vacantTimeout = TimeAmount.seconds(30)
    /// Outbound buffer marks: above the high mark a socket is behind and sent no more until it drains to the low.
    public static let lowWaterMark = 64 << 10
    public static let highWaterMark = 512 << 10
    /// Messages to a client that agreed are compressed from and to these sizes: a small one does not shrink, a very
    /// large one would hold up its event loop.
    static let compressedMessageBytes = 1_024...262_144
    /// zlib's level and memory: the fastest, 256 KiB a compressor.
    static let compressionLevel: Int32 = 1
    static let compressionMemory: Int32 = 8
    /// Offers of extensions that are looked at in a request.
    static let extensionOffers = 16
    /// An audience of so many is told at most every `pausePerMember` times their number, `longestPause` at most.
    static let pacedAudience = 64
    static let pausePerMember = TimeAmount.microseconds(3)
    static let longestPause = TimeAmount.milliseconds(15)
    /// It waits so long for edits that are being committed, and looks so often whether the last write to all has ended.
    static let commitPause = TimeAmount.milliseconds(2)
    static let passPoll = TimeAmount.microseconds(500)
    /// Updates of one flush that are merged for those who only read, bytes.
    static let mergedBytes = 64 << 10
    /// Messages for one socket from this size are kept encoded for the next who gets the same, so many a room and so
    /// long.
    static let sharedMessageBytes = 16 << 10
    static let sharedMessages = 4
    static let sharedMessageTime = TimeAmount.seconds(5)
    /// Jobs whose memory a loop keeps for the next pass.
    static let keptJobs = 4_096
    /// State vectors that a room remembers for sockets that fall behind, and after how many records the next.
    static let checkpoints = 64
    static let checkpointEvery: Int64 = 64
    /// A ping is sent so often; a socket that said nothing for `idleTimeout` is closed.
    public static let pingInterval = TimeAmount.seconds(25)
    public static let idleTimeout = TimeAmount.seconds(75)
    /// Groups of sockets that are pinged one after another within the interval.
    static let keepAliveTurns = 25
    /// A socket that does not drain is given up after so long.
    public static let drainTimeout = TimeAmount.seconds(300)
    /// From sending a close frame to closing the connection without an answer.
    public static let closeTimeout = TimeAmount.seconds(2)
    /// A room that waits for a time of the day looks at the clock so often at least, ms.
    static let longestSleepMs: Int64 = 10_000
    /// How often a room measures how late its readers are told, at most.
    static let probeInterval = TimeAmount.seconds(1)
    /// A room without sockets is unloaded after so long.
    public static let unloadAfter = TimeAmount.seconds(60)
    /// Sessions whose end is remembered for sockets that are being admitted, and for how long at least, ms.
    public static let endedSessions = 10_000
    public static let endedSessionMs: Int64 = 60_000
    /// A batch that found no space on disk is tried again after so long.
    static let spaceRetry = TimeAmount.seconds(1)
    /// At shutdown, what is on its way to disk is waited for so long.
    static let drainDeadline = TimeAmount.seconds(3)
    /// How long a stop waits for open sockets after their rooms were told: for the rooms and for the closing handshake.
    static let socketsEnd = Duration.seconds(5.5)
    static let socketsEndPoll = Duration.milliseconds(10)
    /// A room that fails twice is not loaded again before this pause, which doubles up to the longest, ms. Forgotten
    /// after a while without failure.
    static let firstFailurePauseMs: Int64 = 250
    static let failurePauseMs: Int64 = 10_000
    static let failureMemoryMs: Int64 = 60_000
    /// How often a log is repaired in a row, and lost records that are named one by one.
    static let repairAttempts = 3
    static let toldLosses = 20
    /// Failed rooms that are remembered.
    static let failedRooms = 10_000
    /// Waits between attempts to load a battle again whose room failed.
    public static let resumePauses: [Duration] = [1, 2, 5, 10, 30, 60, 120, 300].map { .seconds($0) }
    /// Rooms in memory.
    public static let loadedRooms = 50_000
    /// Quiet open rooms removed in one go.
    static let removedOpenRooms = 1_000
    /// Attempts to reach a room that is being unloaded at that moment.
    public static let reachAttempts = 5
    /// Records read from the log at once when it is played back.
    public static let replayRecords = 500
    /// Documents rebuilt from the log at once.
    static let rebuilds = 4
    /// How often an edit by HTTP is made anew because another of the same user came first, and the pause before.
    static let editAttempts = 12
    static let editPause = Duration.milliseconds(4)

    /// A message that names a trace: its size, and how many wait for their submission to come out of the log.
    static let tracedMessageBytes = 4 << 10
    static let tracedMessages = 1_000
}
