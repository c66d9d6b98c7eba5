import CRDT
import ForeignStores
import Gateway
import Identity
import Rooms
import StorageSQLite
import SyncServer

/// Takes documents of other servers into rooms, while no server runs.
struct RoomTransfer {
    /// What became of one document.
    struct Outcome {
        var name: String
        var roomID: String
        /// Why it was not taken.
        var fault: String?
        /// False where the room had all of it.
        var changed = false

        var isTaken: Bool { fault == nil }

        var json: Value {
            var fields: [(String, Value)] = [
                ("name", .string(name)), ("room", .string(roomID)), ("imported", .bool(isTaken)),
                ("changed", .bool(changed)),
            ]
            if let fault { fields.append(("error", .string(fault))) }
            return .object(fields.map { Value.Entry($0.0, $0.1) })
        }
    }

    private let lock: FolderLock
    private let database: CoduelDatabase
    private let rooms: RoomStoreSQLite
    private let log: RoomLogSQLite
    private let account: ServiceAccount?
    private let environment = IdentityEnvironment.system

    init(data: String, serviceAccount: String?) async throws {
        database = try CoduelDatabase.open(folder: data)
        lock = try FolderLock(data)
        rooms = RoomStoreSQLite(database)
        log = try RoomLogSQLite(folder: data)
        account = try await Self.account(serviceAccount, database)
    }

    func close() async throws {
        log.drain()
        try database.close()
        lock.release()
    }

    static func account(_ name: String?, _ database: CoduelDatabase) async throws -> ServiceAccount? {
        guard let name else { return nil }
        guard let account = try await ServiceAccountStoreSQLite(database).account(named: name) else {
            throw CommandFailure(["there is no service account \(name)"])
        }
        return account
    }

    /// Merges a document into its room, as one record of the log.
    func take(_ document: ForeignDocument, isV2: Bool) async throws -> Outcome {
        let roomID =
            account.map { SyncTokenRoutes.roomID(of: document.name, $0.id) } ?? OpenRoom.id(of: document.name)
        var outcome = Outcome(name: document.name, roomID: roomID)
        let limit = account == nil ? OpenRoom.maximumNameBytes : GatewayLimits.hostedNameBytes
        guard (1...limit).contains(document.name.utf8.count) else {
            outcome.fault = "the name has more than \(limit) bytes, or none"
            return outcome
        }
        let update: Update
        do throws(UpdateError) {
            update = try Self.merged(document, isV2: isV2)
        } catch {
            outcome.fault = "no readable update: \(error.message)"
            return outcome
        }
        if let account {
            let room = RoomSpecification(
                id: roomID, kind: .hosted, visibility: .private, ownerID: account.id, language: "python",
                participants: [], createdAtMs: environment.now(), name: document.name)
            guard try await rooms.openHosted(room, atMost: account.quotas.documents) != nil else {
                outcome.fault = "the account has all the documents it can have"
                return outcome
            }
        }
        try await write(update, to: roomID, &outcome)
        return outcome
    }

    /// All updates as one document's state.
    private static func merged(_ document: ForeignDocument, isV2: Bool) throws(UpdateError) -> Update {
        let replica = Document(clientID: 0)
        for bytes in document.updates {
            if isV2 { try replica.applyUpdateV2(bytes) } else { try replica.applyUpdate(bytes) }
        }
        return try Update(decodingV1: replica.encodeStateAsUpdate())
    }

    private func write(_ update: Update, to roomID: String, _ outcome: inout Outcome) async throws {
        let loaded = try await LoggedDocuments(roomID, in: log)
        let known = loaded.documents[DocumentName.main] ?? Document(clientID: 0)
        switch known.readiness(of: update) {
        case .redundant: return
        case .missing:
            outcome.fault = "updates are missing that others build on"
            return
        case .ready: break
        }
        let limit = account == nil ? Rooms.Limits.openDocumentBytes : Rooms.Limits.documentBytes
        guard known.byteSize + update.byteCount + update.structCount * Rooms.Limits.structBytes <= limit
        else {
            outcome.fault = "the document is larger than a room may be (\(limit >> 20) MiB in memory)"
            return
        }
        let record = LogRecord(
            sequence: loaded.sequence + 1, kind: .update, document: DocumentName.main, author: "",
            committedAtMs: max(loaded.committedAtMs, environment.now()), payload: update.bytes)
        try await withCheckedThrowingContinuation { continuation in
            log.append([record], room: roomID) { continuation.resume(with: $0) }
        }
        outcome.changed = true
    }
}

/// Writes what rooms hold.
struct RoomExport {
    private let database: CoduelDatabase
    private let rooms: RoomStoreSQLite
    private let log: RoomLogSQLite
    private let account: ServiceAccount?
    private let wanted: [String]

    init(data: String, serviceAccount: String?, rooms wanted: [String]) async throws {
        database = try CoduelDatabase.open(folder: data)
        rooms = RoomStoreSQLite(database)
        log = try RoomLogSQLite(folder: data)
        account = try await RoomTransfer.account(serviceAccount, database)
        self.wanted = wanted
    }

    func close() throws { try database.close() }

    func ids() async throws -> [String] {
        wanted.isEmpty ? try await log.roomIDs() : wanted
    }

    /// The documents of a room by the names they go by elsewhere; those that the server writes are left out.
    func documents(of id: String) async throws -> [ForeignDocument] {
        let room = try await rooms.room(id)
        if let account, room?.ownerID != account.id || room?.kind != .hosted { return [] }
        let loaded = try await LoggedDocuments(id, in: log)
        return loaded.documents.keys.sorted().compactMap { name in
            guard let document = loaded.documents[name], !DocumentName.isServerWritten(name) else {
                return nil
            }
            let outer = OpenRoom.name(ofID: id) ?? room?.name ?? "\(id)/\(name)"
            return ForeignDocument(name: outer, updates: [document.encodeStateAsUpdate()])
        }
    }
}

/// A room's documents, from its log.
private struct LoggedDocuments {
    var documents: [String: Document] = [:]
    var sequence: Int64 = 0
    var committedAtMs: Int64 = 0

    init(_ roomID: String, in log: RoomLogSQLite) async throws {
        let history = try await log.history(of: roomID, delayedDocuments: [], notesSinceMs: .max)
        guard history.damage.isEmpty else {
            throw CommandFailure(["the log of \(roomID) is damaged: start the server, which repairs it"])
        }
        if let snapshot = history.snapshot {
            (sequence, committedAtMs) = (snapshot.sequence, snapshot.committedAtMs)
            for saved in snapshot.documents { try apply(saved.state, to: saved.name, at: snapshot.sequence) }
        }
        for record in history.tail {
            if record.kind == .update { try apply(record.payload, to: record.document, at: record.sequence) }
            (sequence, committedAtMs) = (record.sequence, record.committedAtMs)
        }
    }

    private mutating func apply(_ update: [UInt8], to name: String, at sequence: Int64) throws {
        let document = documents[name] ?? Document(clientID: 0)
        documents[name] = document
        do throws(UpdateError) {
            try document.applyUpdate(update)
        } catch {
            throw CommandFailure(["record \(sequence) of the log cannot be read: \(error.message)"])
        }
    }
}
