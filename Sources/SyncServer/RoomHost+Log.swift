import NIOCore
import Rooms
import SyncProtocol

// What the disk answers: commits, a full disk, failures; and the end at shutdown, which waits for it.
extension RoomHost {
    func append(_ records: [LogRecord]) {
        let start = NIODeadline.now()
        let bytes = records.reduce(0) { $0 + $1.payload.count }
        statistics.pendingBytes.add(bytes)
        services.log.append(records, room: id) { result in
            self.loop.execute {
                self.statistics.pendingBytes.add(-bytes)
                if case .success = result { self.statistics.count(records, bytes: bytes, since: start) }
                switch result {
                case .success: self.committed(records)
                case .failure(.full): self.waitForSpace(records)
                case .failure(let error): self.fail("the log refused a write: \(error)")
                }
            }
        }
    }

    private func committed(_ records: [LogRecord]) {
        guard status == .live || status == .draining else { return }
        let changed = RoomHooks.Activity.changes(records)
        if !changed.isEmpty { services.hooks.activity(room.specification, .changed(changed)) }
        if room.isReadOnly {
            services.hooks.alarm("room \(id): there is space again, it takes writes")
            tellReadOnly(false)
        }
        let start = NIODeadline.now()
        room.committed(atMs: services.now())
        perform()
        statistics.applications.add(since: start)
        probeReaders()
        if status == .draining, room.isSettled { finishDraining() }
        releaseStalled()
    }

    private var statistics: SyncStatistics { services.registry.statistics }

    /// Measures how late the readers' loops are, once in a while.
    private func probeReaders() {
        let start = NIODeadline.now()
        guard start > nextProbe, let reader = fanout.channels.keys.first else { return }
        nextProbe = start + Limits.probeInterval
        let lag = statistics.readerLag
        fanout.tell(reader) { _ in lag.add(since: start) }
    }

    /// The disk is full: the room goes on for readers, and its batch, of which nothing is on disk, is tried again.
    private func waitForSpace(_ records: [LogRecord]) {
        guard status == .live else { return finishDraining() }
        if !room.isReadOnly {
            services.hooks.alarm("room \(id) is read-only: the disk is full")
            tellReadOnly(true)
            room.suspendWrites()
            perform()
            releaseStalled()
        }
        // What is no write of a socket goes on being accepted: players who come and go, verdicts.
        guard room.uncommittedBytes <= 2 * Rooms.Limits.uncommittedBytes else {
            return fail("the disk is full, and too much waits for it")
        }
        spaceRetry = loop.assumeIsolated().scheduleTask(in: Limits.spaceRetry) {
            self.spaceRetry = nil
            self.append(records)
        }
    }

    func tellReadOnly(_ isReadOnly: Bool) {
        services.readOnlyRooms.add(isReadOnly ? 1 : -1)
        services.hooks.observe(.readOnly(isReadOnly))
    }

    private func releaseStalled() {
        guard !stalled.isEmpty,
            room.isReadOnly || room.uncommittedBytes <= Rooms.Limits.uncommittedBytes / 2
        else { return }
        for id in stalled { fanout.tell(id) { $0.stall(false) } }
        stalled.removeAll()
    }

    /// A write that may or may not be on disk: the room is thrown away and loaded again from the log. Nothing of the
    /// batch was shown to anyone.
    func fail(_ reason: String) {
        guard status == .live else { return finishDraining() }
        services.hooks.alarm("room \(id) failed: \(reason)")
        services.hooks.observe(.logFailed)
        end(.failed, refusal: DoorRefusal(.tryAgainLater, "the room could not be written to disk; try again"))
    }

    // MARK: Draining

    /// Ends the room at shutdown: what is on its way to disk gets there, sockets are told.
    func shutDown(_ refusal: DoorRefusal) {
        onLoop {
            guard self.status == .live else { return }
            // What was received and not handed to the log yet.
            self.perform()
            self.status = .draining
            let deadline = self.loop.assumeIsolated().scheduleTask(in: Limits.drainDeadline) {
                self.finishDraining()
            }
            self.draining = (refusal, deadline)
            if self.room.isSettled || self.room.isReadOnly { self.finishDraining() }
        }
    }

    private func finishDraining() {
        guard status == .draining, let draining else { return }
        snapshotIsWanted = room.hasChangedSinceSnapshot
        saveSnapshot()
        end(.drained, refusal: draining.refusal)
    }
}
