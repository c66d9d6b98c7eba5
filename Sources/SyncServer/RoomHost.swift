import Battles
import CRDT
import NIOCore
import Rooms
import SyncProtocol
import Traces

/// Runs one room on one event loop: feeds it frames, commits and time, and carries out its actions.
///
/// `@unchecked Sendable`: every stored variable is touched on `loop` alone; other loops only hold the reference and
/// hop here.
final class RoomHost: @unchecked Sendable {
    enum Status {
        /// Takes frames; writes too, unless the room is read-only for want of space.
        case live
        /// Takes nothing more, and waits until what is on its way to disk is there.
        case draining
        case drained
        case failed
    }

    typealias SubmissionResult = Result<StoredSubmission, SubmissionRefusalError>

    let id: String
    let kind: RoomKind
    let loop: any EventLoop
    let services: RoomServices
    private let onGone: @Sendable (RoomHost) -> Void
    private let onAccessChanged: @Sendable (_ roomID: String) -> Void
    /// Changed through `RoomHost` alone, and followed by `perform()`.
    var room: Room
    var status = Status.live
    var fanout: Fanout
    private var checkpoints = Checkpoints()
    private var willPerform = false
    private var pacing: (at: NIODeadline, task: Scheduled<Void>)?
    var requests: [UInt64: CheckedContinuation<SubmissionResult, Never>] = [:]
    var writes: [SubscriberID: CheckedContinuation<DocumentWriteOutcome, Never>] = [:]
    var traces = SubmissionTraces()
    var stalled: Set<SubscriberID> = []
    private var wake: (atMs: Int64, task: Scheduled<Void>)?
    private var unloading: Scheduled<Void>?
    /// Submissions whose row is being stored: no snapshot passes them.
    private var rowsBeingStored = 0
    var snapshotIsWanted = false
    /// A batch that found no space waits to be tried again.
    var spaceRetry: Scheduled<Void>?
    /// At shutdown: what sockets are told at the end, and the end at the latest.
    var draining: (refusal: DoorRefusal, deadline: Scheduled<Void>)?
    var nextProbe = NIODeadline.uptimeNanoseconds(0)
    /// What was told of the room last.
    private var isOccupied = false

    init(
        _ room: Room, on home: SocketLoop, services: RoomServices,
        onGone: @escaping @Sendable (RoomHost) -> Void,
        onAccessChanged: @escaping @Sendable (_ roomID: String) -> Void
    ) {
        id = room.specification.id
        kind = room.specification.kind
        self.room = room
        loop = home.loop
        fanout = Fanout(home: home, counting: services.registry.statistics.sent)
        self.services = services
        self.onGone = onGone
        self.onAccessChanged = onAccessChanged
    }

    /// Carries out what loading left to do. Call once.
    func begin() {
        perform()
    }

    // MARK: Sockets

    func join(_ channel: DocumentChannel, _ admission: SocketAdmission) throws(DoorRefusal) {
        loop.preconditionInEventLoop()
        guard status == .live else { throw DoorRefusal(.tryAgainLater, "the room is closing") }
        if let epoch = admission.epoch, epoch < room.specification.epoch {
            throw DoorRefusal(.reset, WriteRefusal.epoch.reason)
        }
        let tier = try room.join(
            channel.id, admission.caller, document: admission.document, atMs: services.now())
        fanout.add(channel, document: admission.document, tier: tier)
        traces.opened(channel.id, admission.trace)
        fanout.tell(channel.id) { $0.admitted(mayWrite: tier == .writers) }
        perform()
    }

    func leave(_ id: SubscriberID) {
        onLoop {
            self.fanout.remove(id)
            self.traces.closed(id)
            self.stalled.remove(id)
            guard self.status == .live else { return }
            self.room.leave(id, atMs: self.services.now())
            self.perform()
        }
    }

    func receive(_ message: Inbound, from channel: DocumentChannel) {
        let id = channel.id
        onLoop {
            guard self.status == .live else { return }
            self.traces.received(message)
            self.room.receive(message, from: id, atMs: self.services.now())
            self.performSoon()
            if self.isOverfull { self.stall(channel) }
        }
    }

    /// Too much waits for the disk. While the room is read-only nothing is added, and writers must hear that.
    private var isOverfull: Bool {
        room.uncommittedBytes > Rooms.Limits.uncommittedBytes && !room.isReadOnly
    }

    private func stall(_ channel: DocumentChannel) {
        guard stalled.insert(channel.id).inserted else { return }
        fanout.tell(channel.id) { $0.stall(true) }
    }

    /// Brings a socket level that was sent nothing for a while.
    ///
    /// - Parameters:
    ///   - known: what the client has at least.
    ///   - position: of the log, up to which it was sent all; nil where that is not known.
    func catchUp(_ channel: DocumentChannel, since known: StateVector, after position: Int64?) {
        onLoop {
            var known = known
            if let position, let document = self.room.document(of: channel.id),
                let sent = self.checkpoints.vector(of: document, upTo: position)
            {
                known.merge(sent)
            }
            guard let (frame, now) = self.room.catchUp(channel.id, since: known) else { return }
            let frames = self.fanout.encode([frame], for: channel)
            self.fanout.tell(channel.id) { $0.catchUp(frames, now: now) }
            self.room.receive(.queryAwareness, from: channel.id, atMs: self.services.now())
            self.perform()
        }
    }

    // MARK: Sessions

    /// Closes the sockets of a session that ended. On the loop.
    func endSession(_ sessionID: String) {
        guard status == .live else { return }
        room.endSession(sessionID)
        perform()
    }

    func onLoop(_ body: @escaping @Sendable () -> Void) {
        if loop.inEventLoop { body() } else { loop.execute(body) }
    }

    // MARK: Actions

    /// Carries out the room's actions. Frames of one run that go to the same sockets leave in one write.
    func perform() {
        for action in room.takeActions() {
            if case .broadcast(let document, let tiers, let frame) = action {
                fanout.broadcast(frame, document: document, tiers: tiers)
            } else {
                flush()
                perform(action)
            }
        }
        fanout.position = room.sequence
        flush()
        if checkpoints.isDue(at: room.sequence) { checkpoints.add(room.stateVectors, at: room.sequence) }
        tellOccupation(room.subscriberCount > 0)
        scheduleWake()
        scheduleUnloading()
    }

    /// Carries out the actions after what else the loop has to do now: messages that came together go to the log
    /// together.
    private func performSoon() {
        guard !willPerform else { return }
        willPerform = true
        loop.execute {
            self.willPerform = false
            guard self.status == .live else { return }
            self.perform()
        }
    }

    /// Sends the broadcasts that are due and comes back for the rest.
    private func flush() {
        guard let next = fanout.flush(.due(moreIsComing: room.uncommittedBytes > 0)) else { return }
        if let pacing, pacing.at <= next { return }
        pacing?.task.cancel()
        let task = loop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
            self?.pacing = nil
            self?.flush()
        }
        pacing = (next, task)
    }

    private func perform(_ action: RoomAction) {
        switch action {
        case .append(let records): append(records)
        case .broadcast: break
        case .send(let id, let frame):
            fanout.send([frame], to: id, answersStep1: frame.starts(with: [0, 1]))
        case .acknowledged(let id, let count):
            tellStatus(Array(repeating: ServerFrame.syncStatus(isSaved: true), count: count), to: id)
        case .worked(let id, let work): fanout.tell(id) { $0.charge(work: work) }
        case .notify(let notice): Task { await services.hooks.notify(notice) }
        case .archiveChat(let document, let lines): archive(lines, of: document)
        case .limited(let id, let limit): fanout.tell(id) { $0.tell(over: limit) }
        case .refused(let id):
            if let code = room.quarantine(of: id) { services.registry.statistics.count(code) }
            tellStatus([ServerFrame.syncStatus(isSaved: false)], to: id)
        case .close(let id, let refusal):
            fanout.flush(.all)
            fanout.tell(id) { $0.end(refusal) }
        case .move(let id, let tier): fanout.move(id, to: tier)
        case .submissionTaken(let taken): store(taken)
        case .submissionRefused(let requestID, let refusal):
            traces.refused(requestID)
            requests.removeValue(forKey: requestID)?.resume(returning: .failure(.init(refusal: refusal)))
        case .writeFinished(let requestID, let outcome):
            writes.removeValue(forKey: requestID)?.resume(returning: outcome)
        case .verdictMissing(let submissionID): askVerdict(of: submissionID)
        case .battleFinished(let result):
            let specification = room.specification
            onAccessChanged(id)
            Task { await services.hooks.battleFinished(specification, result) }
        case .snapshotDue:
            snapshotIsWanted = true
            saveSnapshot()
        case .alarm(let text): services.hooks.alarm(text)
        }
    }

    private func tellStatus(_ messages: [[UInt8]], to id: SubscriberID) {
        guard fanout.channels[id]?.framing.knowsSyncStatus == true else { return }
        fanout.send(messages, to: id)
    }

    private func tellOccupation(_ isOccupied: Bool) {
        guard self.isOccupied != isOccupied else { return }
        self.isOccupied = isOccupied
        services.hooks.activity(room.specification, .occupied(isOccupied))
    }

    // MARK: End

    func end(_ status: Status, refusal: DoorRefusal) {
        self.status = status
        tellOccupation(false)
        wake?.task.cancel()
        wake = nil
        unloading?.cancel()
        spaceRetry?.cancel()
        if room.isReadOnly { tellReadOnly(false) }
        draining?.deadline.cancel()
        pacing?.task.cancel()
        fanout.flush(.all)
        for id in fanout.channels.keys { fanout.tell(id) { $0.end(refusal) } }
        for continuation in requests.values {
            continuation.resume(returning: .failure(.init(refusal: .unavailable)))
        }
        requests.removeAll()
        for continuation in writes.values { continuation.resume(returning: .unavailable) }
        writes.removeAll()
        onGone(self)
    }

    // MARK: Submissions

    private func store(_ taken: TakenSubmission) {
        rowsBeingStored += 1
        let specification = room.specification
        let trace = traces.trace(of: taken)
        Task {
            do {
                let sha256 = try await TraceContext.$current.withValue(trace) {
                    try await services.hooks.storeSubmission(specification, taken)
                }
                loop.execute { self.answer(taken, sha256: sha256) }
            } catch {
                services.hooks.alarm("submission \(taken.id) could not be stored: \(error)")
                loop.execute { self.answer(taken, sha256: nil) }
            }
        }
    }

    private func answer(_ taken: TakenSubmission, sha256: String?) {
        // A row that could not be stored keeps snapshots away: the next load stores it.
        if sha256 != nil {
            rowsBeingStored -= 1
            // After a restart, or where the judge cannot take it, the verdict is spoken already.
            askVerdict(of: taken.id)
        }
        switch taken.reply {
        case .request(let requestID):
            requests.removeValue(forKey: requestID)?.resume(
                returning: sha256.map { .success(StoredSubmission(taken: taken, sha256: $0)) }
                    ?? .failure(.init(refusal: .unavailable)))
        case .socket(let id, let nonce):
            room.answerSubmission(nonce: nonce, id: taken.id, isStored: sha256 != nil, to: id)
        case .nobody: break
        }
        perform()
        saveSnapshot()
    }

    private func askVerdict(of submissionID: String) {
        Task {
            guard let spoken = await services.hooks.verdict(submissionID) else { return }
            loop.execute {
                guard self.status == .live else { return }
                self.room.judged(
                    submissionID: submissionID, verdict: spoken.verdict, testsPassed: spoken.testsPassed,
                    testsTotal: spoken.testsTotal, atMs: self.services.now())
                self.perform()
            }
        }
    }

    // MARK: Time

    private func scheduleWake() {
        guard status == .live, let due = room.nextWakeMs else { return }
        if let wake, wake.atMs <= due { return }
        wake?.task.cancel()
        // Looked at again in a while at the latest: the clock may be set forward meanwhile.
        let delay = TimeAmount.milliseconds(min(max(1, due - services.now()), Limits.longestSleepMs))
        wake = (due, loop.assumeIsolated().scheduleTask(in: delay) { self.tick() })
    }

    private func tick() {
        wake = nil
        guard status == .live else { return }
        room.tick(atMs: services.now())
        perform()
    }

    // MARK: Snapshots and unloading

    func saveSnapshot() {
        guard snapshotIsWanted, rowsBeingStored == 0, let snapshot = room.snapshot() else { return }
        snapshotIsWanted = false
        let log = services.log
        let alarm = services.hooks.alarm
        // Of an open room nothing is ever played back: its state is all that is kept.
        let trimsLog = room.specification.kind == .open
        Task {
            do { try await log.save(snapshot, trimsLog: trimsLog) } catch {
                alarm("room \(snapshot.roomID): no snapshot: \(error)")
            }
        }
    }

    private func scheduleUnloading() {
        guard status == .live, room.isIdle, !room.hasUnfinishedBattle, rowsBeingStored == 0 else {
            unloading?.cancel()
            unloading = nil
            return
        }
        guard unloading == nil else { return }
        unloading = loop.assumeIsolated().scheduleTask(in: Limits.unloadAfter) { self.unload() }
    }

    private func unload() {
        unloading = nil
        guard status == .live, room.isIdle, !room.hasUnfinishedBattle, rowsBeingStored == 0 else { return }
        snapshotIsWanted = room.hasChangedSinceSnapshot
        saveSnapshot()
        end(.drained, refusal: DoorRefusal(.restarting, "the room was unloaded"))
    }
}
