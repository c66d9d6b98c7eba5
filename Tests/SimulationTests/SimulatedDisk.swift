import CRDT
import Rooms
import TestSupport

enum DiskError: Error {
    /// No space; nothing of what was handed in is there.
    case full
    /// The sync failed: what was handed in may be there or not.
    case syncFailed
    /// The records do not follow the log: another writer was there.
    case conflict
}

/// A disk with one room's log. What was synced stays; at a crash the rest is lost, or there in part.
final class SimulatedDisk {
    struct Row {
        var record: LogRecord
        var checksum: UInt32
    }

    private struct Batch {
        var rows: [Row]
        var completion: (Result<Void, DiskError>) -> Void
    }

    private let world: World
    private(set) var rows: [Row] = []
    private var snapshots: [(snapshot: RoomSnapshot, checksum: UInt32)] = []
    private var inFlight: Batch?
    var specification: RoomSpecification
    /// No append succeeds while it is set.
    var isFull = false
    /// The next sync fails.
    var failsNextSync = false
    /// Places that were lost to damage, over the whole run.
    private(set) var lost: Set<Int64> = []
    private(set) var hasRotted = false
    private var life = 0

    init(_ world: World, _ specification: RoomSpecification) {
        self.world = world
        self.specification = specification
    }

    var lastSequence: Int64 { rows.last?.record.sequence ?? 0 }

    // MARK: Writing

    func append(_ records: [LogRecord], completion: @escaping (Result<Void, DiskError>) -> Void) {
        world.expect(inFlight == nil, "two batches of one room on their way")
        let batch = Batch(
            rows: records.map { Row(record: $0, checksum: $0.checksum(in: specification.id)) },
            completion: completion)
        inFlight = batch
        let life = life
        world.after(world.random.chance(90) ? world.random.between(1, 8) : world.random.between(8, 400)) {
            guard life == self.life else { return }
            self.inFlight = nil
            self.finish(batch)
        }
    }

    private func finish(_ batch: Batch) {
        guard !isFull else { return batch.completion(.failure(.full)) }
        guard (batch.rows.first?.record.sequence ?? 0) == lastSequence + 1 else {
            return batch.completion(.failure(.conflict))
        }
        if failsNextSync {
            failsNextSync = false
            if world.random.chance(50) { rows += batch.rows }
            return batch.completion(.failure(.syncFailed))
        }
        rows += batch.rows
        batch.completion(.success(()))
    }

    func save(_ snapshot: RoomSnapshot) {
        let life = life
        world.after(world.random.between(1, 200)) {
            guard life == self.life, !self.isFull,
                (self.snapshots.last?.snapshot.sequence ?? 0) < snapshot.sequence
            else { return }
            self.snapshots.append((snapshot, snapshot.checksum))
            if self.snapshots.count > 2 { self.snapshots.removeFirst() }
        }
    }

    // MARK: Crashing

    /// The power goes: of what was on its way, the first few records may have made it.
    func crash() {
        life += 1
        guard let batch = inFlight else { return }
        inFlight = nil
        if !isFull, batch.rows.first?.record.sequence == lastSequence + 1 {
            rows += batch.rows.prefix(world.random.below(batch.rows.count + 1))
        }
    }

    /// Something that was written long ago is not what it was.
    func rot() {
        hasRotted = true
        guard !rows.isEmpty else { return }
        switch world.random.below(10) {
        case 0..<2 where !snapshots.isEmpty:
            let place = world.random.below(snapshots.count)
            guard !snapshots[place].snapshot.documents.isEmpty else { return }
            snapshots[place].snapshot.documents[0].state.append(0)
        case 2..<5 where rows.count > 1:
            // Not the last: that would be a log which never had it.
            rows.remove(at: world.random.below(rows.count - 1))
        default:
            let place = world.random.below(rows.count)
            guard !rows[place].record.payload.isEmpty else { return }
            let byte = world.random.below(rows[place].record.payload.count)
            rows[place].record.payload[byte] ^= UInt8(1 << world.random.below(8))
        }
    }

    // MARK: Loading

    func history(atMs: Int64) -> RoomHistory {
        var damage: [LogDamage] = []
        var sound: [LogRecord] = []
        for row in rows {
            if row.record.checksum(in: specification.id) == row.checksum {
                sound.append(row.record)
            } else {
                damage.append(LogDamage(.record, sequence: row.record.sequence, reason: "checksum"))
            }
        }
        for (snapshot, checksum) in snapshots where snapshot.checksum != checksum {
            damage.append(LogDamage(.snapshot, sequence: snapshot.sequence, reason: "checksum"))
        }
        let snapshot = snapshots.last { $0.snapshot.checksum == $0.checksum }?.snapshot
        let from = snapshot?.sequence ?? 0
        let delayed = Set(Room.delayedDocuments(of: specification))
        return RoomHistory(
            snapshot: snapshot, tail: sound.filter { $0.sequence > from },
            story: sound.filter { $0.sequence <= from && $0.kind != .update },
            delayed: sound.filter {
                $0.sequence <= from && $0.kind == .update && delayed.contains($0.document)
            },
            notes: sound.filter { $0.note != nil && $0.committedAtMs >= atMs - Rooms.Limits.nonceMs },
            damage: damage)
    }

    /// Marks what is lost, as the log's adapter does.
    func repair(_ recovery: LogRecovery) {
        let last = rows.last
        rows.removeAll {
            recovery.lost[$0.record.sequence] != nil || recovery.strays.contains($0.record.sequence)
        }
        for (sequence, reason) in recovery.lost {
            let record = LogRecord(
                sequence: sequence, kind: .lost, document: "", author: "",
                committedAtMs: last?.record.committedAtMs ?? 0, payload: Array(reason.utf8))
            rows.append(Row(record: record, checksum: record.checksum(in: specification.id)))
        }
        rows.sort { $0.record.sequence < $1.record.sequence }
        lost.formUnion(recovery.lost.keys)
        snapshots.removeAll { recovery.snapshots.contains($0.snapshot.sequence) }
        if recovery.losesState { specification.epoch += 1 }
    }

    /// The document as the log tells it; where records may be damaged, with what the newest snapshot still knows.
    func document(_ name: String) -> Document {
        let document = Document(clientID: 9)
        var from: Int64 = 0
        if hasRotted, let snapshot = snapshots.last(where: { $0.snapshot.checksum == $0.checksum })?.snapshot
        {
            from = snapshot.sequence
            for saved in snapshot.documents where saved.name == name {
                try? document.applyUpdate(saved.state)
            }
        }
        for row in rows
        where row.record.kind == .update && row.record.document == name && row.record.sequence > from {
            try? document.applyUpdate(row.record.payload)
        }
        return document
    }
}
