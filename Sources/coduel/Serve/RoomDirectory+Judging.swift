import Identity
import Judging
import Rooms
import SyncProtocol
import SyncServer

/// What judging by HTTP asks of rooms.
extension RoomDirectory {
    /// Submissions of others follow the rule of the document they were taken from.
    func canSee(_ submission: Submission, _ caller: Caller) async -> Bool {
        guard let origin = submission.origin else { return false }
        let access = try? await with(origin.roomID) { room, _ in
            room.policy.access(to: origin.document, for: RoomCaller(caller))
        }
        return access == .read || access == .write
    }

    /// The text of a file as `caller` may read it; without names, the caller's own document and the file of the
    /// room's language.
    func source(
        for caller: Caller, in roomID: String, document: String?, file: String?
    ) async throws -> String {
        let result: Result<String, DoorRefusal> = try await with(roomID) { room, _ in
            let caller = RoomCaller(caller)
            let name = document ?? room.ownDocument(of: caller)
            let file = file ?? room.fileName(of: room.specification.language)
            do throws(DoorRefusal) {
                return .success(try room.text(of: file, in: name, for: caller))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
