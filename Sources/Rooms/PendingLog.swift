import CRDT

/// Records that were accepted and are not on disk yet: one batch on its way, one being collected. Sequences are
/// given on acceptance, without holes; times never fall.
struct PendingLog {
    struct Entry {
        var record: LogRecord
        /// The decoded payload of an update record.
        var update: Update?
        /// Sockets a write of which counts as saved once this is on disk, one for each write.
        var writers: [SubscriberID]
    }

    private var collecting: [Entry] = []
    private var inFlight: [Entry] = []
    /// The last sequence that was given.
    private(set) var lastSequence: Int64
    private(set) var lastCommittedAtMs: Int64
    /// The last sequence that is on disk and applied.
    private(set) var applied: Int64
    private(set) var bytes = 0

    init(sequence: Int64, committedAtMs: Int64) {
        lastSequence = sequence
        applied = sequence
        lastCommittedAtMs = committedAtMs
    }

    var isEmpty: Bool { collecting.isEmpty && inFlight.isEmpty }

    mutating func add(
        _ kind: LogRecord.Kind, document: String, author: String, payload: [UInt8], update: Update?,
        note: String?, from writer: SubscriberID? = nil, atMs: Int64
    ) {
        lastSequence += 1
        lastCommittedAtMs = max(lastCommittedAtMs, atMs)
        let record = LogRecord(
            sequence: lastSequence, kind: kind, document: document, author: author,
            committedAtMs: lastCommittedAtMs, payload: payload, note: note)
        bytes += payload.count
        collecting.append(Entry(record: record, update: update, writers: writer.map { [$0] } ?? []))
    }

    /// Counts a write as saved once all that was accepted so far is on disk; false when it is already.
    mutating func acknowledgeWithLast(_ writer: SubscriberID) -> Bool {
        if let last = collecting.indices.last {
            collecting[last].writers.append(writer)
        } else if let last = inFlight.indices.last {
            inFlight[last].writers.append(writer)
        } else {
            return false
        }
        return true
    }

    /// The next batch for the log, unless one is on its way or there is nothing.
    mutating func nextBatch() -> [LogRecord]? {
        guard inFlight.isEmpty, !collecting.isEmpty else { return nil }
        swap(&inFlight, &collecting)
        return inFlight.map(\.record)
    }

    /// The batch on its way is on disk: what is to be applied now, in order.
    mutating func takeCommitted() -> [Entry] {
        let batch = inFlight
        inFlight = []
        applied = batch.last?.record.sequence ?? applied
        bytes -= batch.reduce(0) { $0 + $1.record.payload.count }
        return batch
    }
}
