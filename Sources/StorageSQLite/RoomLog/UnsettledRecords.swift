import Rooms

/// Records that are on disk in the journal and have no place in the log yet, room by room.
///
/// They are of two generations: those of the older are being settled, room after room, while what is committed meanwhile
/// is of the newer. Once all of the older are in the log, the journal forgets its rows.
struct UnsettledRecords: Sendable {
    /// A record, and the checksum that was written with it.
    struct Entry: Sendable, Equatable {
        var record: LogRecord
        var checksum: UInt32

        init(_ record: LogRecord, in room: String) {
            self.init(record, checksum: record.checksum(in: room))
        }

        init(_ record: LogRecord, checksum: UInt32) {
            self.record = record
            self.checksum = checksum
        }

        /// What journal and memory take for it, about, bytes.
        var cost: Int {
            record.payload.count + record.document.utf8.count + record.author.utf8.count
                + (record.note?.utf8.count ?? 0) + 64
        }
    }

    private struct Generation {
        var rooms: [String: [Entry]] = [:]
        var count = 0
        var bytes = 0
        /// The last row of the journal that holds something of it.
        var lastRow: Int64 = 0
    }

    private var filling = Generation()
    private var settling = Generation()
    /// Rooms of the older generation whose records are not in the log yet.
    private var waiting: [String] = []

    /// Rises with every commit.
    private(set) var version = 0

    var isEmpty: Bool { filling.count == 0 && settling.count == 0 }
    var bytes: Int { filling.bytes + settling.bytes }

    /// What a room has, in the order of its sequences. The first of them may be in the log already.
    func entries(of room: String) -> [Entry] {
        (settling.rooms[room] ?? []) + (filling.rooms[room] ?? [])
    }

    mutating func add(_ entries: [Entry], of room: String, row: Int64) {
        filling.rooms[room, default: []].append(contentsOf: entries)
        filling.count += entries.count
        filling.bytes += entries.reduce(0) { $0 + $1.cost }
        filling.lastRow = row
        version &+= 1
    }

    /// Whether it is time to settle: many records spare more pages than few.
    var isDue: Bool {
        settling.count > 0 || filling.count >= Limits.unsettledRecords
            || filling.bytes >= Limits.unsettledBytes
    }

    /// Whole rooms with `records` records or a few more, to be settled next; none when all are.
    mutating func next(_ records: Int) -> [(room: String, entries: [Entry])] {
        if settling.count == 0 {
            settling = filling
            filling = Generation()
            // In the order of the log's table, so that neighbours share pages.
            waiting = settling.rooms.keys.sorted(by: >)
        }
        var chunk: [(room: String, entries: [Entry])] = []
        var count = 0
        for room in waiting.reversed() {
            guard count < records, let entries = settling.rooms[room] else { break }
            chunk.append((room, entries))
            count += entries.count
        }
        return chunk
    }

    /// The first `rooms` of what `next` gave are in the log. Returns the journal's row up to which nothing is wanted any
    /// more, once that is all of a generation.
    mutating func settled(rooms: Int) -> Int64? {
        waiting.removeLast(rooms)
        guard waiting.isEmpty else { return nil }
        defer { settling = Generation() }
        return settling.lastRow
    }
}
