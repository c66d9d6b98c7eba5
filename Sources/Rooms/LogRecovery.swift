import CRDT

/// A record or a snapshot of the log that is not what was written.
public struct LogDamage: Sendable, Equatable {
    public enum What: String, Sendable { case record, snapshot }

    public var what: What
    public var sequence: Int64
    public var reason: String

    public init(_ what: What, sequence: Int64, reason: String) {
        self.what = what
        self.sequence = sequence
        self.reason = reason
    }
}

/// What is done about a damaged log: every complete record that can still be applied is kept, what is lost is marked
/// in its place, and all of it is told.
public struct LogRecovery: Sendable, Equatable {
    /// Places of records that are gone, or that build on one that is gone, with the reason.
    public var lost: [Int64: String] = [:]
    /// Damaged records that have no place: whatever their number says, it is not one of the log's.
    public var strays: Set<Int64> = []
    /// Snapshots that are damaged.
    public var snapshots: Set<Int64> = []
    /// Whether a record is lost that the documents are made of: clients may hold what the room no longer has.
    public var losesState = false

    /// Works out what must be lost of a history with damage or holes.
    ///
    /// - Throws: `RoomLoadError` where recovery is no answer: a sound record that this version cannot read, or more
    ///   lost than `Limits.lostRecords`. Nothing is to be written then.
    public init(of history: RoomHistory) throws(RoomLoadError) {
        let from = history.snapshot?.sequence ?? 0
        guard Room.numbers.contains(from) else {
            throw RoomLoadError(
                code: .corruptSnapshot, sequence: 0, message: "its sequence is no such number")
        }
        let damaged = Dictionary(
            history.damage.filter { $0.what == .record }.map { ($0.sequence, $0.reason) },
            uniquingKeysWith: { first, _ in first })
        snapshots = Set(history.damage.filter { $0.what == .snapshot }.map(\.sequence))
        // The documents have these from the snapshot; only replay misses them.
        for (sequence, reason) in damaged where sequence > 0 && sequence <= from { lost[sequence] = reason }
        let replayed = lost.count
        var next = try readTail(of: history, from: from, damaged)
        // At the end, places are kept as far as they follow: a number that was told is not given again.
        while let reason = damaged[next] {
            lost[next] = reason
            next += 1
        }
        strays = Set(damaged.keys).subtracting(lost.keys)
        // Without its snapshot a document is made of the log alone, in which something may have been lost before.
        let tailHasLost = history.tail.contains { $0.kind == .lost }
        losesState = lost.count > replayed || !strays.isEmpty || (!snapshots.isEmpty && tailHasLost)
        guard lost.count <= Limits.lostRecords else {
            throw RoomLoadError(
                code: .damaged, sequence: lost.keys.min() ?? 0,
                message: "\(lost.count) records are lost; restore a backup, or move the room's log away")
        }
    }

    /// Goes through the records after the snapshot as loading will; gives the number behind the last.
    private mutating func readTail(
        of history: RoomHistory, from: Int64, _ damaged: [Int64: String]
    ) throws(RoomLoadError) -> Int64 {
        var documents: [String: Document] = [:]
        for saved in history.snapshot?.documents ?? [] {
            let document = Document(clientID: serverClientID)
            do { try document.applyUpdate(saved.state) } catch {
                throw RoomLoadError(code: .corruptSnapshot, sequence: from, message: error.message)
            }
            documents[saved.name] = document
        }
        var expected = from + 1
        for record in history.tail {
            guard record.sequence >= expected, record.sequence - expected <= Int64(Limits.lostRecords) else {
                throw RoomLoadError(
                    code: .hole, sequence: expected, message: "the log goes on at \(record.sequence)")
            }
            while expected < record.sequence {
                lost[expected] = damaged[expected] ?? "it is missing"
                expected += 1
            }
            if let fault = try Self.fault(of: record, &documents) { lost[record.sequence] = fault }
            expected += 1
        }
        return expected
    }

    /// Why a sound record cannot be kept: it builds on what is lost.
    private static func fault(
        of record: LogRecord, _ documents: inout [String: Document]
    ) throws(RoomLoadError) -> String? {
        guard record.kind == .update else { return nil }
        let update: Update
        do { update = try Update(decodingV1: record.payload) } catch {
            throw RoomLoadError(code: .corruptRecord, sequence: record.sequence, message: error.message)
        }
        let document = documents[record.document] ?? Document(clientID: serverClientID)
        documents[record.document] = document
        if case .missing = document.readiness(of: update) { return "it builds on a record that is lost" }
        document.apply(update)
        return nil
    }
}
