import Rooms
import SyncProtocol

/// A room's log as one caller may read it, up to where it reached when they asked. Reads page by page, so that a long
/// log is never in memory whole.
public struct RoomReplay: Sendable {
    public let policy: AccessPolicy
    public let caller: RoomCaller
    /// When the caller asked, ms since 1970: what they may see is what they might have seen then.
    public let atMs: Int64
    /// The last record of the replay.
    public let through: Int64
    let log: any RoomLog
    /// Takes out what moderation removed from the chat since.
    let redact: @Sendable ([LogRecord]) async throws(DoorRefusal) -> [LogRecord]

    /// The visible records of the next page, and after which sequence to go on; nil at the end.
    ///
    /// - Parameter document: the one whose records will be looked into; nil: all. What moderation removed is taken out of
    ///   chats that are.
    /// - Throws: `tryAgainLater` when the log cannot be read.
    public func page(
        after sequence: Int64, limit: Int, of document: String? = nil
    ) async throws(DoorRefusal) -> (records: [LogRecord], next: Int64?) {
        let read: [LogRecord]
        do {
            read = try await log.records(of: policy.specification.id, after: sequence, limit: limit)
        } catch {
            throw DoorRefusal(.tryAgainLater, "the log could not be read")
        }
        let page = read.prefix { $0.sequence <= through }
        let visible = page.filter { record in
            record.document.isEmpty || policy.sees(record, caller, atMs: atMs)
        }
        let showsChat = visible.contains { record in
            DocumentName.isChat(record.document) && (document == nil || document == record.document)
        }
        let shown = showsChat ? try await redact(visible) : visible
        guard let last = page.last?.sequence, last < through else { return (shown, nil) }
        return (shown, last)
    }
}

extension RoomDirectory {
    /// The log of a room for whoever may know of it.
    ///
    /// - Throws: `notFound` otherwise.
    public func replay(of roomID: String, for caller: RoomCaller) async throws(DoorRefusal) -> RoomReplay {
        let (policy, atMs, through) = try await with(roomID) { room, atMs in
            (room.policy, atMs, room.sequence)
        }
        let replay = RoomReplay(
            policy: policy, caller: caller, atMs: atMs, through: through, log: services.log,
            redact: { records throws(DoorRefusal) in
                try await self.with(roomID) { room, _ in room.redacted(records) }
            })
        guard replay.policy.maySee(caller) else { throw DoorRefusal(.notFound, "no such room") }
        return replay
    }
}
