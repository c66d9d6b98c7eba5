/// The append-only log of all rooms. An append is acknowledged only after it is on disk.
public protocol RoomLog: Sendable {
    /// Appends records of one room; all of them or none. `completion` runs on any thread, after the commit that
    /// covers them was synced to disk, or with the error that prevented it. A sequence that is taken already is an
    /// error: one writer a room.
    func append(
        _ records: [LogRecord], room: String,
        completion: @escaping @Sendable (Result<Void, any Error>) -> Void)
    /// What a room is loaded from. `delayedDocuments` are those whose earlier updates are wanted too.
    func history(of room: String, delayedDocuments: [String], notesSinceMs: Int64) async throws -> RoomHistory
    func save(_ snapshot: RoomSnapshot) async throws
    /// A page of the log for replay, in order, after `sequence`.
    func records(of room: String, after sequence: Int64, limit: Int) async throws -> [LogRecord]
}

/// Keeps what rooms are.
public protocol RoomStore: Sendable {
    func create(_ room: RoomSpecification) async throws
    func room(_ id: String) async throws -> RoomSpecification?
    func addParticipant(_ participant: Participant, to roomID: String) async throws
    /// Battles whose result was not settled yet: loaded when the server starts.
    func unsettledBattles() async throws -> [String]
    /// False when it was settled before.
    func markSettled(_ roomID: String) async throws -> Bool
    /// Invitation codes, each good for one acceptance until it expires.
    func createInvite(code: String, roomID: String, createdBy: String, expiresAtMs: Int64) async throws
    /// Uses a code up: the room it opens, or nil when unknown, used or expired.
    func acceptInvite(code: String, userID: String, atMs: Int64) async throws -> String?
}
