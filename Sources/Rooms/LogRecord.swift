/// One record of a room's log. The log is the truth: every prefix of it is a state of the room.
public struct LogRecord: Sendable, Equatable {
    public enum Kind: UInt8, Sendable {
        /// A Yjs update of `document`.
        case update = 0
        /// A submission was received: its place here is its order.
        case submission = 1
        /// A submission was judged.
        case verdict = 2
        /// Another event of the battle machine.
        case battle = 3
        /// The place of a record that was lost to damage; the payload is the reason, as text. It keeps the numbers
        /// behind it, and says nothing.
        case lost = 4
    }

    /// The room's own contiguous number, from 1.
    public var sequence: Int64
    public var kind: Kind
    /// Empty for records of no document.
    public var document: String
    /// The socket's user; empty for the server.
    public var author: String
    /// When it was handed to the log, ms since 1970; never falls within a room.
    public var committedAtMs: Int64
    public var payload: [UInt8]
    /// Chat updates carry the nonces they honour (JSON), so that a repeated post is known after a restart.
    public var note: String?

    public init(
        sequence: Int64, kind: Kind, document: String, author: String, committedAtMs: Int64, payload: [UInt8],
        note: String? = nil
    ) {
        self.sequence = sequence
        self.kind = kind
        self.document = document
        self.author = author
        self.committedAtMs = committedAtMs
        self.payload = payload
        self.note = note
    }
}

/// The state of a room's documents at one sequence, so that loading need not replay everything.
public struct RoomSnapshot: Sendable, Equatable {
    public struct DocumentState: Sendable, Equatable {
        public var name: String
        /// `encodeStateAsUpdate`, version 1.
        public var state: [UInt8]
        /// Yjs client id → user who brought it.
        public var owners: [UInt64: String]

        public init(name: String, state: [UInt8], owners: [UInt64: String]) {
            self.name = name
            self.state = state
            self.owners = owners
        }
    }

    public var roomID: String
    public var sequence: Int64
    public var committedAtMs: Int64
    public var documents: [DocumentState]

    public init(roomID: String, sequence: Int64, committedAtMs: Int64, documents: [DocumentState]) {
        self.roomID = roomID
        self.sequence = sequence
        self.committedAtMs = committedAtMs
        self.documents = documents
    }
}

/// What a room is loaded from.
public struct RoomHistory: Sendable {
    public var snapshot: RoomSnapshot?
    /// All records after the snapshot, in order, without a hole.
    public var tail: [LogRecord]
    /// Records up to the snapshot that are no updates: submissions, verdicts, battle events.
    public var story: [LogRecord]
    /// Updates up to the snapshot of documents that are read with a delay; empty where nobody needs them.
    public var delayed: [LogRecord]
    /// Notes of records of the last ten minutes.
    public var notes: [LogRecord]
    /// What was found damaged and is in none of the above. A room is not made of a history with damage: it is
    /// repaired first.
    public var damage: [LogDamage]

    /// Whether nothing is damaged and the tail goes on from the snapshot without a hole.
    public var isSound: Bool {
        var sequence = snapshot?.sequence ?? 0
        return damage.isEmpty
            && tail.allSatisfy { record in
                defer { sequence = record.sequence }
                return record.sequence &- 1 == sequence
            }
    }
    /// All payloads of the room's log, bytes.
    public var logBytes = 0

    public init(
        snapshot: RoomSnapshot?, tail: [LogRecord], story: [LogRecord], delayed: [LogRecord],
        notes: [LogRecord], damage: [LogDamage] = []
    ) {
        self.snapshot = snapshot
        self.tail = tail
        self.story = story
        self.delayed = delayed
        self.notes = notes
        self.damage = damage
    }
}
