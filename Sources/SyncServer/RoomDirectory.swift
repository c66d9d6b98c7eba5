import CRDT
import NIOCore
import Rooms
import SyncProtocol
import Synchronization

/// Finds, loads and unloads rooms. One room lives on one event loop; a room that failed is loaded again from its log
/// by the next who asks for it.
public final class RoomDirectory: Sendable {
    struct State {
        var rooms: [String: EventLoopFuture<RoomHost>] = [:]
        var hosts: [String: RoomHost] = [:]
        var isShuttingDown = false
        /// Sessions that ended a moment ago, with when: a socket that was being admitted then is closed after all.
        var endedSessions: [String: Int64] = [:]
        var accessObservers: [@Sendable (_ roomID: String) -> Void] = []
        var failed = FailedRooms()
        /// Open rooms that have a log, or may get one.
        var openRooms = 0
    }

    let services: RoomServices
    let group: any EventLoopGroup
    private let opensAnyName: Bool
    let rebuilds = RebuildGate()
    let openRoomLimit: Int
    /// What sockets of a loop share.
    public let loops = SocketLoops()
    let state = Mutex(State())

    /// - Parameters:
    ///   - opensAnyName: whether `open/NAME` rooms exist (`--open-rooms`).
    ///   - openRoomLimit: how many of them there may be.
    public init(
        services: RoomServices, group: any EventLoopGroup, opensAnyName: Bool, openRoomLimit: Int = .max
    ) {
        self.openRoomLimit = openRoomLimit
        self.services = services
        self.group = group
        self.opensAnyName = opensAnyName
    }

    /// The open sockets.
    public var registry: SocketRegistry { services.registry }
    var roomLimits: RoomLimits { services.limits }

    public func nextSubscriberID() -> SubscriberID { services.nextID() }
    public func newID() -> String { services.newID() }
    public func now() -> Int64 { services.now() }

    /// Rooms in memory, and sockets in them where that is known without asking.
    public var loadedRooms: Int { state.withLock { $0.hosts.count } }

    /// Rooms of a kind in memory. Linear in their number.
    public func loadedRooms(of kind: RoomKind) -> Int {
        state.withLock { $0.hosts.values.count { $0.kind == kind } }
    }

    /// Rooms by where they stand.
    public func rooms(_ status: RoomStatus) -> Int {
        let atMs = services.now()
        let readOnly = services.readOnlyRooms.value
        return state.withLock { state in
            switch status {
            case .loading: state.rooms.count - state.hosts.count
            case .live: state.isShuttingDown ? 0 : max(0, state.hosts.count - readOnly)
            case .readOnly: readOnly
            case .draining: state.isShuttingDown ? state.hosts.count : 0
            case .failed: state.failed.count(atMs: atMs)
            }
        }
    }

    /// Tells `observer` whenever somebody's access to documents of a room grew: a battle ended, someone was invited.
    public func observeAccess(_ observer: @escaping @Sendable (_ roomID: String) -> Void) {
        state.withLock { $0.accessObservers.append(observer) }
    }

    private func accessChanged(in roomID: String) {
        for observer in state.withLock({ $0.accessObservers }) { observer(roomID) }
    }

    // MARK: Sockets

    func join(_ channel: DocumentChannel, _ admission: SocketAdmission) async throws(DoorRefusal) -> RoomHost
    {
        for _ in 0..<Limits.reachAttempts {
            let host = try await host(of: admission.roomID)
            let outcome: Result<Void, DoorRefusal>
            do {
                outcome = try await host.loop.submit { () -> Result<Void, DoorRefusal> in
                    do throws(DoorRefusal) {
                        try host.join(channel, admission)
                        return .success(())
                    } catch {
                        return .failure(error)
                    }
                }.get()
            } catch {
                throw DoorRefusal(.tryAgainLater, "the room is not available")
            }
            switch outcome {
            case .success:
                guard !hasEnded(admission.caller.sessionID) else {
                    host.leave(channel.id)
                    throw DoorRefusal(.unauthenticated, "the session has ended")
                }
                return host
            case .failure(let refusal) where refusal.code == .tryAgainLater && hostIsGone(host): continue
            case .failure(let refusal): throw refusal
            }
        }
        throw DoorRefusal(.tryAgainLater, "the room is not available")
    }

    // MARK: Rooms

    public func create(_ specification: RoomSpecification) async throws {
        do {
            try await services.store.create(specification)
        } catch {
            services.hooks.alarm("room \(specification.id) could not be made: \(error)")
            throw DoorRefusal(.tryAgainLater, "the room could not be stored; try again")
        }
        _ = try await host(of: specification.id)
    }

    /// Admits someone by invitation.
    public func admit(_ participant: Participant, to roomID: String) async throws {
        try await change(roomID, .participantAdded(participant))
    }

    /// Changes what a room is: stored first, then open sockets are told, moved or closed. False where there was nothing
    /// to change.
    @discardableResult
    public func change(_ roomID: String, _ change: RoomChange) async throws -> Bool {
        guard try await services.store.apply(change, to: roomID) else { return false }
        try await with(roomID) { room, atMs in room.apply(change, atMs: atMs) }
        accessChanged(in: roomID)
        return true
    }

    /// Rooms in memory whose id is greater than `after`, by id.
    public func loadedRooms(after: String, limit: Int) -> [String] {
        state.withLock { state in
            Array(state.hosts.keys.filter { $0 > after }.sorted().prefix(limit))
        }
    }

    /// Reads or changes a room on its loop.
    ///
    /// - Throws: `notFound` for an unknown room, `tryAgainLater` while it cannot be loaded.
    public func with<Value: Sendable>(
        _ roomID: String, _ body: @escaping @Sendable (inout Room, _ atMs: Int64) -> Value
    ) async throws(DoorRefusal) -> Value {
        var last = DoorRefusal(.tryAgainLater, "the room is not available")
        for _ in 0..<Limits.reachAttempts {
            let host = try await host(of: roomID)
            do throws(DoorRefusal) {
                return try await host.run(body)
            } catch {
                last = error
                guard error.code == .tryAgainLater, hostIsGone(host) else { throw error }
            }
        }
        throw last
    }

    /// Takes a submission of the room's document; returns when its row is stored and queued.
    public func submit(
        to roomID: String, by caller: RoomCaller, language: String, document: String?, file: String?,
        stateVector: StateVector?
    ) async throws(DoorRefusal) -> Result<StoredSubmission, SubmissionRefusalError> {
        let host = try await host(of: roomID)
        let newID = services.newID()
        return await host.submit { requestID, atMs in
            SubmissionRequest(
                requestID: requestID, newID: newID, caller: caller, language: language, document: document,
                file: file, stateVector: stateVector, deadlineMs: atMs + Rooms.Limits.coverMs)
        }
    }

    /// Closes every socket of a session that ended.
    public func endSession(_ sessionID: String) {
        let atMs = services.now()
        let hosts = state.withLock { state in
            if state.endedSessions.count >= Limits.endedSessions {
                state.endedSessions = state.endedSessions.filter { $0.value + Limits.endedSessionMs > atMs }
                if state.endedSessions.count >= Limits.endedSessions { state.endedSessions.removeAll() }
            }
            state.endedSessions[sessionID] = atMs
            return Array(state.hosts.values)
        }
        for hosts in Dictionary(grouping: hosts, by: { ObjectIdentifier($0.loop) }).values {
            hosts.first?.loop.execute { for host in hosts { host.endSession(sessionID) } }
        }
    }

    private func hasEnded(_ sessionID: String) -> Bool {
        state.withLock { $0.endedSessions[sessionID] != nil }
    }

    /// Closes every room: what is on its way to disk gets there, sockets are told with `code`.
    public func shutDown(_ code: CloseCode) {
        let hosts = state.withLock { state in
            state.isShuttingDown = true
            return Array(state.hosts.values)
        }
        for host in hosts { host.shutDown(DoorRefusal(code, "the server is going away")) }
    }

    // MARK: Loading

    private func hostIsGone(_ host: RoomHost) -> Bool {
        state.withLock { $0.hosts[host.id] !== host }
    }

    func host(of id: String) async throws(DoorRefusal) -> RoomHost {
        let promise = group.next().makePromise(of: RoomHost.self)
        let atMs = services.now()
        enum Found { case future(EventLoopFuture<RoomHost>), toLoad, refused, failed }
        let found: Found = state.withLock { state in
            if let future = state.rooms[id] { return .future(future) }
            guard !state.isShuttingDown, state.rooms.count < Limits.loadedRooms else { return .refused }
            guard !state.failed.holds(id, atMs: atMs) else { return .failed }
            state.rooms[id] = promise.futureResult
            return .toLoad
        }
        let future: EventLoopFuture<RoomHost>
        switch found {
        case .future(let known):
            promise.fail(DoorRefusal(.tryAgainLater, "not needed"))
            future = known
        case .refused:
            let refusal = DoorRefusal(.tryAgainLater, "the server takes no more rooms now")
            promise.fail(refusal)
            throw refusal
        case .failed:
            let refusal = DoorRefusal(.tryAgainLater, "the room failed a moment ago; try again")
            promise.fail(refusal)
            throw refusal
        case .toLoad:
            future = promise.futureResult
            promise.completeWithTask { try await self.load(id) }
        }
        do {
            return try await future.get()
        } catch let refusal as DoorRefusal {
            throw refusal
        } catch {
            throw DoorRefusal(.tryAgainLater, "the room could not be loaded")
        }
    }

    /// Loads a room. A load that failed leaves nothing behind, and nothing is written.
    private func load(_ id: String) async throws -> RoomHost {
        do {
            let (specification, history) = try await soundHistory(of: id)
            try admitOpenRoom(id, isNew: history.snapshot == nil && history.tail.isEmpty)
            let loop = group.any()
            let services = services
            return try await loop.submit {
                let room = try Room(
                    loading: history, of: specification, limits: services.limits, ports: services.ports,
                    atMs: services.now())
                let host = RoomHost(
                    room, on: self.loops[loop], services: services, onGone: { self.forget($0) },
                    onAccessChanged: { self.accessChanged(in: $0) })
                let isTooLate = self.state.withLock { state in
                    if !state.isShuttingDown { state.hosts[id] = host }
                    return state.isShuttingDown
                }
                guard !isTooLate else { throw DoorRefusal(.goingAway, "the server is going away") }
                host.begin()
                return host
            }.get()
        } catch {
            let isRefusal = error is DoorRefusal
            let atMs = services.now()
            state.withLock { state in
                state.rooms[id] = nil
                if !isRefusal { state.failed.add(id, atMs: atMs) }
            }
            if !isRefusal {
                services.hooks.alarm("room \(id) could not be loaded: \(error)")
                services.hooks.observe(.loadFailed)
            }
            throw error
        }
    }

    /// What a room is and what is loaded; a damaged log is repaired first.
    private func soundHistory(of id: String) async throws -> (RoomSpecification, RoomHistory) {
        for _ in 0..<Limits.repairAttempts {
            guard let specification = try await specification(of: id) else {
                throw DoorRefusal(.notFound, "no such room or document")
            }
            let history = try await services.log.history(
                of: id, delayedDocuments: Room.delayedDocuments(of: specification),
                notesSinceMs: services.now() - Rooms.Limits.nonceMs)
            guard !history.isSound else { return (specification, history) }
            try await repair(try LogRecovery(of: history), of: id)
        }
        throw RoomLoadError(code: .damaged, sequence: 0, message: "its log cannot be repaired")
    }

    /// The epoch rises first: when the process dies in between, all of this is done again.
    private func repair(_ recovery: LogRecovery, of id: String) async throws {
        if recovery.losesState { try await services.store.raiseEpoch(of: id) }
        try await services.log.repair(recovery, of: id, atMs: services.now())
        for (sequence, reason) in recovery.lost.sorted(by: { $0.key < $1.key }).prefix(Limits.toldLosses) {
            services.hooks.alarm("room \(id): record \(sequence) is lost: \(reason)")
        }
        services.hooks.alarm(
            "room \(id) was recovered: \(recovery.lost.count) records, \(recovery.strays.count) rows without a place "
                + "and \(recovery.snapshots.count) snapshots are lost"
                + (recovery.losesState ? "; its epoch rose" : "; its documents are whole"))
        services.hooks.observe(
            .recordsLost(recovery.lost.count + recovery.strays.count, fromDocuments: recovery.losesState))
        services.hooks.observe(.snapshotsLost(recovery.snapshots.count))
    }

    private func specification(of id: String) async throws -> RoomSpecification? {
        guard let name = OpenRoom.name(ofID: id) else { return try await services.store.room(id) }
        guard opensAnyName else { return nil }
        return RoomSpecification(
            id: OpenRoom.id(of: name), kind: .open, visibility: .public, ownerID: "", language: "python",
            participants: [], createdAtMs: 0)
    }

    private func forget(_ host: RoomHost) {
        let atMs = services.now()
        let isShuttingDown = state.withLock { state in
            // Named, and never written to.
            if OpenRoom.name(ofID: host.id) != nil, host.room.sequence == 0 { state.openRooms -= 1 }
            if state.hosts[host.id] === host {
                state.hosts[host.id] = nil
                state.rooms[host.id] = nil
                if host.status == .failed { state.failed.add(host.id, atMs: atMs) }
            }
            return state.isShuttingDown
        }
        guard !isShuttingDown, host.status == .failed, host.room.hasUnfinishedBattle else { return }
        let id = host.id
        Task { await self.resume(id) }
    }

    /// A battle whose room failed is loaded again, though nobody may ask for it: its deadline must come.
    private func resume(_ id: String) async {
        for pause in Limits.resumePauses {
            try? await Task.sleep(for: pause)
            do {
                try await with(id) { _, _ in }
                return
            } catch {
                services.hooks.alarm("battle \(id) could not be resumed yet: \(error.reason)")
            }
        }
    }
}

/// A submission whose row is on disk.
public struct StoredSubmission: Sendable, Equatable {
    public let taken: TakenSubmission
    /// Of the source's UTF-8 bytes, lower-case hexadecimal.
    public let sha256: String
}

/// Why a submission by HTTP was not taken.
public struct SubmissionRefusalError: Error, Sendable {
    public let refusal: SubmissionRefusal
}
