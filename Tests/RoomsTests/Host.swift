import Battles
import CRDT
import Rooms
import SyncProtocol
import Testing

/// Plays the host of a room: carries out its actions with a clock that stands still unless told, a log in memory, and
/// commits at moments of the test's choosing. Every frame is checked against what is committed.
final class Host {
    struct Socket {
        let caller: RoomCaller
        let document: String
        var tier: Tiers
        var heard: [Heard] = []
        var frames: [[UInt8]] = []
        /// What the client behind it has not taken yet.
        var inbox: [Heard] = []
        var closed: DoorRefusal?
    }

    private(set) var room: Room
    private(set) var log = MemoryLog()
    private(set) var inFlight: [LogRecord]?
    var nowMs: Int64
    var sockets: [SubscriberID: Socket] = [:]
    var taken: [TakenSubmission] = []
    var refusedRequests: [UInt64: SubmissionRefusal] = [:]
    var finishedWrites: [SubscriberID: DocumentWriteOutcome] = [:]
    var results: [BattleResult] = []
    var missingVerdicts: [String] = []
    var alarms: [String] = []
    var wantsSnapshot = false
    var worked: [SubscriberID: UInt64] = [:]
    var limited: [SubscriberID: [RoomLimit]] = [:]
    var notices: [UserNotice] = []
    /// Chat lines that left their documents, by document.
    private(set) var archived: [String: [ChatLine]] = [:]
    var archiveWorks = true
    var acknowledged: [SubscriberID: Int] = [:]
    var refusedWrites: [SubscriberID: Int] = [:]
    /// Batches are committed as soon as they are handed out.
    var commitsAtOnce = true
    private var nextID: UInt64 = 1
    private var answers: [(inout Room) -> Void] = []
    private var committed: [String: Document] = [:]
    /// Documents as delayed readers may know them: records older than the delay.
    private var aged: [String: (next: Int, document: Document)] = [:]

    private let ports: RoomPorts

    init(
        _ specification: RoomSpecification, limits: RoomLimits = .standard, ports: RoomPorts = .test,
        atMs: Int64 = RoomSpecification.createdAtMs
    ) throws {
        nowMs = atMs
        self.ports = ports
        room = try Room(
            loading: MemoryLog().history(of: specification, atMs: atMs), of: specification, limits: limits,
            ports: ports, atMs: atMs)
        perform()
    }

    // MARK: Acting

    @discardableResult
    func act<Outcome>(_ body: (inout Room, Int64) throws -> Outcome) rethrows -> Outcome {
        defer { perform() }
        return try body(&room, nowMs)
    }

    func newID(_ prefix: String = "id") -> String {
        nextID += 1
        return "\(prefix)-\(nextID)"
    }

    func open(_ caller: RoomCaller, _ document: String) throws -> SubscriberID {
        nextID += 1
        let id = nextID
        sockets[id] = Socket(caller: caller, document: document, tier: [])
        do {
            let tier = try room.join(id, caller, document: document, atMs: nowMs)
            sockets[id]?.tier = tier
        } catch {
            sockets[id] = nil
            throw error
        }
        perform()
        return id
    }

    func close(_ id: SubscriberID) {
        sockets[id] = nil
        act { room, atMs in room.leave(id, atMs: atMs) }
    }

    func send(_ message: Inbound, from id: SubscriberID) {
        act { room, atMs in room.receive(message, from: id, atMs: atMs) }
    }

    func send(_ update: [UInt8], from id: SubscriberID, isStep2: Bool = false) throws {
        send(.update(try Update(decodingV1: update), isStep2: isStep2), from: id)
    }

    func say(_ json: String, from id: SubscriberID, newID: String? = nil) {
        send(.stateless(json, newID: newID ?? self.newID()), from: id)
    }

    /// The batch on its way reaches the disk.
    func commit() {
        guard let batch = inFlight else { return }
        inFlight = nil
        log.records += batch
        for record in batch where record.kind == .update {
            try? committedReplica(record.document).applyUpdate(record.payload)
        }
        act { room, atMs in room.committed(atMs: atMs) }
    }

    func settle() {
        while inFlight != nil { commit() }
    }

    /// Lets time pass, with every wake on its way.
    func pass(_ milliseconds: Int64) {
        let end = nowMs + milliseconds
        var wakes = 0
        while let due = room.nextWakeMs, due <= end, wakes < 100_000 {
            wakes += 1
            nowMs = max(nowMs, due)
            act { room, atMs in room.tick(atMs: atMs) }
            if wakes > 99_990 { Issue.record("the room never stops waking") }
            // A time event on its way moves nothing until it is on disk.
            if due <= nowMs, room.nextWakeMs == due { break }
        }
        nowMs = end
        act { room, atMs in room.tick(atMs: atMs) }
    }

    func saveSnapshot() {
        if let snapshot = room.snapshot(), snapshot.sequence > (log.snapshot?.sequence ?? 0) {
            log.snapshot = snapshot
        }
    }

    /// The process dies: what was on its way is lost or, when told, just made it. Everything is loaded anew.
    func crash(losesBatch: Bool = true) throws {
        if let batch = inFlight, !losesBatch { log.records += batch }
        inFlight = nil
        sockets = [:]
        answers = []
        taken = []
        missingVerdicts = []
        let specification = room.specification
        room = try Room(
            loading: log.history(of: specification, atMs: nowMs), of: specification, ports: ports,
            atMs: nowMs)
        committed = [:]
        for name in specification.documentNames { committed[name] = log.document(name) }
        aged = [:]
        perform()
    }

    func replaceLog(_ body: (inout MemoryLog) -> Void) { body(&log) }

    // MARK: Actions

    private func perform() {
        for action in room.takeActions() {
            switch action {
            case .append(let records):
                #expect(inFlight == nil, "one batch at a time")
                #expect(records.first?.sequence == (log.records.last?.sequence ?? 0) + 1, "no holes")
                inFlight = records
            case .broadcast(let document, let tiers, let frame):
                for (id, socket) in sockets where socket.document == document && tiers.contains(socket.tier) {
                    deliver(frame, to: id)
                }
            case .send(let id, let frame): deliver(frame, to: id)
            case .close(let id, let refusal): sockets[id]?.closed = refusal
            case .move(let id, let tier): sockets[id]?.tier = tier
            case .submissionTaken(let submission): store(submission)
            case .submissionRefused(let requestID, let refusal): refusedRequests[requestID] = refusal
            case .verdictMissing(let id): missingVerdicts.append(id)
            case .battleFinished(let result): results.append(result)
            case .snapshotDue: wantsSnapshot = true
            case .alarm(let text): alarms.append(text)
            case .worked(let id, let work): worked[id, default: 0] += work
            case .limited(let id, let limit): limited[id, default: []].append(limit)
            case .notify(let notice): notices.append(notice)
            case .archiveChat(let document, let lines):
                let stores = archiveWorks
                if stores { archive(lines, of: document) }
                answers.append { $0.chatArchived(document: document, isStored: stores) }
            case .acknowledged(let id, let count): acknowledged[id, default: 0] += count
            case .writeFinished(let id, let outcome): finishedWrites[id] = outcome
            case .refused(let id): refusedWrites[id, default: 0] += 1
            }
        }
        if commitsAtOnce { settle() }
        let due = answers
        answers = []
        for answer in due { act { room, _ in answer(&room) } }
    }

    private func archive(_ lines: [ChatLine], of document: String) {
        for line in lines {
            if let index = archived[document, default: []].firstIndex(where: { $0.id == line.id }) {
                archived[document]?[index] = line
            } else {
                archived[document, default: []].append(line)
            }
        }
    }

    /// Stores the row at once, as a host with a fast database would.
    private func store(_ submission: TakenSubmission) {
        taken.append(submission)
        guard case .socket(let id, let nonce) = submission.reply else { return }
        answers.append { $0.answerSubmission(nonce: nonce, id: submission.id, isStored: true, to: id) }
    }

    private func deliver(_ frame: [UInt8], to id: SubscriberID) {
        guard let socket = sockets[id] else { return }
        let heard = Heard(frame)
        check(heard, socket)
        sockets[id]?.heard.append(heard)
        sockets[id]?.frames.append(frame)
        sockets[id]?.inbox.append(heard)
    }

    // MARK: Checks

    /// Nothing uncommitted is ever sent, and nothing too young to delayed readers.
    private func check(_ heard: Heard, _ socket: Socket) {
        switch heard {
        case .step1(let vector):
            #expect(replica(for: socket).stateVector.covers(vector), "step 1 counts only what is committed")
        case .step2(let bytes), .update(let bytes):
            guard let update = try? Update(decodingV1: bytes) else {
                Issue.record("an update that cannot be decoded was sent")
                return
            }
            #expect(
                replica(for: socket).readiness(of: update) == .redundant,
                "\(socket.caller.userID) was sent of \(socket.document) what is not committed or too young")
        case .message(let message):
            let id = message["id"]?.string
            if message["type"] == "chat.accepted" {
                let lines = [DocumentName.chat, DocumentName.watchersChat].flatMap { name in
                    (committed[name] ?? Document(clientID: 9)).array("messages")
                }
                #expect(
                    lines.contains { $0["id"]?.string == id }, "a line is acknowledged when it is on disk")
            } else if message["type"] == "submit.accepted" {
                #expect(
                    log.records.contains { $0.kind == .submission && text($0.payload).contains(id ?? "?") })
            }
        case .presence, .denied, .other: break
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func replica(for socket: Socket) -> Document {
        guard socket.tier == .delayed || (socket.tier == [] && isDelayed(socket)),
            room.battle?.phase != .finished
        else {
            return committedReplica(socket.document)
        }
        guard case .seconds(let seconds) = room.specification.spectatorDelay else {
            return Document(clientID: 9)
        }
        var (next, document) = aged[socket.document] ?? (0, Document(clientID: 9))
        while next < log.records.count,
            log.records[next].committedAtMs + Int64(min(seconds, 604_800)) * 1_000 <= nowMs
        {
            let record = log.records[next]
            if record.kind == .update, record.document == socket.document {
                try? document.applyUpdate(record.payload)
            }
            next += 1
        }
        aged[socket.document] = (next, document)
        return document
    }

    private func committedReplica(_ name: String) -> Document {
        let document = committed[name] ?? Document(clientID: 9)
        committed[name] = document
        return document
    }

    private func isDelayed(_ socket: Socket) -> Bool {
        room.policy.access(to: socket.document, for: socket.caller) == .delayedRead
    }

    // MARK: Reading

    func committedDocument(_ name: String) -> Document { log.document(name) }

    func heard(by id: SubscriberID) -> [Heard] { sockets[id]?.heard ?? [] }
    func denials(of id: SubscriberID) -> [String] { heard(by: id).compactMap(\.denial) }
    func messages(to id: SubscriberID) -> [Value] { heard(by: id).compactMap(\.message) }

    func forget() {
        for id in sockets.keys {
            sockets[id]?.heard = []
            sockets[id]?.frames = []
        }
    }

    func takeInbox(of id: SubscriberID) -> [Heard] {
        defer { sockets[id]?.inbox = [] }
        return sockets[id]?.inbox ?? []
    }
}
