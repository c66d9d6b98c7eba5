import CRDT
import Rooms
import SyncProtocol

/// A place in a room's history.
public enum HistoryPoint: Sendable, Equatable {
    case now
    /// With every record up to this one.
    case sequence(Int64)
    /// With every record committed up to then, ms since 1970.
    case time(Int64)
}

/// How an edit by HTTP ended.
public enum DocumentEditOutcome: Sendable, Equatable {
    /// On disk; `changed` is false where there was nothing to change.
    case saved(sequence: Int64, changed: Bool)
    case refused(WriteRefusal)
    /// A place does not exist, or holds something else.
    case impossible(EditError)
    case noSuchDocument
    case unavailable
}

// Reading and writing documents without a socket.
extension RoomDirectory {
    /// Writes an update as the caller; returns when it is on disk.
    public func write(
        _ update: Update, to document: String, of roomID: String, by caller: RoomCaller, editor: UInt64? = nil
    ) async throws(DoorRefusal) -> DocumentWriteOutcome {
        let host = try await host(of: roomID)
        let requestID = services.nextID()
        return await host.write(
            DocumentWrite(
                requestID: requestID, caller: caller, document: document, update: update, editor: editor))
    }

    /// Edits a document as the caller, from what is on disk; returns when the edit is. What others write meanwhile
    /// is merged, as with any client's.
    public func edit(
        _ document: String, of roomID: String, by caller: RoomCaller, _ change: DocumentChange
    ) async throws(DoorRefusal) -> DocumentEditOutcome {
        for attempt in 0..<Limits.editAttempts {
            let basis = try await with(roomID) { room, _ in
                Result { () throws(DoorRefusal) in try room.editingBasis(of: document, for: caller) }
            }.get()
            let update: Update
            do {
                guard let bytes = try basis.update(making: change) else {
                    return .saved(sequence: basis.copy.sequence, changed: false)
                }
                update = try Update(decodingV1: bytes)
            } catch let error as EditError {
                return .impossible(error)
            } catch {
                throw DoorRefusal(.tryAgainLater, "the document could not be read")
            }
            switch try await write(update, to: document, of: roomID, by: caller, editor: basis.clientID) {
            case .saved(let sequence): return .saved(sequence: sequence, changed: true)
            case .refused(let refusal): return .refused(refusal)
            case .noSuchDocument: return .noSuchDocument
            case .unavailable: return .unavailable
            case .stale:
                // Another edit of the same user is on its way to disk.
                try? await Task.sleep(for: Limits.editPause * (attempt + 1))
            }
        }
        throw DoorRefusal(.tryAgainLater, "others edit this document at the same time; try again")
    }

    /// A document as the caller may read it, now or as it was. What they may not see yet is left out, as if it had
    /// not been written.
    ///
    /// - Throws: `notFound` for a room or document they may not know of, and a place the log does not reach;
    ///   `forbidden` where nothing of it is theirs to read now.
    public func document(
        _ name: String, of roomID: String, for caller: RoomCaller, at point: HistoryPoint = .now
    ) async throws(DoorRefusal) -> DocumentCopy {
        let replay = try await replay(of: roomID, for: caller)
        guard let visible = replay.policy.visibleHistory(of: name, for: caller, atMs: replay.atMs) else {
            throw DoorRefusal(.notFound, "no such room or document")
        }
        guard visible != .nothing else {
            throw DoorRefusal(.forbidden, "this document is not yours to read now")
        }
        if point == .now, visible == .everything {
            return try await with(roomID) { room, _ in
                Result { () throws(DoorRefusal) in try room.copy(of: name, for: caller) }
            }.get()
        }
        if case .sequence(let sequence) = point, sequence > replay.through {
            throw DoorRefusal(.notFound, "the log does not reach that sequence yet")
        }
        return try await rebuild(name, replay, upTo: point, visible)
    }

    /// Applies the log to an empty document.
    private func rebuild(
        _ name: String, _ replay: RoomReplay, upTo point: HistoryPoint, _ visible: VisibleHistory
    ) async throws(DoorRefusal) -> DocumentCopy {
        guard rebuilds.begin() else {
            throw DoorRefusal(.tryAgainLater, "too many documents are being read back; try again")
        }
        defer { rebuilds.end() }
        let assembly = DocumentAssembly(name: name, createdAtMs: replay.policy.specification.createdAtMs)
        var after: Int64 = 0
        reading: while true {
            let (records, next) = try await replay.page(
                after: after, limit: Limits.replayRecords, of: name)
            for record in records {
                guard visible.includes(record), point.includes(record) else { break reading }
                try assembly.add(record)
            }
            guard let next else { break }
            after = next
        }
        return assembly.copy
    }
}

extension HistoryPoint {
    fileprivate func includes(_ record: LogRecord) -> Bool {
        switch self {
        case .now: true
        case .sequence(let sequence): record.sequence <= sequence
        case .time(let atMs): record.committedAtMs <= atMs
        }
    }
}

/// A document being put together from its records.
private final class DocumentAssembly {
    private let name: String
    private let document = Document(clientID: 0)
    private var owners: [UInt64: String] = [:]
    private var sequence: Int64 = 0
    private var atMs: Int64

    init(name: String, createdAtMs: Int64) {
        self.name = name
        atMs = createdAtMs
    }

    func add(_ record: LogRecord) throws(DoorRefusal) {
        sequence = record.sequence
        atMs = record.committedAtMs
        guard record.kind == .update, record.document == name else { return }
        guard let update = try? Update(decodingV1: record.payload) else {
            throw DoorRefusal(.tryAgainLater, "record \(record.sequence) of the log cannot be read")
        }
        document.apply(update)
        guard !record.author.isEmpty else { return }
        for range in update.ranges where owners[range.client] == nil { owners[range.client] = record.author }
    }

    var copy: DocumentCopy {
        DocumentCopy(
            document: name, sequence: sequence, atMs: atMs, state: document.encodeStateAsUpdate(),
            owners: owners)
    }
}
