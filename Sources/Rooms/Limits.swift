/// Every bound of this module, in one place.
public enum Limits {
    /// A sync frame or update from a client, bytes.
    public static let updateBytes = 1 << 20
    /// Approximate memory of one document after which it takes no more writes, bytes.
    public static let documentBytes = 16 << 20
    public static let openDocumentBytes = 32 << 20
    /// All that was written into a room's log, bytes.
    public static let logBytes = 1 << 30
    /// Work of a document (`Document.work`) that a socket may cause before it is told to the host.
    static let workReport: UInt64 = 10_000
    /// Memory that a struct takes besides its content, about, bytes.
    public static let structBytes = 100
    /// Updates of a document that wait for delayed readers, bytes; past it the document takes no more writes.
    public static let delayedBytes = 32 << 20
    /// An update may lack its dependencies for so many checks, so far apart, before the writer is refused, ms.
    public static let gapChecks = 4
    public static let gapCheckMs: Int64 = 1_000
    /// Client ids whose updates a socket may send with a gap.
    public static let gapClients = 64
    /// Files in a room's document.
    public static let files = 64
    public static let fileNameBytes = 64
    /// Sockets in one room.
    public static let subscribers = 20_000
    /// Of these, places that only participants get.
    public static let participantPlaces = 256
    /// Yjs client ids announced by one socket's awareness.
    public static let awarenessClients = 4
    /// One awareness frame, bytes.
    public static let awarenessBytes = 16 << 10
    /// States of those who may not write that are told to others, a document (of the rest the `state` document has the
    /// number); their size, and how many one socket may announce a second. All that goes to thousands.
    public static let presentReaders = 20
    public static let readerStateBytes = 2 << 10
    public static let readerAnnouncements = 20
    /// How often those who only read are told whose presence changed, ms.
    public static let presenceNewsMs: Int64 = 1_000
    /// A socket that asks who is present is answered so often at most, ms.
    public static let greetingMs: Int64 = 1_000
    /// A state not renewed for so long is dropped (y-protocols), ms.
    public static let awarenessTimeoutMs: Int64 = 30_000
    public static let presenceCheckMs: Int64 = 3_000
    /// A stateless message, bytes: over the longest chat line, so that a longer one is told why.
    public static let statelessBytes = 256 << 10
    /// A chat line, UTF-16 units.
    public static let chatLength = 500
    /// Records of one room that recovery may mark as lost; more are a matter for whoever has the backup.
    public static let lostRecords = 100_000
    /// Lines kept in a chat document.
    public static let chatHistory = 500
    /// Chat lines an author may post in `chatWindowMs`.
    public static let chatBurst = 5
    public static let chatWindowMs: Int64 = 10_000
    /// Lines that all who are no participants may post in `chatWindowMs` together.
    public static let chatWatchersBurst = 100
    /// The same line an author may post in `chatRepeatMs`.
    public static let chatRepeats = 2
    public static let chatRepeatMs: Int64 = 30_000
    /// How long an author's lines are remembered for these rules, ms.
    static let chatMemoryMs: Int64 = 30_000
    /// Authors remembered for these rules, a room; slow mode may hold each for an hour.
    static let chatAuthors = 65_536
    /// People that one line mentions, and the length of their handles.
    public static let mentions = 8
    static let mentionLength = 3...20
    /// A moderator's reason, UTF-16 units.
    public static let chatReason = 200
    /// People muted in a room, and for how long at most, s.
    public static let mutes = 500
    public static let muteSeconds = 31_536_000
    /// The longest pause of slow mode, s.
    public static let slowModeSeconds = 3_600
    /// How long a nonce is honoured, ms, and how many are remembered in a room.
    public static let nonceMs: Int64 = 600_000
    public static let nonces = 4_096
    /// Entries of the `events` array of a state document.
    public static let stateEvents = 2_000
    /// Records accepted and not yet committed, a room; past it sockets stop being read.
    public static let uncommittedBytes = 16 << 20
    /// Client ids below it belong to the server.
    public static let reservedClients: UInt64 = 256
    /// Client ids of edits by HTTP, one a user and document. The server's, so that no replica of a client uses them.
    public static let editorClients: ClosedRange<UInt64> = 2...255
    /// Named versions of a document, and the length of a name in UTF-16 units.
    public static let versions = 1_000
    public static let versionNameLength = 100
    /// How often the number of spectators is written, ms.
    public static let spectatorCountMs: Int64 = 1_000
    /// A submission waits so long for a document to cover its state vector, ms.
    public static let coverMs: Int64 = 2_000
    /// Submissions of one user that have no verdict, a room.
    public static let unjudgedSubmissions = 16
    /// Requests that wait for cover, a room.
    public static let coverWaiters = 64
    /// Presence of writers kept back for delayed readers, entries a document.
    public static let delayedPresence = 256
    /// Update records since the last snapshot after which a new one is taken.
    public static let snapshotEvery = 500
}

/// The client id under which the server writes.
public let serverClientID: UInt64 = 1
