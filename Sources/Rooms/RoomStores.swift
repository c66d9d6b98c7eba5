/// Why an append is not in the log.
public enum RoomLogError: Error, Equatable, Sendable {
    /// There was no space: nothing of it is there. The same append may be tried again.
    case full
    /// Its records do not go on where the log ends: another writer was there. Nothing of it is there.
    case refused(String)
    /// Writing or syncing failed: it may be on disk or not. It is never tried again; what is there is read.
    case failed(String)
}

/// The append-only log of all rooms. An append is acknowledged only after it is on disk.
public protocol RoomLog: Sendable {
    /// Appends records of one room; all of them or none. `completion` runs on any thread, after the commit that
    /// covers them was synced to disk, or with the error that prevented it. A sequence that is taken already is an
    /// error: one writer a room.
    func append(
        _ records: [LogRecord], room: String,
        completion: @escaping @Sendable (Result<Void, RoomLogError>) -> Void)
    /// What a room is loaded from. `delayedDocuments` are those whose earlier updates are wanted too.
    func history(of room: String, delayedDocuments: [String], notesSinceMs: Int64) async throws -> RoomHistory
    /// Keeps the newest two snapshots of a room. `trimsLog`: records that the older of them covers are no longer wanted.
    func save(_ snapshot: RoomSnapshot, trimsLog: Bool) async throws
    /// Marks what is lost, in its place; what was there is set aside.
    func repair(_ recovery: LogRecovery, of room: String, atMs: Int64) async throws
    /// The records after `sequence`, in order: at most `limit`, fewer where they are long, none only at the end.
    func records(of room: String, after sequence: Int64, limit: Int) async throws -> [LogRecord]
}

/// Rooms of which there is nothing but their log: open rooms. They come by being named, and go by being quiet.
public protocol OpenRoomLog: Sendable {
    /// How many rooms have a log and an id that begins with `prefix`.
    func roomCount(prefix: String) async throws -> Int
    /// Such rooms that nothing was written to since `beforeMs`, ms since 1970.
    func quietRooms(prefix: String, beforeMs: Int64, limit: Int) async throws -> [String]
    /// Removes all of a room.
    func remove(room: String) async throws
}

/// Keeps what rooms are.
public protocol RoomStore: Sendable {
    func create(_ room: RoomSpecification) async throws
    func room(_ id: String) async throws -> RoomSpecification?
    /// Raises the epoch of a room whose history was lost or replaced.
    func raiseEpoch(of roomID: String) async throws
    /// Stores a change; false where it changed nothing.
    func apply(_ change: RoomChange, to roomID: String) async throws -> Bool
    /// Pair rooms that a user made.
    func pairRooms(ownedBy userID: String) async throws -> Int
    /// Battles whose result was not settled yet: loaded when the server starts.
    func unsettledBattles() async throws -> [String]
    /// False when it was settled before.
    func markSettled(_ roomID: String) async throws -> Bool
    /// Invitation codes, each good for one acceptance until it expires.
    func createInvite(code: String, roomID: String, createdBy: String, expiresAtMs: Int64) async throws
    /// The room a code opens for that user now, and who made it; nil when unknown, used or expired.
    func invite(code: String, userID: String, atMs: Int64) async throws -> (
        roomID: String, createdBy: String
    )?
    /// Uses a code up: the room it opens, or nil when unknown, used or expired.
    func acceptInvite(code: String, userID: String, atMs: Int64) async throws -> String?
}

/// Keeps whom users do not want to hear.
public protocol BlockStore: Sendable {
    /// False where the user blocks as many as one may.
    func block(_ blockedID: String, by userID: String, limit: Int, atMs: Int64) async throws -> Bool
    func unblock(_ blockedID: String, by userID: String) async throws
    /// Whom a user blocks, the last blocked first.
    func blocked(by userID: String) async throws -> [BlockedUser]
    func isBlocked(_ otherID: String, by userID: String) async throws -> Bool
}

/// Somebody a user blocks.
public struct BlockedUser: Sendable, Equatable {
    public var userID: String
    /// ms since 1970.
    public var sinceMs: Int64

    public init(userID: String, sinceMs: Int64) {
        self.userID = userID
        self.sinceMs = sinceMs
    }
}

/// Makes rooms for the documents of service accounts.
public protocol HostedRoomStore: Sendable {
    /// The room of that id, made where there is none; nil when its owner has as many as it may have.
    func openHosted(_ room: RoomSpecification, atMost limit: Int) async throws -> RoomSpecification?
}
